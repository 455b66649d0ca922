"""Tables for people: figures beside their goals, and runs beside each other."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.processes import cpu_seconds, look, tree


@dataclass(frozen=True)
class Figure:
    """One goal and what was measured of it; the goal is the most, or else the least."""

    what: str
    goal: float
    measured: float
    unit: str = "x"
    at_least: bool = False

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The figure as a row of the report."""
        wrong_way = (self.goal - self.measured) if self.at_least else (self.measured - self.goal)
        sign = ">= " if self.at_least else "<= "
        verdict = "met" if wrong_way <= 0 else "UNMET"
        return self.what, self._text(self.goal, sign), self._text(self.measured), verdict

    def _text(self, value: float, before: str = "") -> str:
        return f"{before}{value:,.0f} {self.unit}" if self.unit != "x" else f"{before}{value:.3g}"


def figures(found: Sequence[Figure]) -> str:
    """The table of figures."""
    return table(("figure", "goal", "measured", ""), [figure.row for figure in found])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns: the first to the left, the others to the right."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  "
        + "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def spread(seconds: Sequence[float]) -> tuple[str, str]:
    """The median, and the smallest and largest, of several times."""
    return f"{median(seconds):.2f} s", f"{min(seconds):.2f}-{max(seconds):.2f}"


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / (1 << 30)
    return (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


class Bystanders:
    """How much of the machine other programs used meanwhile: the noise in the figures."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._before = self._cpu()

    def sentence(self) -> str:
        """What they used since this object was made."""
        busy, ours, clock = (
            now - then for now, then in zip(self._cpu(), self._before, strict=True)
        )
        cores = psutil.cpu_count() or 1
        others = max(0.0, (busy - ours) / (clock / cores))
        return f"Other programs kept {others:.1f} of {cores} cores busy meanwhile."

    def _cpu(self) -> tuple[float, float, float]:
        """Seconds since the system's start: cores busy, of these ours, and in all."""
        system = psutil.cpu_times()
        processes = look()
        ours = sum(
            cpu_seconds(tree(root, processes), processes) for root in (os.getpid(), self._server)
        )
        # A guest's time is in its host's user time already.
        clock = sum(system) - system.guest - system.guest_nice
        return clock - system.idle - system.iowait, ours, clock
