"""LOAD from a shell: `manage.py load_faker_data`."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from elt_site.bootstrap import Readiness, ensure_ready
from subscriptions.load.clock import STEPS, step
from subscriptions.load.errors import INTERRUPTED, explain, was_interrupted
from subscriptions.load.pipeline import Result, run
from subscriptions.load.request import Request, disposition
from subscriptions.load.tables import DISPOSITIONS, TABLES
from subscriptions.load.target import Target
from subscriptions.load.verification import Verified, verify
from subscriptions.management.arguments import day, whole_number


class Command(BaseCommand):
    """Arguments in, one load, a report out."""

    help = "Generate a synthetic subscription business and load it into PostgreSQL with dlt."
    # They look at URLs, views and the admin, which a load has nothing to do with.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; what is not named comes from the dataset's last load.

        Values stay text here: argparse would answer a bad one with a page of usage.
        """
        parser.add_argument("--users", metavar="N", help="users at the epoch (default: 1000)")
        parser.add_argument("--seed", metavar="N", help="which company (default: 42)")
        parser.add_argument("--as-of", metavar="DATE", help="the day to load (default: today)")
        parser.add_argument(
            "--advance", metavar="TIME", help="how much later than the last load: 30d, 2w, 3m"
        )
        parser.add_argument(
            "--backfill",
            metavar="|".join(STEPS),
            help="build the history up to that day, one load for each step",
        )
        parser.add_argument(
            "--from", metavar="DATE", help="the first day of a --backfill (default: the opening)"
        )
        parser.add_argument(
            "--epoch",
            metavar="DATE",
            help="the day with exactly that many users (default: the first load's as-of)",
        )
        parser.add_argument(
            "--write-disposition",
            metavar="|".join(DISPOSITIONS),
            help="for all tables (default: merge for usage, scd2 for the others)",
        )
        parser.add_argument(
            "--workers", metavar="N", help="processes that generate (default: one per core)"
        )

        parser.add_argument(
            "--verify",
            action="store_true",
            help="load nothing: compare the stored rows' checksums with the last load's receipt "
            "and with the generator's own; exits with 1 on any difference",
        )

    def handle(self, *args: object, **options: str | None) -> None:
        """Run the load and report it; every failure is one sentence and a non-zero exit."""
        started = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            # A polite kill is an interrupt: what lies about is cleared away.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            request = Request(
                users=whole_number("--users", options["users"]),
                seed=whole_number("--seed", options["seed"]),
                as_of=day("--as-of", options["as_of"]),
                epoch=day("--epoch", options["epoch"]),
                write_disposition=disposition(options["write_disposition"]),
                workers=whole_number("--workers", options["workers"]),
                advance=options["advance"],
                backfill=step(options["backfill"]),
                first=day("--from", options["from"]),
            )
            request.check()
            readiness = ensure_ready()
            if options["verify"]:
                self._verify(verify(Target.from_settings(), request.workers))
                return
            result = run(
                Target.from_settings(),
                request,
                settings.LOCAL_DIR / "dlt",
                self.stdout.write,
                Console() if self.stdout.isatty() else None,
            )
        except CommandError:
            raise
        except (Exception, KeyboardInterrupt) as failure:
            if was_interrupted(failure):
                raise CommandError(INTERRUPTED, returncode=130) from failure
            raise CommandError(explain(failure)) from failure
        self._report(result, time.monotonic() - started)
        self._next_steps(readiness)

    def _verify(self, results: Sequence[Verified]) -> None:
        """Print each table's checksums; a difference is an error."""
        self.stdout.write(f"  {'table':<14}{'rows':>12}   {'stored':<18}{'receipt':<18}generated")
        for result in results:
            sums = [result.stored, result.noted, result.made]
            digits = (f"{sum_.digits if sum_ else '(appended)':<18}" for sum_ in sums)
            self.stdout.write(f"  {result.table:<14}{result.stored.rows:>12,}   {''.join(digits)}")
        wrong = [result.table for result in results if not result.right]
        if wrong:
            raise CommandError(
                f"{', '.join(wrong)}: what is stored is not what was loaded; load again to "
                "repair it."
            )
        self.stdout.write(self.style.SUCCESS("Every checksum is right."))

    def _report(self, result: Result, seconds: float) -> None:
        """Print each table's rows and what this load did to them."""
        rows = [("table", "rows now", "history", "this load")]
        for table in TABLES:
            changes = result.changes[table.name]
            stored = result.receipt.stored[table.name]
            did = ", ".join(f"{count:,} {kind}" for kind, count in changes.items() if count)
            rows.append(
                (
                    table.name,
                    f"{stored['rows']:,}",
                    f"{stored['closed']:,}",
                    did or "nothing changed",
                )
            )
        self.stdout.write("")
        for name, current, history, did in rows:
            self.stdout.write(f"  {name:<14}{current:>12}{history:>12}   {did}")
        self.stdout.write("")
        for note in result.notes:
            self.stdout.write(self.style.WARNING(note))
        receipt = result.receipt
        self.stdout.write(
            self.style.SUCCESS(
                f"Loaded the company of seed {receipt.seed}, {receipt.users:,} users at its epoch "
                f"{receipt.epoch}, as of {receipt.as_of}, in {seconds:.1f} s."
            )
        )

    def _next_steps(self, readiness: Readiness) -> None:
        """Say where the data lies, and how to look at it."""
        if settings.EMBEDDED:
            from elt_site.embedded_postgres import server

            where = server.location()
            because = " (the project's own folder is closed to it)" if where.fallback else ""
            self.stdout.write(f"The embedded PostgreSQL keeps it in {where.data}{because}.")
        if not settings.DEBUG:
            return
        self.stdout.write(f"\nNext: {_interpreter()} manage.py runserver, then")
        self.stdout.write("  http://127.0.0.1:8000/admin/   the data in a browser")
        self.stdout.write("  http://127.0.0.1:8000/users    the API")
        name, password = settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD
        both = get_user_model().objects.filter(username=name, is_staff=True).exists()
        how = "with BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD"
        if (name, password) == ("admin", "admin"):
            how = "as admin, password admin (development only)"
        self.stdout.write(f"Sign in to {'both' if both else 'the API'} {how}.")
        if not both:
            self.stdout.write(f"For the admin: {_interpreter()} manage.py createsuperuser")
        if readiness.administrator:
            self.stdout.write("(The administrator was created by this load.)")


def _interpreter() -> str:
    """This Python, as a person in the project's folder would type it."""
    path = Path(sys.executable)
    base = Path.cwd()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
