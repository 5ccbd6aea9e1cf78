"""Where the programs are, and how they are built."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "bench"
LOAD = BUILD / "bench" / "load" / "pipette_load"
HANDSHAKES = BUILD / "bench" / "handshakes"
GO_SERVERS = ("fasthttp", "nethttp")


def note(message):
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr, flush=True)


def run(*command, env=None):
    # Standard output is for the table.
    subprocess.run(command, cwd=ROOT, env=env, stdout=sys.stderr, check=True)


def go_environment():
    """Debian's Go packages, without modules."""
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    environment.setdefault("GOCACHE", str(BUILD / "go-cache"))
    return environment


def build():
    """Builds the servers and the generators."""
    run(ROOT / "ci" / "setup", "--bench")
    run("cmake", "--preset", "bench")
    run("cmake", "--build", "--preset", "bench", "--target", "pipette_bench_servers", "pipette_load")
    for server in GO_SERVERS:
        target = BUILD / "servers" / f"{server}_hello"
        run("go", "build", "-buildvcs=false", "-o", target, f"./bench/servers/{server}", env=go_environment())


def make_certificate(folder):
    """Returns the paths of a self-signed certificate for localhost, ECDSA P-256, and of its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return certificate, key


def on_core(core):
    """What to put before a command so that it stays on one core, where there are two."""
    return ["taskset", "-c", str(core)] if {0, 1} <= os.sched_getaffinity(0) else []
