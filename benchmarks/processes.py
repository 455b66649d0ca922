"""Memory and CPU time of a process and all its children together, from /proc.

One pass over /proc per look: a library that starts from each process costs ten times that, which
a measurement every 50 ms would feel.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Fields of /proc/<pid>/stat, counted from the state that follows the name; see proc(5).
_PARENT, _CPU_TIMES, _LAST = 1, slice(11, 15), 15


@dataclass(frozen=True)
class Process:
    """One process at one moment."""

    parent: int
    cpu_seconds: float  # with that of children that it has outlived


def look() -> Mapping[int, Process]:
    """Every process that lives now, by its id."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended
                # The name, in brackets, may hold anything.
                fields = _read(f"{entry.path}/stat").rpartition(b")")[2].split(maxsplit=_LAST)
                ticks = sum(map(int, fields[_CPU_TIMES]))
                found[int(entry.name)] = Process(int(fields[_PARENT]), ticks / _TICKS_PER_SECOND)
    return found


def tree(root: int, processes: Mapping[int, Process]) -> set[int]:
    """The ids of a process and all its children; none once it has ended."""
    members = {root} & processes.keys()
    size = 0
    while len(members) > size:
        size = len(members)
        members |= {pid for pid, process in processes.items() if process.parent in members}
    return members


def cpu_seconds(members: Iterable[int], processes: Mapping[int, Process]) -> float:
    """CPU time of the members together."""
    return sum(processes[pid].cpu_seconds for pid in members)


def memory(members: Iterable[int], kind: bytes = b"Pss:") -> int:
    """Proportional set size in bytes: a page that several members share counts once.

    Or another kind, such as `Rss:`, where it counts for each of them.
    """
    total = 0
    for pid in members:
        with suppress(OSError):  # it has ended, or is dead and not yet reaped
            for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
                if line.startswith(kind):
                    total += int(line.split()[1]) * 1024
    return total


def _read(path: str) -> bytes:
    """A small file's content by system calls alone: this runs thousands of times a second."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
