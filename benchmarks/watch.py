"""Watch a running command: its memory, its temporary files, and what the server does for it.

Watching takes a few percent of a core, so watched runs are not among the timed ones.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.processes import cpu_seconds, look, memory, tree
from benchmarks.workplace import Workplace

INTERVAL_S = 0.05

_ACTIVE = """
    SELECT query, wait_event_type FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Activity:
    """A statement that a session was in, and what kind of event it waited for, if any."""

    query: str
    waits_for: str | None


@dataclass(frozen=True)
class Sample:
    """One moment."""

    at: float  # on the clock of time.perf_counter
    memory: int  # proportional set size of the command and all its children, bytes
    files: int  # bytes under TMPDIR and in dlt's working folder
    command_cpu: float  # seconds since the command's start
    server_cpu: float  # seconds since the server's start
    activities: tuple[Activity, ...]


class Watch:
    """Samples from `follow` until the block ends; PostgreSQL's processes are not the command's."""

    def __init__(self, place: Workplace) -> None:
        self.samples: list[Sample] = []
        self._place = place
        self._server = place.postmaster
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def follow(self, pid: int) -> None:
        """Start to watch this process."""
        self._thread = threading.Thread(target=self._sample, args=(pid,))
        self._thread.start()

    @property
    def peak_memory(self) -> int:
        """The most memory at one moment, in bytes."""
        return max(sample.memory for sample in self.samples)

    @property
    def peak_files(self) -> int:
        """The most that files took at one moment, in bytes."""
        return max(sample.files for sample in self.samples)

    def _sample(self, command: int) -> None:
        with self._place.connect() as session:
            due = time.perf_counter()
            while not self._over.is_set():
                processes = look()
                members, server = tree(command, processes), tree(self._server, processes)
                if not members:
                    return
                active = session.execute(_ACTIVE).fetchall()
                self.samples.append(
                    Sample(
                        at=time.perf_counter(),
                        memory=memory(members),
                        files=folder_bytes(self._place.scratch),
                        command_cpu=cpu_seconds(members, processes),
                        server_cpu=cpu_seconds(server, processes),
                        activities=tuple(Activity(*row) for row in active),
                    )
                )
                due = max(due + INTERVAL_S, time.perf_counter())
                self._over.wait(due - time.perf_counter())


def folder_bytes(folders: Iterable[Path]) -> int:
    """Bytes of the files in folders; a file with two names counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                with suppress(FileNotFoundError):
                    status = Path(parent, name).stat()
                    sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())
