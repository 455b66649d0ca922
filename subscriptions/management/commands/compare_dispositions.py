"""LOAD, side by side, from a shell: `manage.py compare_dispositions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from subscriptions.load import interruption
from subscriptions.load.clock import advance
from subscriptions.load.errors import explain
from subscriptions.load.side_by_side.run import SideBySide, compare
from subscriptions.load.target import Target
from subscriptions.management import disposition_report
from subscriptions.management.arguments import day, whole_number
from subscriptions.management.output import Output

INTERRUPTED = "Interrupted. Your dataset is as it was; the scratch one is removed."


class Command(BaseCommand):
    """Arguments in, one comparison, a report out."""

    help = (
        "Load one company twice, some days apart, with each write disposition, and show what each "
        "leaves. All of it happens in a scratch dataset, which is removed; yours is not touched."
    )

    # They look at URLs, views and the admin, which a load has nothing to do with.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; values stay text here, for a bad one gets one sentence."""
        parser.add_argument("--users", metavar="N", default="200", help="default: 200")
        parser.add_argument(
            "--advance",
            metavar="TIME",
            default="30d",
            help="from the first load to the second, in days, weeks or months: 30d, 2w, 3m "
            "(default: 30d)",
        )
        parser.add_argument(
            "--as-of", metavar="DATE", help="the day of the first load (default: today)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object and nothing else"
        )

    def handle(self, *args: object, **options: str | None) -> None:
        """Compare and report; every failure is one sentence and a non-zero exit."""
        output = Output(self.stdout, dict(options))
        interruption.begin()
        with ending.interruptible(INTERRUPTED, interruption.abandon):
            try:
                found = self._compare(options)
            except Exception as failure:
                sentence = explain(failure)
                output.answer({"error": sentence})
                raise CommandError(sentence) from failure
            output.answer(asdict(found))
            for line in disposition_report.lines(found):
                output.say(line)

    def _compare(self, options: dict[str, str | None]) -> SideBySide:
        first = day("--as-of", options["as_of"]) or datetime.now(UTC).date()
        users = whole_number("--users", options["users"]) or 0
        second = advance(first, str(options["advance"]))
        target, working_dir = Target.from_settings(), settings.LOCAL_DIR / "dlt"
        with self._progress() as tell:
            return ending.run(
                lambda: compare(target, users, first, second, working_dir, tell),
                interruption.give_up,
            )

    @contextmanager
    def _progress(self) -> Iterator[Callable[[str], None]]:
        """One live line on a terminal, nothing elsewhere."""
        if not self.stdout.isatty():
            yield lambda _mode: None
            return
        from rich.console import Console  # not where nobody would see it

        with Console().status("Comparing ...") as status:
            yield lambda mode: status.update(f"Comparing: {mode} ...")
