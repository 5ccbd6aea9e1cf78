"""The servers that ci/bench --tcp and bench/idle compare.

Each answers "Hello, World!" to everything, on one thread where it can. A server that a machine lacks is left out with a
note.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from . import programs

TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_START = 10  # seconds

NGINX = """
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 32768; }}
http {{
  access_log off;
  default_type text/plain;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port}{tls} backlog=4096;
    {certificate}
    location / {{ return 200 "Hello, World!"; }}
  }}
}}
"""


class Running:
    """A server that is running: its port, and what /proc tells about it. For a with statement."""

    def __init__(self, process, port, folder=None):
        self.process = process
        self.port = port
        self.folder = folder  # of its own, which goes when it does

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def processor_ns(self):
        """Of all its threads; to a tick of the scheduler."""
        threads = Path(f"/proc/{self.process.pid}/task")
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads.iterdir())

    def user_ns(self):
        """Outside the kernel, as sampled by the clock's ticks: only good over seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) * 1_000_000_000 // TICKS

    def resident_bytes(self):
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
        raise LookupError("smaps_rollup has no Rss")


class Program:
    """A server that chooses its port and prints "listening on ADDRESS"."""

    def __init__(self, path, tls_options=None, pipelines=True):
        self.path = path
        self.tls_options = tls_options  # makes the options of a certificate and a key; None: serves no TLS
        self.pipelines = pipelines

    def lacks(self, tls=False, pipelines=False):
        """Why it cannot take part, or None."""
        if not self.path.exists():
            return "is not built"
        if tls and self.tls_options is None:
            return "serves no TLS"
        return "loses requests that are pipelined" if pipelines and not self.pipelines else None

    def start(self, certificate=None):
        options = [str(option) for option in self.tls_options(*certificate)] if certificate else []
        process = subprocess.Popen(
            [*programs.on_core(0), self.path, *options],
            env={**os.environ, "GOMAXPROCS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            process.kill()
            process.wait()
            raise OSError(f"{self.path.name} does not listen")
        return Running(process, int(line.rpartition(":")[2]))


class Nginx:
    """Has to be told its port: one that was free a moment ago."""

    def lacks(self, **_):
        return None if shutil.which("nginx") or Path("/usr/sbin/nginx").exists() else "is not installed"

    def start(self, certificate=None):
        folder = tempfile.mkdtemp(prefix="pipette_nginx_")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        told = "ssl_protocols TLSv1.3; ssl_certificate {}; ssl_certificate_key {};".format(*certificate) if certificate else ""
        tls = " ssl" if certificate else ""
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(NGINX.format(folder=folder, port=port, tls=tls, certificate=told))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        process = subprocess.Popen(
            [*programs.on_core(0), nginx, "-p", folder, "-c", configuration], stderr=subprocess.DEVNULL
        )
        running = Running(process, port, folder)
        if not wait_for(process, port):
            running.__exit__()
            raise OSError("nginx does not listen")
        return running


def wait_for(process, port):
    """Until somebody accepts there; says whether, before the process ends."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), LONGEST_START).close()
            return True
        except ConnectionRefusedError:
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                pass
    return False


def go(name):
    path = programs.BUILD / "servers" / f"{name}_hello"
    return Program(path, lambda certificate, key: ["-cert", certificate, "-key", key])


def ours(path):
    return Program(path, lambda certificate, key: ["--tls", certificate, key])


def known(ours_path=None):
    """All of them by name; the first that takes part in a mode is the one that the others are compared with."""
    built = programs.BUILD / "bench"
    return {
        "raw": Program(built / "raw_hello"),
        "nginx": Nginx(),
        "pipette": ours(ours_path or built / "pipette_hello"),
        "fasthttp": go("fasthttp"),
        "nethttp": go("nethttp"),
        "beast": Program(built / "beast_hello"),
        "httplib": Program(built / "httplib_hello", pipelines=False),
    }
