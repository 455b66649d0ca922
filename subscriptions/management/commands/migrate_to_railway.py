"""LOAD from a shell: `manage.py migrate_to_railway`."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from subscriptions.load import interruption
from subscriptions.load.errors import INTERRUPTED, explain
from subscriptions.load.migration import ends
from subscriptions.load.migration.run import Migration, Result
from subscriptions.management.output import Output


class Command(BaseCommand):
    """Arguments in, one migration, a report out."""

    help = (
        "Copy the dataset from LOCAL_DATABASE_URL (or the embedded PostgreSQL) to "
        "RAILWAY_DATABASE_URL with dlt, and verify it there; exits with 1 on any difference."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: both ends come from the environment."""
        parser.add_argument(
            "--with-history",
            action="store_true",
            help="copy all versions with their dates, in place of the target's own history",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object and nothing else"
        )

    def handle(self, *args: object, **options: object) -> None:
        """Copy and report; every failure is one sentence and a non-zero exit."""
        self.output = Output(self.stdout, dict(options))
        started = time.monotonic()
        interruption.begin()
        with ending.interruptible(INTERRUPTED, interruption.abandon):
            try:
                result = self._migrate(history=bool(options["with_history"]))
            except Exception as failure:
                sentence = explain(failure, ends.TARGET)
                self.output.answer({"error": sentence})
                raise CommandError(sentence) from failure
            self._report(result, time.monotonic() - started)

    def _migrate(self, *, history: bool) -> Result:
        target, folder = ends.target(), settings.LOCAL_DIR / "dlt"
        with self.output.progress() as progress:
            migration = Migration(
                ends.source(), target, folder, self.output.say, progress, history=history
            )
            return ending.run(migration.run, interruption.give_up)

    def _report(self, result: Result, seconds: float) -> None:
        """Print each table's rows and checksums on both ends; a difference is an error."""
        self.output.answer(_as_object(result, seconds))
        self.output.say(f"\n  {'':<14}{'source':>12}{'':<18}{'target':>15}")
        self.output.say(f"  {'table':<14}{'rows':>12}  {'checksum':<16}{'rows':>15}  checksum")
        for table in result.tables:
            source, target = table.source, table.target
            self.output.say(
                f"  {table.table:<14}{source.rows:>12,}  {source.digits}"
                f"{target.rows:>15,}  {target.digits}"
            )
        self.output.say("")
        if wrong := [table.table for table in result.tables if not table.agree]:
            raise CommandError(
                f"{', '.join(wrong)}: the target is not what the source is; run this again."
            )
        receipt = result.receipt
        did = "Copied" if result.copied else "Nothing had to be copied, and nothing was changed:"
        self.output.say(
            self.style.SUCCESS(
                f"{did} the company of seed {receipt.seed}, {receipt.users:,} users at its epoch "
                f"{receipt.epoch}, as of {receipt.as_of}; both ends agree, after {seconds:.1f} s."
            )
        )
        self.output.say("The marts there are built by manage.py transform, run where it is served.")


def _as_object(result: Result, seconds: float) -> dict[str, object]:
    """The migration for scripts."""
    receipt = result.receipt
    return {
        "seed": receipt.seed,
        "users": receipt.users,
        "epoch": receipt.epoch,
        "as_of": receipt.as_of,
        "copied": result.copied,
        "duration": round(seconds, 3),
        "tables": {
            table.table: {
                "agree": table.agree,
                "source": {"rows": table.source.rows, "checksum": table.source.digits},
                "target": {"rows": table.target.rows, "checksum": table.target.digits},
            }
            for table in result.tables
        },
    }
