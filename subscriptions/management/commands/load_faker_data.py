"""LOAD from a shell: `manage.py load_faker_data`."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions.load.errors import explain
from subscriptions.load.pipeline import Result, run
from subscriptions.load.request import Request
from subscriptions.load.tables import DISPOSITIONS, TABLES
from subscriptions.load.target import Target


class Command(BaseCommand):
    """Arguments in, one load, a report out."""

    help = "Generate a synthetic subscription business and load it into PostgreSQL with dlt."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; what is not named comes from the dataset's last load."""
        parser.add_argument("--users", type=int, help="users at the epoch (default 1000)")
        parser.add_argument("--seed", type=int, help="which company (default 42)")
        parser.add_argument("--as-of", type=_day, metavar="DATE", help="the day to load")
        parser.add_argument(
            "--epoch", type=_day, metavar="DATE", help="the day with exactly that many users"
        )
        parser.add_argument(
            "--write-disposition",
            choices=DISPOSITIONS,
            help="for all tables (default: merge for usage, scd2 for the others)",
        )
        parser.add_argument("--workers", type=int, metavar="N", help="processes that generate")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the load and report it; every failure is one sentence and a non-zero exit."""
        request = Request(
            users=options["users"],
            seed=options["seed"],
            as_of=options["as_of"],
            epoch=options["epoch"],
            write_disposition=options["write_disposition"],
            workers=options["workers"],
        )
        started = time.monotonic()
        try:
            result = run(
                Target.from_settings(), request, settings.LOCAL_DIR / "dlt", self.stdout.write
            )
        except Exception as failure:
            sentence = explain(failure)
            if sentence is None:
                raise
            raise CommandError(sentence) from failure
        self._report(result, time.monotonic() - started)

    def _report(self, result: Result, seconds: float) -> None:
        self.stdout.write("")
        self.stdout.write(f"{'table':<14}{'rows now':>12}{'history':>10}   this load")
        for table in TABLES:
            changes = result.receipt.changes[table.name]
            this_load = ", ".join(f"{n:,} {kind}" for kind, n in changes.items() if n)
            self.stdout.write(
                f"{table.name:<14}{result.current_rows[table.name]:>12,}"
                f"{result.closed_versions[table.name]:>10,}   {this_load or 'nothing changed'}"
            )
        self.stdout.write(f"\nLoaded in {seconds:.1f} s.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date: write it as YYYY-MM-DD") from error
