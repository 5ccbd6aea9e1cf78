"""Who asks the servers: wrk, our own load generator, and one that makes TLS handshakes. Each stays on core 1."""

import json
import os
import re
import subprocess
from pathlib import Path

from . import programs

CONNECTIONS = 64
DEPTH = 16
HANDSHAKERS = 4
GRACE = 30  # seconds beyond its time, after which a generator hangs
MICROSECONDS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}


class Outcome:
    """What a generator saw: requests (or handshakes), seconds, latencies in µs where it tells any, and failures."""

    def __init__(self, requests, seconds, p50=None, p99=None, failed=0):
        self.requests = requests
        self.seconds = seconds
        self.p50 = p50
        self.p99 = p99
        self.failed = failed
        self.processor_us = 0  # of the generator itself


def run(command, seconds):
    """Returns the outcome's text, and the processor time that it took, in µs."""
    before = os.times()
    done = subprocess.run(
        [*programs.on_core(1), *map(str, command)], stdout=subprocess.PIPE, timeout=seconds + GRACE, check=True, text=True
    )
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, spent * 1e6


def wrk(port, seconds, pipelined=False, tls=False):
    script = ["-s", Path(__file__).with_name("pipelined.lua")] if pipelined else []
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
    text, spent = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *script, url], seconds)
    outcome = read_wrk(text)
    outcome.processor_us = spent
    return outcome


def read_wrk(text):
    def latency(percent):
        found = re.search(rf"^\s+{percent}%\s+([0-9.]+)(us|ms|s|m)$", text, re.MULTILINE)
        return float(found[1]) * MICROSECONDS[found[2]] if found else None

    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])
    if requests == 0:
        raise ValueError("wrk got no response")
    failures = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = sum(map(int, failures.groups())) if failures else 0
    failed += int(others[1]) if others else 0
    return Outcome(requests, requests / rate, latency(50), latency(99), failed)


def load(port, seconds, pipelined=False):
    """Ours (bench/load), at the same work."""
    depth = DEPTH if pipelined else 1
    url = f"http://127.0.0.1:{port}/"
    command = [programs.LOAD, url, "--connections", CONNECTIONS, "--pipeline", depth, "--duration", f"{seconds}s", "--json"]
    text, spent = run(command, seconds)
    told = json.loads(text)
    latency = told["latency_us"]
    outcome = Outcome(told["responses"], told["seconds"], latency["p50"], latency["p99"], sum(told["errors"].values()))
    outcome.processor_us = spent
    return outcome


def handshakes(port, seconds, resumes=False):
    options = ["--resume"] if resumes else []
    text, spent = run([programs.HANDSHAKES, port, seconds, "--processes", HANDSHAKERS, *options], seconds)
    told = json.loads(text)
    if resumes and told["resumed"] < 0.9 * told["handshakes"]:
        raise ValueError(f"only {told['resumed']} of {told['handshakes']} handshakes were resumed")
    outcome = Outcome(told["handshakes"], told["seconds"], failed=told["failed"])
    outcome.processor_us = spent
    return outcome
