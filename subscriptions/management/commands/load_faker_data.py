"""LOAD from a shell: `manage.py load_faker_data`."""

from __future__ import annotations

import gc
import time
from typing import Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from elt_site.bootstrap import ensure_ready
from subscriptions.load import interruption
from subscriptions.load.clock import STEPS, step
from subscriptions.load.errors import INTERRUPTED, LoadError, explain
from subscriptions.load.pipeline import run
from subscriptions.load.request import Request, disposition
from subscriptions.load.tables import DISPOSITIONS
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.management import load_report
from subscriptions.management.arguments import day, whole_number
from subscriptions.management.output import Output

GO_ON: Final = "The days that were loaded stay: ask for the backfill again to go on."


class Command(BaseCommand):
    """Arguments in, one load, a report out."""

    help = (
        "Generate a synthetic subscription business and load it into PostgreSQL with dlt. Exits "
        "with 0 when it is loaded, 1 when it is not, 130 after Ctrl-C and 143 after SIGTERM, with "
        "one sentence on stderr."
    )
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
            "--wait",
            metavar="SECONDS",
            help="how long another load of the dataset has to end (default: 0, fail at once)",
        )
        parser.add_argument(
            "--no-transform",
            action="store_true",
            help="leave the marts as they are; manage.py transform brings them up to date",
        )
        parser.add_argument(
            "--verify",
            action="store_true",
            help="load nothing: compare the stored rows' checksums with the last load's receipt "
            "and with the generator's own; exits with 1 on any difference",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object and nothing else: the load's receipt, or what --verify "
            'found; {"error": "..."} if it failed, with the same sentence on stderr',
        )

    def handle(self, *args: object, **options: str | None) -> None:
        """Run the load and report it; every failure is one sentence and a non-zero exit."""
        self.output = Output(self.stdout, dict(options))
        interruption.begin()
        sentence = f"{INTERRUPTED} {GO_ON}" if options["backfill"] else INTERRUPTED
        if options["backfill"]:
            gc.set_threshold(50_000, 20, 20)  # each of its loads leaves some garbage
        with ending.interruptible(sentence, interruption.abandon):
            try:
                request = _request(options)
                request.check()
                if options["verify"]:
                    _refuse_others(options)
                    self._verify(request)
                else:
                    self._load(request, transforms=not options["no_transform"])
            except CommandError:
                raise
            except Exception as failure:
                sentence = explain(failure)
                self.output.answer({"error": sentence})
                raise CommandError(sentence) from failure

    def _load(self, request: Request, *, transforms: bool) -> None:
        started = time.monotonic()
        readiness = ensure_ready()
        target, folder = Target.from_settings(), settings.LOCAL_DIR / "dlt"
        with self.output.progress() as progress:
            result = ending.run(
                lambda: run(target, request, folder, self.output.say, progress),
                interruption.give_up,
            )
        seconds = time.monotonic() - started
        for line in load_report.loaded(result, seconds, self.style):
            self.output.say(line)
        report = load_report.loaded_object(result, seconds)
        if transforms:
            report["transform"] = self._transform(target, request)
        else:
            self.output.say("\nThe marts are left as they are: manage.py transform builds them.")
        self.output.answer(report)
        for line in load_report.next_steps(readiness):
            self.output.say(line)

    def _transform(self, target: Target, request: Request) -> dict[str, object]:
        """Bring the marts to what was loaded; what stops that is told beside the load's success."""
        # With dbt's own imports, nothing that a load without it shall wait for.
        from subscriptions.management import transform_report
        from subscriptions.transform.run import run as transform

        try:
            transformed = ending.run(
                lambda: transform(target, self.output.say, wait=request.wait), interruption.give_up
            )
        except Exception as failure:
            raise LoadError(f"The load is published. {explain(failure)}") from failure
        self.output.say(self.style.SUCCESS(transform_report.in_short(transformed)))
        return transform_report.transformed_object(transformed)

    def _verify(self, request: Request) -> None:
        """Print each table's checksums; a difference is an error."""
        ensure_ready()
        target, say = Target.from_settings(), self.output.say
        with self.output.progress() as progress:
            results = ending.run(
                lambda: verify(target, request.workers, request.wait, say, progress),
                interruption.give_up,
            )
        self.output.answer(load_report.verified_object(results))
        for line in load_report.verified(results):
            say(line)
        if wrong := load_report.difference(results):
            raise CommandError(wrong)
        say(self.style.SUCCESS("Every checksum is right."))


def _refuse_others(options: dict[str, str | None]) -> None:
    """Refuse what a verification would not heed: it is of what is loaded, and loads nothing."""
    loading = "users seed epoch as_of advance backfill from write_disposition".split()
    if named := [f"--{name.replace('_', '-')}" for name in loading if options[name] is not None]:
        raise LoadError(f"--verify loads nothing: leave out {' and '.join(named)}.")


def _request(options: dict[str, str | None]) -> Request:
    """What a person typed."""
    return Request(
        users=whole_number("--users", options["users"]),
        seed=whole_number("--seed", options["seed"]),
        as_of=day("--as-of", options["as_of"]),
        epoch=day("--epoch", options["epoch"]),
        write_disposition=disposition(options["write_disposition"]),
        workers=whole_number("--workers", options["workers"]),
        wait=whole_number("--wait", options["wait"]) or 0,
        advance=options["advance"],
        backfill=step(options["backfill"]),
        first=day("--from", options["from"]),
    )
