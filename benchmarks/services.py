"""Both services as processes on one database: ours as in production, and its rival."""

from __future__ import annotations

import base64
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
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
WARM_UP_REQUESTS = 40


@dataclass(frozen=True)
class Service:
    """A running server: where it listens, and what a request to it has to carry."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[str, str] = ("", "")

    def request(self, path: str, **headers: str) -> bytes:
        """A GET as bytes, for a connection that is kept."""
        lines = {"Host": "localhost", "Accept": "application/json", **self.headers, **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()

    @property
    def memory(self) -> int:
        """Proportional set size of its processes in bytes."""
        return memory(tree(self.process.pid, look()))

    def warm_up(self, *paths: str) -> None:
        """Ask for each so often that every process has imported and compiled what it takes."""
        for path in paths:
            for _ in range(WARM_UP_REQUESTS):
                with closing(http.client.HTTPConnection(HOST, self.port, timeout=60)) as client:
                    client.request("GET", path, headers={"Host": "localhost", **self.headers})
                    client.getresponse().read()


@contextmanager
def ours(place: Workplace) -> Iterator[Service]:
    """The site under gunicorn as it is deployed: behind a proxy that speaks TLS for it."""
    username, password, port = "benchmark", secrets.token_urlsafe(), free_port()
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    # The proxy's headers; gunicorn itself speaks plain HTTP.
    headers = {"Authorization": f"Basic {pair}", "X-Forwarded-Proto": "https"}
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
    with _running(command, variables, port, place.folder / "ours.log") as process:
        yield Service("ours", port, process, headers, (username, password))


@contextmanager
def fastapi(place: Workplace) -> Iterator[Service]:
    """The rival under uvicorn, with as many processes."""
    port = free_port()
    where = conninfo_to_dict(place.database_url)
    # SQLAlchemy takes a socket's folder in the query only.
    socket_folder = quote(str(where["host"]), safe="")
    url = "postgresql+psycopg://{user}@/{dbname}?port={port}".format(**where)
    variables = {"RIVAL_DATABASE_URL": f"{url}&host={socket_folder}"}
    log = place.folder / "fastapi.log"
    with _running(rival.command(port, WORKERS), variables, port, log) as process:
        yield Service("FastAPI", port, process)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(
    command: list[str], variables: Mapping[str, str], port: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it listens, and stop it in the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if not _listens(process, port):
            said = log.read_text(errors="replace")[-2000:]
            sys.exit(f"A server did not start within {START_SECONDS} s:\n{said}")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it does so within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.05)
    return False
