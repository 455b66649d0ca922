"""ANSWERS from a shell: `manage.py check_answers`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from subscriptions.answers import csv_files
from subscriptions.answers.comparison import Difference, compare
from subscriptions.answers.key import answers
from subscriptions.answers.marts import MARTS, Mart, Row
from subscriptions.answers.recorded import Recorded, recorded
from subscriptions.answers.stored import stored
from subscriptions.load import interruption
from subscriptions.load.errors import LoadError, explain
from subscriptions.load.target import Target
from subscriptions.management import answer_report
from subscriptions.management.output import Output

DIFFERENT = 1
NOT_COMPARED = 2


class Command(BaseCommand):
    """Marts in, differences out."""

    help = (
        "Hold the marts against the answer key, or a mart of yours in a CSV file, and print every "
        f"difference. Exits with 0 if there is none, with {DIFFERENT} if there is any, with "
        f"{NOT_COMPARED} if it could not compare, with 130 after Ctrl-C and with 143 after SIGTERM."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options. Values stay text: argparse would answer a bad one with a page."""
        parser.add_argument("--mart", metavar="NAME", help=f"one of {', '.join(MARTS)}")
        parser.add_argument(
            "--csv",
            metavar="FILE",
            help="what to check in place of the stored mart: UTF-8, with the mart's columns in any "
            "order",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object and nothing else: the differences, or "
            '{"error": "..."} with the same sentence on stderr',
        )

    def handle(self, *args: object, **options: object) -> None:
        """Compare; what keeps it from that is one sentence."""
        self.output = Output(self.stdout, dict(options))
        many = int(str(options["verbosity"])) > 1
        self.most = None if many else answer_report.FIRST_DIFFERENCES
        with ending.interruptible(ending.SENTENCE, interruption.abandon):
            try:
                found = self._check(options)
            except Exception as failure:
                sentence = explain(failure)
                self.output.answer({"error": sentence})
                raise CommandError(sentence, returncode=NOT_COMPARED) from failure
        if any(found.values()):
            sys.exit(DIFFERENT)

    def _check(self, options: Mapping[str, object]) -> Mapping[str, Sequence[Difference]]:
        name, path = options["mart"], options["csv"]
        marts = answer_report.chosen(None if name is None else str(name))
        if path is not None and len(marts) > 1:
            raise LoadError("Name with --mart which mart the file holds.")
        own = None if path is None else {marts[0].name: csv_files.read(Path(str(path)), marts[0])}
        target = Target.from_settings()
        with target.connect("check_answers") as connection:
            known = recorded(connection, target.dataset)
            there = own or stored(connection, target.dataset, known.last, marts)
        return self._compare(marts, there, known, None if path is None else str(path))

    def _compare(
        self,
        marts: Sequence[Mart],
        there: Mapping[str, list[Row]],
        known: Recorded,
        path: str | None,
    ) -> Mapping[str, Sequence[Difference]]:
        """Print each mart's differences as soon as they are known, and what it all comes to."""
        truth = known.truth()
        whose = answer_report.company(known.last, truth.as_of)
        what = f"{marts[0].name} in {path}" if path else "the marts"
        self.output.say(f"Checking {what} against the answer key of {whose} ...\n")
        found = {}
        for mart in marts:
            right = answers(mart, truth)
            if path and right and not there[mart.name]:
                raise LoadError(
                    f"There are no rows in {path}, where there should be {len(right):,}."
                )
            found[mart.name] = compare(mart, there[mart.name], right)
            rows = len(there[mart.name])
            for line in answer_report.differences(mart, rows, found[mart.name], self.most):
                self.output.say(line)
        self.output.answer(
            answer_report.differences_object(
                truth.as_of, {name: len(rows) for name, rows in there.items()}, found
            )
        )
        if count := sum(map(len, found.values())):
            self.output.say(self.style.ERROR(f"\n{answer_report.counted(count)}."))
        else:
            self.output.say(self.style.SUCCESS("\nEvery row is as it should be."))
        return found
