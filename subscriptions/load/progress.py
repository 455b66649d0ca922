"""LOAD: what dlt is doing, as one live line for each of its steps."""

from __future__ import annotations

from dlt.common.runtime.collector_base import Collector
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# dlt's steps, by the first word that it announces them with, and what counts as their progress.
TITLES = {"Extract": "Preparing", "Normalize": "Preparing", "Load": "Copying"}
COUNTED = {"Extract": "Resources", "Normalize": "Files", "Load": "Jobs"}


class LiveProgress(Collector):
    """A dlt collector for terminals: files and rows done, the time spent and the time left.

    Rows are counted while dlt's jobs copy them; dlt itself counts jobs.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows = 0
        self._counted: str | None = None
        self._live: Progress | None = None
        self._task: TaskID | None = None

    def rows(self, rows: int) -> None:
        """Take a number of rows that have been copied; called from the jobs' threads."""
        self._rows += rows
        if self._live is not None and self._task is not None:
            self._live.update(self._task, rows=f"{self._rows:,} rows")

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str | None = None,
    ) -> None:
        """Take a count from dlt: rows of a table, or what its step counts."""
        if self._live is None or self._task is None or label:
            return
        if name == self._counted:
            if total is not None:
                self._live.update(self._task, total=total)
            self._live.advance(self._task, inc)
            if self._live.tasks[0].finished and self._counted == COUNTED["Load"]:
                # What is left of dlt's last step is one transaction, which counts nothing.
                self._live.remove_task(self._task)
                self._task = self._live.add_task("Publishing", total=None, rows="")

    def _start(self, step: str) -> None:
        kind = step.split(maxsplit=1)[0]
        self._counted = COUNTED.get(kind)
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._live.start()
        self._task = self._live.add_task(TITLES.get(kind, kind), total=None, rows="")

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = self._task = None
