"""A crowd of clients of all manners at one server, for a test and for `benchmarks.load_test`.

Some read as fast as they can; others read slowly or not at all, hang up in the middle, send slowly,
or do not know the password. Whatever they do, each may only get a whole answer, or be told when to
come back; and the platform's health check is answered throughout.
"""

from __future__ import annotations

import base64
import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

HOST: Final = "127.0.0.1"
PATHS: Final = ("/users", "/users?page=2", "/usages?page=3", "/plans", "/subscriptions?page=1", "/")
LONG: Final = "/usages"  # more than the system buffers, so that its reader's speed matters
REFUSALS: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
PATIENCE: Final = 1.0  # seconds that a client who is told to come back waits at most
ANSWER_SECONDS: Final = 60
HEALTH_SECONDS: Final = 5  # a platform gives up about then
HEALTH_INTERVAL: Final = 0.25


@dataclass(frozen=True)
class Site:
    """A server behind a proxy, and what it takes to be let in."""

    port: int
    username: str
    password: str

    def headers(self, address: str, password: str | None = None) -> Mapping[str, str]:
        """Of a client at an address; whoever names a password is nobody known."""
        name = self.username if password is None else address
        pair = f"{name}:{self.password if password is None else password}".encode()
        return {
            "Host": "localhost",
            "Accept": "application/json",
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "X-Forwarded-For": address,
            "X-Forwarded-Proto": "https",
        }


@dataclass
class Findings:
    """What a crowd met; all times are on the clock of `time.monotonic`."""

    answers: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    health: list[float] = field(default_factory=list)  # seconds that each check took
    outage: tuple[float, float] | None = None  # when the database was taken away and given back
    recovered: float | None = None  # when the first list came after that

    def within_outage(self, since: float) -> bool:
        """Whether the database was away at some time from then to now."""
        return self.outage is not None and since < self.outage[1] + HEALTH_SECONDS

    @property
    def recovery(self) -> float | None:
        """Seconds from the database's return to the first list that it filled."""
        if self.outage is None or self.recovered is None:
            return None
        return max(0.0, self.recovered - self.outage[1])


class Crowd:
    """So many clients of a site, until `over` is set."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.over = threading.Event()
        self.findings = Findings()
        self._lock = threading.Lock()

    def run(self, clients: int, seconds: float, outage: Callable[[], object] | None) -> Findings:
        """Let them go on; in the middle `outage` takes the database away and returns it."""
        threads = [threading.Thread(target=self._watch_health)]
        threads += [threading.Thread(target=self._go_on, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        try:
            self.over.wait(seconds / 2)
            if outage is not None:
                away = time.monotonic()
                self.findings.outage = away, float("inf")
                outage()
                self.findings.outage = away, time.monotonic()
            self.over.wait(seconds / 2)
        finally:
            self.over.set()
            for thread in threads:
                thread.join(2 * ANSWER_SECONDS)
        self.findings.problems += ["a client does not end" for t in threads if t.is_alive()]
        return self.findings

    def note(self, manner: str, status: int, retry: str | None, *, expected: HTTPStatus) -> bool:
        """Count an answer; whether it is the one that was asked for."""
        with self._lock:
            self.findings.answers[f"{manner}: {status}"] += 1
            if status == expected:
                return True
            if status not in REFUSALS or not (retry or "").isdecimal():
                self.findings.problems.append(f"{manner}: {status}, Retry-After {retry}")
        return False

    def complain(self, problem: str) -> None:
        """Keep what may not be."""
        with self._lock:
            self.findings.problems.append(problem)

    def recover(self, since: float) -> None:
        """Note that a list which was asked for then has come."""
        outage = self.findings.outage
        if outage is not None and self.findings.recovered is None and since > outage[1]:
            self.findings.recovered = time.monotonic()

    def _go_on(self, number: int) -> None:
        manner = MANNERS[number % len(MANNERS)]
        choice = random.Random(number)  # noqa: S311 - the same crowd each time
        self.over.wait(choice.random())
        while not self.over.is_set():
            since = time.monotonic()
            try:
                manner(self, f"198.51.100.{number}", choice)
            except (http.client.IncompleteRead, ConnectionResetError) as error:
                # Broken where everybody sees it, but only with the database's connection.
                if not self.findings.within_outage(since):
                    self.complain(f"{manner.__name__}: {error!r}")
            except (OSError, http.client.HTTPException) as error:
                self.complain(f"{manner.__name__}: {error!r}")

    def _watch_health(self) -> None:
        while not self.over.wait(HEALTH_INTERVAL):
            since = time.monotonic()
            try:
                with self.connected(small=False) as client:
                    client.request("GET", "/healthz", headers={"Host": "localhost"})
                    status = client.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                self.complain(f"health check: {error!r}")
                continue
            self.findings.health.append(took := time.monotonic() - since)
            if status != HTTPStatus.OK and not self.findings.within_outage(since):
                self.complain(f"health check: {status}")
            if took > HEALTH_SECONDS:
                self.complain(f"health check: answered after {took:.1f} s")

    @contextmanager
    def connected(self, *, small: bool) -> Iterator[http.client.HTTPConnection]:
        """A connection; one with a small buffer feels what its reader leaves."""
        with closing(http.client.HTTPConnection(HOST, self.site.port, ANSWER_SECONDS)) as client:
            client.sock = socket.socket()
            if small:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sock.settimeout(ANSWER_SECONDS)
            client.sock.connect((HOST, self.site.port))
            yield client


def reader(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Asks for one thing after another on one connection."""
    headers = crowd.site.headers(address)
    with crowd.connected(small=False) as client:
        for _ in range(20):
            path = choice.choice((*PATHS, LONG))
            since = time.monotonic()
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            answer.read()
            retry = answer.headers["Retry-After"]
            if crowd.note("reader", answer.status, retry, expected=HTTPStatus.OK):
                crowd.recover(since)
            elif crowd.over.wait(min(PATIENCE, float(retry or 0))):
                return
            if crowd.over.is_set():
                return


def slow_reader(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Reads a long answer slowly, and hangs up only when everything is over."""
    with crowd.connected(small=True) as client:
        client.request("GET", LONG, headers=crowd.site.headers(address))
        answer = client.getresponse()
        retry = answer.headers["Retry-After"]
        if not crowd.note("slow reader", answer.status, retry, expected=HTTPStatus.OK):
            crowd.over.wait(PATIENCE)
            return
        while not crowd.over.wait(0.05) and answer.read(20_000):
            pass


def stalled_reader(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Asks for a long answer and takes nothing of it."""
    with crowd.connected(small=True) as client:
        client.request("GET", LONG, headers=crowd.site.headers(address))
        crowd.over.wait(ANSWER_SECONDS)


def deserter(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Hangs up in the middle of a long answer."""
    with crowd.connected(small=True) as client:
        client.request("GET", LONG, headers=crowd.site.headers(address))
        answer = client.getresponse()
        retry = answer.headers["Retry-After"]
        if crowd.note("deserter", answer.status, retry, expected=HTTPStatus.OK):
            answer.read(choice.randrange(1, 50_000))
    crowd.over.wait(choice.random())


def stranger(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Does not know the password, and tries again and again."""
    with crowd.connected(small=False) as client:
        client.request("GET", "/users", headers=crowd.site.headers(address, "a guess"))
        answer = client.getresponse()
        answer.read()
        retry = answer.headers["Retry-After"]
        crowd.note("stranger", answer.status, retry, expected=HTTPStatus.UNAUTHORIZED)
    crowd.over.wait(choice.random() / 2)


def slow_sender(crowd: Crowd, address: str, choice: random.Random) -> None:
    """Sends a request byte by byte, until it is hung up on."""
    with crowd.connected(small=False) as client, suppress(ConnectionError):
        client.sock.sendall(b"GET /users HTTP/1.1\r\nX: ")
        while not crowd.over.wait(0.5):
            client.sock.sendall(b"x")


Manner = Callable[[Crowd, str, random.Random], None]
# Clients take these in turn.
MANNERS: Final[tuple[Manner, ...]] = (
    *(reader, slow_reader, reader, deserter, reader, stranger, reader, slow_sender),
    *(reader, slow_reader, reader, stalled_reader, reader, deserter, reader, stranger),
)
