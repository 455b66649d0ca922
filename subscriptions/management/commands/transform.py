"""TRANSFORM from a shell: `manage.py transform`."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from elt_site.bootstrap import ensure_ready
from subscriptions.load import interruption
from subscriptions.load.errors import explain
from subscriptions.load.target import Target
from subscriptions.management import transform_report
from subscriptions.management.arguments import whole_number
from subscriptions.management.output import Output
from subscriptions.transform.run import run

INTERRUPTED = "Interrupted. The marts from before stay in service."


class Command(BaseCommand):
    """Arguments in, one run, a report out."""

    help = (
        "Build the marts of what was loaded last, with dbt. Exits with 0 when they are in service, "
        "1 when they are not, 130 after Ctrl-C and 143 after SIGTERM, with one sentence on stderr."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--full-refresh",
            action="store_true",
            help="build everything anew, not just what the loads since the last run changed",
        )
        parser.add_argument(
            "--wait",
            metavar="SECONDS",
            help="how long a load that is running has to end (default: 0, fail at once)",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object and nothing else: what was built, or "
            '{"error": "..."} with the same sentence on stderr',
        )

    def handle(self, *args: object, **options: str | bool | None) -> None:
        """Run it and report; every failure is one sentence and a non-zero exit."""
        output = Output(self.stdout, dict(options))
        interruption.begin()
        with ending.interruptible(INTERRUPTED, interruption.abandon):
            try:
                wait = whole_number("--wait", options["wait"]) or 0
                ensure_ready()
                target = Target.from_settings()
                whole = bool(options["full_refresh"])
                transformed = ending.run(
                    lambda: run(target, output.say, full_refresh=whole, wait=wait),
                    interruption.give_up,
                )
            except CommandError:
                raise
            except Exception as failure:
                sentence = explain(failure)
                output.answer({"error": sentence})
                raise CommandError(sentence) from failure
        output.answer(transform_report.transformed_object(transformed))
        for line in transform_report.transformed(transformed, self.style):
            output.say(line)
