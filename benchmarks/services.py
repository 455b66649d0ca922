"""Both services as processes on one database: ours as in production, and its rival."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from benchmarks import rival
from benchmarks.command import PROJECT
from benchmarks.processes import look, memory, tree
from benchmarks.workplace import Workplace

HOST = "127.0.0.1"
WORKERS = 2
START_SECONDS = 30
STOP_SECONDS = 30


@dataclass(frozen=True)
class Service:
    """A running server: where it listens, and what a request to it has to carry."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self, path: str, **headers: str) -> bytes:
        """A GET as bytes, for a connection that is kept."""
        lines = {"Host": "localhost", "Accept": "application/json", **self.headers, **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()

    @property
    def memory(self) -> int:
        """Proportional set size of its processes in bytes."""
        return memory(tree(self.process.pid, look()))


@contextmanager
def ours(place: Workplace) -> Iterator[Service]:
    """The site under gunicorn as it is deployed: behind a proxy that speaks TLS for it."""
    username, password, port = "benchmark", secrets.token_urlsafe(), free_port()
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    # The proxy's headers; gunicorn itself speaks plain HTTP.
    headers = {"Authorization": f"Basic {credentials}", "X-Forwarded-Proto": "https"}
    variables = {
        "DATABASE_URL": place.database_url,
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "localhost",
        "BASIC_AUTH_USERNAME": username,
        "BASIC_AUTH_PASSWORD": password,
        "NUM_PROXIES": "1",
        "WEB_CONCURRENCY": str(WORKERS),
        "PYTHONWARNINGS": "ignore",  # that nobody has collected static files, which nobody asks for
    }
    command = [sys.executable, "-m", "gunicorn", "elt_site.wsgi", "--bind", f"{HOST}:{port}"]
    command += ["--log-level", "warning"]  # not of requests, which are logged as always
    with _running(command, variables, port) as process:
        yield Service("ours", port, process, headers)


@contextmanager
def fastapi(place: Workplace) -> Iterator[Service]:
    """The rival under uvicorn, with as many processes."""
    port = free_port()
    where = conninfo_to_dict(place.database_url)
    # SQLAlchemy takes a socket's folder in the query only.
    socket_folder = quote(str(where["host"]), safe="")
    url = "postgresql+psycopg://{user}@/{dbname}?port={port}".format(**where)
    variables = {"RIVAL_DATABASE_URL": f"{url}&host={socket_folder}"}
    with _running(rival.command(port, WORKERS), variables, port) as process:
        yield Service("FastAPI", port, process)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(
    command: list[str], variables: Mapping[str, str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it listens, and stop it in the end."""
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=os.environ | dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # gunicorn's log of requests; of trouble all tell on stderr
        start_new_session=True,
    )
    try:
        _wait_for(process, port)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"A server did not start within {START_SECONDS} s: see above what it says.")
