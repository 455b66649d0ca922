"""LOAD from a shell: `manage.py migrate_to_railway`."""

from __future__ import annotations

import signal
import threading
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from subscriptions.load import ends
from subscriptions.load.errors import INTERRUPTED, explain, was_interrupted
from subscriptions.load.migration import Migration, Result


class Command(BaseCommand):
    """Arguments in, one migration, a report out."""

    help = (
        "Copy the dataset from LOCAL_DATABASE_URL (or the embedded PostgreSQL) to "
        "RAILWAY_DATABASE_URL with dlt, and verify it there; exits with 1 on any difference."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the one option: both ends come from the environment."""
        parser.add_argument(
            "--with-history",
            action="store_true",
            help="copy all versions with their dates, in place of the target's own history",
        )

    def handle(self, *args: object, **options: object) -> None:
        """Copy and report; every failure is one sentence and a non-zero exit."""
        started = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            # A polite kill is an interrupt: what lies about is cleared away.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            target = ends.target()
            result = Migration(
                ends.source(),
                target,
                settings.LOCAL_DIR / "dlt",
                self.stdout.write,
                Console() if self.stdout.isatty() else None,
                history=bool(options["with_history"]),
            ).run()
        except (Exception, KeyboardInterrupt) as failure:
            if was_interrupted(failure):
                raise CommandError(INTERRUPTED, returncode=130) from failure
            raise CommandError(explain(failure, ends.TARGET)) from failure
        self._report(result, time.monotonic() - started)

    def _report(self, result: Result, seconds: float) -> None:
        """Print each table's rows and checksums on both ends; a difference is an error."""
        self.stdout.write(f"\n  {'':<14}{'source':>12}{'':<18}{'target':>15}")
        self.stdout.write(f"  {'table':<14}{'rows':>12}  {'checksum':<16}{'rows':>15}  checksum")
        for table in result.tables:
            source, target = table.source, table.target
            self.stdout.write(
                f"  {table.table:<14}{source.rows:>12,}  {source.digits}"
                f"{target.rows:>15,}  {target.digits}"
            )
        self.stdout.write("")
        if wrong := [table.table for table in result.tables if not table.agree]:
            raise CommandError(
                f"{', '.join(wrong)}: the target is not what the source is; run this again."
            )
        receipt = result.receipt
        did = "Copied" if result.copied else "Nothing had to be copied, and nothing was changed:"
        self.stdout.write(
            self.style.SUCCESS(
                f"{did} the company of seed {receipt.seed}, {receipt.users:,} users at its epoch "
                f"{receipt.epoch}, as of {receipt.as_of}; both ends agree, after {seconds:.1f} s."
            )
        )
