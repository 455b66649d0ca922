"""LOAD: its progress on a terminal: a line for each phase, which lives while the phase lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import ProgressColumn, Task, TaskID
from rich.text import Text

from subscriptions.load.progress import Phase, Progress

BAR_WIDTH = 24
SPEED_PERIOD_S = 10


class LiveProgress(Progress, AbstractContextManager["LiveProgress"]):
    """Shows it while the block lasts; a line that is longer than the terminal is wide says less."""

    def __init__(self, console: Console) -> None:
        self._rich = RichProgress(
            _Line(console), console=console, speed_estimate_period=SPEED_PERIOD_S
        )
        self._console = console
        self._done = dict.fromkeys(Phase, 0)
        self._changing = threading.Lock()
        self._task: TaskID | None = None
        self._phase: Phase | None = None

    def __enter__(self) -> LiveProgress:
        self._rich.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._rich.stop()

    def say(self, line: str) -> None:
        """Print a line above those of the phases."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, phase: Phase, total: int | None = None) -> None:
        """Begin the phase's line."""
        self._conclude()
        with self._changing:
            done = self._done[phase]
            self._phase = phase
            self._task = self._rich.add_task(
                phase.title, total=total, completed=done, unit=phase.unit
            )

    def advance(self, phase: Phase, count: int) -> None:
        """Count, and show it if the phase is the current one."""
        with self._changing:
            self._done[phase] += count
            if phase is self._phase and self._task is not None:
                self._rich.advance(self._task, count)

    def end(self) -> None:
        """Leave the lines as they are."""
        self._conclude()
        self._done = dict.fromkeys(Phase, 0)

    def _conclude(self) -> None:
        with self._changing:
            if self._task is not None and self._phase is not None:
                # An estimate has become a fact.
                done = self._done[self._phase]
                self._rich.update(self._task, total=done, completed=done)
            self._task = self._phase = None


class _Line(ProgressColumn):
    """All that is shown of a phase, in one column, so that it can be fitted to the terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Text:
        """The longest of the versions that fits."""
        width = self._console.width - 1
        versions = list(_versions(task, ascii_only=self._console.options.ascii_only))
        fitting = next((line for line in versions if len(line) <= width), versions[-1][:width])
        return Text(fitting, no_wrap=True)


def _versions(task: Task, *, ascii_only: bool) -> Iterator[str]:
    """The line with all its parts, and with ever fewer of them."""
    title = f"{task.description:<11}"
    unit, done, total = task.fields["unit"], int(task.completed), task.total
    seconds = task.finished_time if task.finished else task.elapsed
    clock = f"{int(seconds or 0) // 60}:{int(seconds or 0) % 60:02}"
    of = f" of {int(total):,}" if total and not task.finished else ""
    count = f"{done:,}{of} {unit}"
    speed = done / seconds if task.finished and seconds else task.speed
    rate = f"{speed:,.0f} {unit}/s" if speed and unit == "rows" else ""
    left = task.time_remaining
    if left is not None and not task.finished:
        clock = f"{int(left) // 60}:{int(left) % 60:02} left"
    bar = _bar(task, ascii_only=ascii_only)
    for parts in (
        (title, bar, count, rate, clock),
        (title, count, rate, clock),
        (title, count, clock),
        (title.strip(), f"{done:,}{of}", clock),
        (title.strip(), f"{done:,}"),
    ):
        yield _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    return "  ".join(part for part in parts if part)


def _bar(task: Task, *, ascii_only: bool) -> str:
    """A bar as full as the phase is done; none where nobody knows."""
    if not task.total:
        return ""
    full = min(BAR_WIDTH, int(BAR_WIDTH * task.completed / task.total))
    done, open_ = ("#", "-") if ascii_only else ("█", "░")
    return done * full + open_ * (BAR_WIDTH - full)
