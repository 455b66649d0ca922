"""What a command writes to stdout: lines for people, or one JSON object for a script."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import OutputWrapper

from subscriptions.load.progress import SILENT, PlainProgress, Progress

TIMINGS = 2  # the --verbosity that shows them


class Output:
    """Writes what was asked for, at once, and goes on when nobody reads it any more.

    What a command does is done for the database; the pipe of `load_faker_data | head -1` is no
    reason to leave it half done.
    """

    def __init__(self, stdout: OutputWrapper, options: dict[str, object]) -> None:
        self._stdout = stdout
        self._verbosity = int(str(options["verbosity"]))
        self._as_json = bool(options["json"])
        self._no_color = bool(options["no_color"])
        self._above: Callable[[str], None] | None = None

    @property
    def for_people(self) -> bool:
        """Whether lines are wanted."""
        return self._verbosity > 0 and not self._as_json

    def say(self, line: str) -> None:
        """A line for people."""
        if self._above is not None:
            self._above(line)
        elif self.for_people:
            self._write(line)

    def answer(self, found: dict[str, object]) -> None:
        """The object for scripts."""
        if self._as_json:
            self._write(json.dumps(found, indent=2, default=str))

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show progress as fits: live on a terminal, as plain lines elsewhere, or not at all."""
        if not self.for_people:
            yield SILENT
        elif self._stdout.isatty() and os.environ.get("TERM") != "dumb":
            from rich.console import Console  # not where nobody would see it

            from subscriptions.load.live_progress import LiveProgress

            with LiveProgress(Console(no_color=self._no_color or None)) as live:
                self._above = live.say
                try:
                    yield live
                finally:
                    self._above = None
        else:
            yield PlainProgress(self.say, timings=self._verbosity >= TIMINGS)

    def _write(self, text: str) -> None:
        try:
            self._stdout.write(text)
            self._stdout.flush()
        except BrokenPipeError:
            # What is written from here on, by Python at its end as well, goes nowhere.
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
