"""Measures the servers in turn, in rounds, and prints a table for each mode."""

import dataclasses
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from . import generators, programs, servers

WARM_UP = 1  # seconds
QUIET = 0.06  # of a core, that others may take during a run
TRIES = 3  # at a run in which others take more

TLS_MODES = ("tls", "handshake", "resumption")
MODES = {
    "plain": generators.wrk,
    "pipelined": lambda port, seconds: generators.wrk(port, seconds, pipelined=True),
    "tls": lambda port, seconds: generators.wrk(port, seconds, tls=True),
    "handshake": generators.handshakes,
    "resumption": lambda port, seconds: generators.handshakes(port, seconds, resumes=True),
}
ABOUT = {
    "plain": "64 connections, one request in flight on each (wrk)",
    "pipelined": "64 connections, 16 requests in flight on each (wrk)",
    "tls": "64 connections over TLS 1.3, one request in flight on each (wrk)",
    "handshake": "a new connection and a full TLS 1.3 handshake for each request, from 4 processes",
    "resumption": "a new connection and a resumed TLS 1.3 handshake for each request, from 4 processes",
}


@dataclasses.dataclass
class Sample:
    """One run."""

    rate: float  # requests a second
    processor_us: float  # of the server, a request
    user_us: float  # of it, outside the kernel
    p50: float | None
    p99: float | None
    resident_bytes: int
    server_busy: float  # of a core
    generator_busy: float
    generator_us: float  # of the generator, a request
    failed: int
    foreign: float  # what others took, of a core


def busy_seconds():
    """Of all cores, whoever it was for."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, fields[:7])
    return (user + nice + system + interrupts + soft_interrupts) / servers.TICKS


def measure_once(server, generate, seconds):
    processor, user, busy = server.processor_ns(), server.user_ns(), busy_seconds()
    begin = time.monotonic()
    outcome = generate(server.port, seconds)
    took = time.monotonic() - begin
    processor = (server.processor_ns() - processor) / 1e3
    user = (server.user_ns() - user) / 1e3
    foreign = busy_seconds() - busy - (processor + outcome.processor_us) / 1e6
    return Sample(
        rate=outcome.requests / outcome.seconds,
        processor_us=processor / outcome.requests,
        user_us=user / outcome.requests,
        p50=outcome.p50,
        p99=outcome.p99,
        resident_bytes=server.resident_bytes(),
        server_busy=processor / 1e6 / took,
        generator_busy=outcome.processor_us / 1e6 / took,
        generator_us=outcome.processor_us / outcome.requests,
        failed=outcome.failed,
        foreign=max(0.0, foreign / took),
    )


def measure(server, generate, seconds, certificate):
    """The quietest of some runs, each in a fresh process."""
    best = None
    for _ in range(TRIES):
        with server.start(certificate) as running:
            generate(running.port, WARM_UP)
            sample = measure_once(running, generate, seconds)
        if best is None or sample.foreign < best.foreign:
            best = sample
        if best.foreign <= QUIET:
            break
    return best


def choose(known, mode):
    chosen = {}
    for name, server in known.items():
        reason = server.lacks(tls=mode in TLS_MODES, pipelines=mode == "pipelined")
        if reason is None:
            chosen[name] = server
        elif mode not in TLS_MODES:
            programs.note(f"{mode}: skipping {name}, which {reason}")
    return chosen


def measure_mode(known, mode, rounds, seconds, certificate):
    """Returns the samples by server, a list with one for each round, None where a run failed."""
    chosen = choose(known, mode)
    samples = {name: [] for name in chosen}
    for number in range(1, rounds + 1):
        programs.note(f"{mode}, round {number} of {rounds}")
        for name, server in chosen.items():
            try:
                sample = measure(server, MODES[mode], seconds, certificate if mode in TLS_MODES else None)
                if sample.foreign > QUIET:
                    programs.note(f"{mode}, {name}: others took {sample.foreign:.0%} of a core")
            except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
                programs.note(f"{mode}, {name}: {error!r}")
                sample = None
            samples[name].append(sample)
    return samples


def median(samples, field):
    values = [value for sample in samples if (value := getattr(sample, field)) is not None]
    return statistics.median(values) if values else None


def ratios(samples, reference):
    """Of processor time, each to that of the reference in the same round."""
    return [ours.processor_us / its.processor_us for ours, its in zip(samples, reference) if ours and its]


def row_of(name, mode, samples, reference):
    done = [sample for sample in samples if sample]
    row = {"server": name, "mode": mode, "rounds": len(done)}
    row |= {field.name: median(done, field.name) for field in dataclasses.fields(Sample)}
    row["rate_range"] = [min(sample.rate for sample in done), max(sample.rate for sample in done)]
    row["failed"] = sum(sample.failed for sample in done)
    if compared := ratios(samples, reference):
        row["ratio"] = statistics.median(compared)
        row["ratio_range"] = [min(compared), max(compared)]
    return row


def rows_of(samples, mode):
    """The first server in a mode is its reference."""
    reference = next(iter(samples.values()), [])
    return [row_of(name, mode, runs, reference) for name, runs in samples.items() if any(runs)]


def print_mode(mode, rows):
    if not rows:
        return
    reference = rows[0]["server"]
    print(f"{mode}: {ABOUT[mode]}")
    print(
        f"  {'server':9} {'n':>2} {'requests/s':>11} {'[min-max, k]':>15} {'CPU us':>8} {'user us':>8}"
        f" {'x ' + reference:>8} {'[min-max]':>12} {'p50 us':>8} {'p99 us':>8} {'RSS MiB':>8} {'busy srv/gen':>13} failed"
    )
    for row in rows:
        span = "[{:.1f}-{:.1f}]".format(*(rate / 1e3 for rate in row["rate_range"]))
        ratio, ratio_span = "", ""
        if "ratio" in row:
            ratio, ratio_span = f"{row['ratio']:.2f}", "[{:.2f}-{:.2f}]".format(*row["ratio_range"])
        p50, p99 = ("-" if row[name] is None else f"{row[name]:.0f}" for name in ("p50", "p99"))
        busy = f"{row['server_busy']:.2f}/{row['generator_busy']:.2f}"
        print(
            f"  {row['server']:9} {row['rounds']:2} {row['rate']:11,.0f} {span:>15} {row['processor_us']:8.2f}"
            f" {row['user_us']:8.2f} {ratio:>8} {ratio_span:>12} {p50:>8} {p99:>8}"
            f" {row['resident_bytes'] / 2**20:8.1f} {busy:>13} {row['failed']}"
        )
    print(flush=True)


def measure_all(modes, names, rounds, seconds, ours_path=None):
    """Prints a table for each mode, and returns all rows."""
    known = servers.known(ours_path)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no such server: {', '.join(unknown)} (there are {', '.join(known)})")
    if names:
        # What the others are compared with is measured in any case.
        kept = {"raw", "nginx", "pipette", *names} if set(modes) & set(TLS_MODES) else {"raw", "pipette", *names}
        known = {name: server for name, server in known.items() if name in kept}
    if not {0, 1} <= os.sched_getaffinity(0):
        programs.note("server and generator cannot have a core each: they share what there is")
    table = []
    with tempfile.TemporaryDirectory(prefix="pipette_tls_") as folder:
        certificate = programs.make_certificate(Path(folder)) if set(modes) & set(TLS_MODES) else None
        for mode in modes:
            rows = rows_of(measure_mode(known, mode, rounds, seconds, certificate), mode)
            print_mode(mode, rows)
            table += rows
    return table


def compare_generators(rounds, seconds):
    """wrk and ours at the same work in turn, on the raw loop: what each reaches, and what a request costs itself."""
    known = servers.known()
    rows = []
    for pipelined in (False, True):
        both = {"wrk": generators.wrk, "ours": generators.load}
        samples = {name: [] for name in both}
        for number in range(1, rounds + 1):
            programs.note(f"generators, round {number} of {rounds}")
            for name, generate in both.items():
                def ask(port, time, generate=generate):
                    return generate(port, time, pipelined=pipelined)

                samples[name].append(measure(known["raw"], ask, seconds, None))
        for name, runs in samples.items():
            row = {
                "generator": name,
                "depth": generators.DEPTH if pipelined else 1,
                **{field: median(runs, field) for field in ("rate", "generator_us", "generator_busy", "p50", "p99")},
                "failed": sum(run.failed for run in runs),
            }
            rows.append(row)
    print("generators: wrk and bench/load on the raw loop, 64 connections")
    print(f"  {'generator':9} {'depth':>5} {'requests/s':>11} {'its CPU us':>11} {'its busy':>9} {'p50 us':>8} {'p99 us':>8} failed")
    for row in rows:
        print(
            f"  {row['generator']:9} {row['depth']:5} {row['rate']:11,.0f} {row['generator_us']:11.2f}"
            f" {row['generator_busy']:9.2f} {row['p50']:8.0f} {row['p99']:8.0f} {row['failed']}"
        )
    return rows
