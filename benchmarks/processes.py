"""Memory and CPU time of a process and all its children together, from /proc."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psutil


def tree(process: psutil.Process) -> Sequence[psutil.Process]:
    """The process and its children's children; empty once it has ended."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory(processes: Sequence[psutil.Process]) -> int:
    """Proportional set size in bytes: pages that several of them share count once."""
    total = 0
    for process in processes:
        # One may end meanwhile, or be dead and not yet reaped.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_full_info().pss
    return total


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """CPU time in seconds, with that of children that they have outlived."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total
