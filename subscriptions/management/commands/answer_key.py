"""ANSWERS from a shell: `manage.py answer_key`."""

from __future__ import annotations

from typing import Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from subscriptions.answers.key import answers
from subscriptions.answers.marts import MARTS, Mart
from subscriptions.answers.recorded import Recorded, recorded
from subscriptions.answers.truth import Truth
from subscriptions.load import interruption
from subscriptions.load.errors import LoadError, explain
from subscriptions.load.target import Target
from subscriptions.management import answer_report
from subscriptions.management.arguments import day
from subscriptions.management.output import Output

FORMATS: Final = ("table", "csv", "json")


class Command(BaseCommand):
    """Arguments in, the right marts out."""

    help = (
        "Print the marts as they have to be: reckoned in plain Python from the company that the "
        "dataset holds, without a look at its rows. Exits with 0, with 1 and one sentence if it "
        "cannot, with 130 after Ctrl-C and with 143 after SIGTERM."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options. Values stay text: argparse would answer a bad one with a page."""
        parser.add_argument(
            "--as-of", metavar="DATE", help="as of which day (default: that of the last load)"
        )
        parser.add_argument("--mart", metavar="NAME", help=f"one of {', '.join(MARTS)}")
        parser.add_argument(
            "--format",
            metavar="|".join(FORMATS),
            default="table",
            help=f"table: the first {answer_report.FIRST_ROWS} rows of each for people, all with "
            "--verbosity 2; csv: one mart; json: one object of lists",
        )

    def handle(self, *args: object, **options: object) -> None:
        """Reckon and print; every failure is one sentence and a non-zero exit."""
        # What it prints is all that it does, so --verbosity cannot silence it.
        verbosity = max(1, int(str(options["verbosity"])))
        as_json = options["format"] == "json"
        self.output = Output(self.stdout, {**options, "verbosity": verbosity, "json": as_json})
        self.most = None if verbosity > 1 else answer_report.FIRST_ROWS
        with ending.interruptible(ending.SENTENCE, interruption.abandon):
            try:
                self._answer(options)
            except Exception as failure:
                sentence = explain(failure)
                self.output.answer({"error": sentence})
                raise CommandError(sentence) from failure

    def _answer(self, options: dict[str, object]) -> None:
        form, as_of = str(options["format"]), day("--as-of", options["as_of"])
        name = None if options["mart"] is None else str(options["mart"])
        marts = answer_report.chosen(name)
        if form not in FORMATS:
            raise LoadError(f"Unknown format {form!r}: use {', '.join(FORMATS)}.")
        if form == "csv" and len(marts) > 1:
            raise LoadError("A CSV file holds one mart: name it with --mart.")
        target = Target.from_settings()
        with target.connect("answer_key") as connection:
            known = recorded(connection, target.dataset)
        self._print(form, marts, known, known.truth(as_of))

    def _print(self, form: str, marts: list[Mart], known: Recorded, truth: Truth) -> None:
        if form == "json":
            self.output.answer(
                {mart.name: answer_report.as_objects(answers(mart, truth)) for mart in marts}
            )
        elif form == "csv":
            self.output.say(answer_report.as_csv(marts[0], answers(marts[0], truth)))
        else:
            whose = answer_report.company(known.last, truth.as_of)
            self.output.say(f"The answer key of {whose}.")
            self.output.say("")
            for mart in marts:
                for line in answer_report.table(mart, answers(mart, truth), self.most):
                    self.output.say(line)
