"""One whole list of many rows: `python -m benchmarks.streams`.

How soon `/usages` of a million users (five million rows) begins, how fast it comes, and what it
costs the server's processes in memory with a fast client and with a slow one; and how soon its
session in the database ends when the client hangs up, or stays and takes nothing more.
"""

from __future__ import annotations

import argparse
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from benchmarks import command, report, services
from benchmarks.processes import look, memory, tree
from benchmarks.report import Figure
from benchmarks.services import HOST, Service
from benchmarks.workplace import Workplace, workplace

PATH = "/usages"
READ = 1 << 16
LAST_CHUNK = b"\r\n0\r\n\r\n"
SAMPLE_SECONDS = 0.1
SLOW_BYTES_PER_SECOND = 1_000_000
SLOW_SECONDS = 30
FIRST_BYTE_GOAL, MEMORY_GOAL_MB = 0.2, 64
GONE_GOAL, STALLED_GOAL = 1.0, 31.0  # 30 s from the moment when its buffers are full
PATIENCE_SECONDS = 120

BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@dataclass
class Growth:
    """The most memory that a server's processes had at one moment, above what they had before."""

    service: Service
    before: tuple[float, float] = (0, 0)
    most: tuple[float, float] = (0, 0)  # proportional and resident set sizes in MB
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at it every now and then until the block ends."""
        self.before = self.most = self._look()
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    @property
    def figures(self) -> tuple[float, float]:
        """Growth of both kinds in MB."""
        return self.most[0] - self.before[0], self.most[1] - self.before[1]

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            now = self._look()
            self.most = max(self.most[0], now[0]), max(self.most[1], now[1])

    def _look(self) -> tuple[float, float]:
        members = tree(self.service.process.pid, look())
        return memory(members) / 1e6, memory(members, b"Rss:") / 1e6


def main() -> None:
    """Measure and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with workplace(arguments.users) as place:
        command.python(*command.LOAD, "--users", str(arguments.users))
        place.settle()
        bystanders = report.Bystanders(place.postmaster)
        with services.ours(place) as ours:
            ours.warm_up("/users?page=2")
            found = [*_fast(ours), *_slow(place, ours), *_stalled(place, ours)]
        noise = bystanders.sentence()
    print(f"\n{PATH} of {arguments.users:,} users. {report.machine()}. {noise}\n")
    print(report.figures(found))


def _fast(ours: Service) -> list[Figure]:
    """A client that takes all as fast as it comes."""
    growth = Growth(ours)
    with growth.watched(), _asked(ours, READ * 16) as client:
        started, size, end = time.perf_counter(), 0, b""
        first = None
        while block := client.recv(READ * 16):
            first = first or time.perf_counter() - started
            size, end = size + len(block), (end + block)[-len(LAST_CHUNK) :]
            if end == LAST_CHUNK:
                break
        taken = time.perf_counter() - started
    if end != LAST_CHUNK or first is None:
        raise SystemExit(f"{PATH} broke off after {size:,} bytes.")
    print(f"{size / 1e6:,.0f} MB in {taken:.1f} s: {size / taken / 1e6:,.1f} MB/s", flush=True)
    return [
        Figure("seconds to the first byte", FIRST_BYTE_GOAL, first),
        *_memory("fast", growth),
    ]


def _slow(place: Workplace, ours: Service) -> list[Figure]:
    """One that takes a megabyte a second for a while, and hangs up."""
    growth = Growth(ours)
    with growth.watched(), _asked(ours, READ) as client:
        started, size = time.perf_counter(), 0
        while (passed := time.perf_counter() - started) < SLOW_SECONDS:
            size += len(client.recv(READ))
            time.sleep(max(0.0, size / SLOW_BYTES_PER_SECOND - passed))
    gone = Figure("client gone: seconds until its session ends", GONE_GOAL, _until_idle(place))
    return [*_memory("slow", growth), gone]


def _stalled(place: Workplace, ours: Service) -> list[Figure]:
    """One that asks and takes nothing."""
    with _asked(ours, READ) as client:
        client.recv(1)
        seconds = _until_idle(place)
    return [Figure("client stalled: seconds until its session ends", STALLED_GOAL, seconds)]


def _memory(which: str, growth: Growth) -> list[Figure]:
    kinds = zip(("proportional", "resident"), growth.figures, strict=True)
    what = f"{which} client: server's memory grew by"
    return [Figure(f"{what} ({kind})", MEMORY_GOAL_MB, grown, "MB") for kind, grown in kinds]


@contextmanager
def _asked(ours: Service, buffer: int) -> Iterator[socket.socket]:
    """A connection on which the list has been asked for."""
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(PATIENCE_SECONDS)
        client.connect((HOST, ours.port))
        client.sendall(ours.request(PATH))
        yield client


def _until_idle(place: Workplace) -> float:
    """Seconds until no session does anything for a client."""
    started = time.perf_counter()
    with place.connect() as session:
        while time.perf_counter() - started < PATIENCE_SECONDS:
            row = session.execute(BUSY).fetchone()
            if row and not row[0]:
                break
            time.sleep(0.02)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
