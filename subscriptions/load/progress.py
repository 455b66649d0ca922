"""LOAD: what a load tells of its progress: which phase it is in, and how far it got there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum


class Phase(Enum):
    """What a load is at, in this order, and what is counted meanwhile.

    The first stands for all of each load, where there are many.
    """

    BACKFILLING = ("Backfilling", "loads")
    COMPARING = ("Comparing", "rows")
    COPYING = ("Copying", "rows")
    INDEXING = ("Indexing", "statements")
    PUBLISHING = ("Publishing", "tables")

    def __init__(self, title: str, unit: str) -> None:
        self.title = title
        self.unit = unit


class Progress:
    """The interface of it, which shows nothing.

    One phase begins after the other, but work of the next is counted before that has begun. The
    methods may be called from any thread, once for each of many rows, never for each row.
    """

    def begin(self, phase: Phase, total: int | None = None) -> None:
        """A phase begins, with about so much to do, and the one before it is over."""

    def advance(self, phase: Phase, count: int) -> None:
        """So much more of it is done."""

    def end(self) -> None:
        """The last phase is over; another load may begin."""


SILENT = Progress()


class PlainProgress(Progress):
    """A line as each phase begins, and on request another as it ends, for files and pipes."""

    def __init__(self, say: Callable[[str], None], *, timings: bool = False) -> None:
        self._say = say
        self._timings = timings
        self._done = dict.fromkeys(Phase, 0)
        self._counting = threading.Lock()
        self._current: tuple[Phase, float] | None = None

    def begin(self, phase: Phase, total: int | None = None) -> None:
        """Say what begins."""
        self._conclude()
        self._current = phase, time.monotonic()
        self._say(" ".join((phase.title, *_much(phase, total), "...")))

    def advance(self, phase: Phase, count: int) -> None:
        """Count."""
        with self._counting:
            self._done[phase] += count

    def end(self) -> None:
        """Say how it went, where that is asked for."""
        self._conclude()
        self._done = dict.fromkeys(Phase, 0)

    def _conclude(self) -> None:
        if self._current and self._timings:
            phase, began = self._current
            seconds = time.monotonic() - began
            done = self._done[phase]
            speed = f", {done / seconds:,.0f} rows/s" if phase.unit == "rows" else ""
            self._say(f"  {done:,} {phase.unit} in {seconds:.2f} s{speed}")
        self._current = None


def _much(phase: Phase, total: int | None) -> Iterator[str]:
    if total == 0:
        yield f"no {phase.unit}"
    elif total is not None:
        about = "about " if phase.unit == "rows" else ""
        yield f"{about}{total:,} {phase.unit}"
