"""LOAD, checked from a shell: `manage.py check_data`."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandError, CommandParser

from elt_site import ending
from subscriptions.load import interruption
from subscriptions.load.checks import CHECKS
from subscriptions.load.checks.run import Finding, appended, examine
from subscriptions.load.errors import explain
from subscriptions.load.receipt import Receipt
from subscriptions.load.target import Target
from subscriptions.management.output import Output

VIOLATED = 1
NOT_CHECKED = 2
_WIDTH = max(len(check.name) for check in CHECKS)


class Command(BaseCommand):
    """One run of the checks, and a line for each."""

    help = (
        "Check the loaded data: prints each check with its count of violations. Exits with "
        f"{VIOLATED} if there are any, with {NOT_CHECKED} if it could not check, with 130 after "
        "Ctrl-C and with 143 after SIGTERM."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the one option of its own; Django has --verbosity."""
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object and nothing else: what was found, or "
            '{"error": "..."} with the same sentence on stderr',
        )

    def handle(self, *args: object, **options: object) -> None:
        """Run the checks; what keeps them from running is one sentence."""
        self.output = Output(self.stdout, dict(options))
        self.timings = int(str(options["verbosity"])) > 1
        with ending.interruptible(ending.SENTENCE, interruption.abandon):
            try:
                recorded, findings = examine(Target.from_settings(), self._begin, self._tell)
            except Exception as failure:
                sentence = explain(failure)
                self.output.answer({"error": sentence})
                raise CommandError(sentence, returncode=NOT_CHECKED) from failure
            self._conclude(recorded, findings)
            self.output.answer(_report(recorded, findings))
        if any(finding.violations for finding in findings):
            sys.exit(VIOLATED)

    def _begin(self, recorded: Receipt) -> None:
        """Say what is checked; told twice, a load has replaced the tables meanwhile."""
        self.output.say(
            f"Checking the company of seed {recorded.seed}, {recorded.users:,} users at its "
            f"epoch {recorded.epoch}, as of {recorded.as_of} ...\n"
        )

    def _tell(self, finding: Finding) -> None:
        result = f"{finding.violations:>13,}" if finding.violations else f"{'ok':>13}"
        style = self.style.ERROR if finding.violations else self.style.SUCCESS
        seconds = f"{finding.seconds:>8.2f} s" if self.timings else ""
        check = finding.check
        self.output.say(f"  {check.name:<{_WIDTH}}{style(result)}{seconds}   {check.expects}")
        if finding.violations:
            more = ", ..." if finding.violations > len(finding.examples) else ""
            self.output.say(f"{'':>{_WIDTH + 18}}Not so: {'; '.join(finding.examples)}{more}")

    def _conclude(self, recorded: Receipt, findings: list[Finding]) -> None:
        """Print the last lines: what to know about `append`, and what it all comes to."""
        self.output.say("")
        if tables := appended(recorded):
            self.output.say(self.style.WARNING(_about_append(tables)))
        if failed := [finding for finding in findings if finding.violations]:
            violations = sum(finding.violations for finding in failed)
            self.output.say(
                self.style.ERROR(
                    f"{len(failed)} of {len(findings)} checks failed, {violations:,} violations."
                )
            )
        else:
            self.output.say(self.style.SUCCESS(f"All {len(findings)} checks passed."))


def _about_append(tables: list[str]) -> str:
    return (
        f"The last load was appended to {', '.join(tables)}: append promises no uniqueness, so "
        "rows may be there more than once, and are counted as violations of what needs one of each."
    )


def _report(recorded: Receipt, findings: list[Finding]) -> dict[str, object]:
    """The whole run for scripts."""
    return {
        "as_of": recorded.as_of.isoformat(),
        "appended": appended(recorded),
        "violations": sum(finding.violations for finding in findings),
        "checks": [
            {
                "name": finding.check.name,
                "expects": finding.check.expects,
                "violations": finding.violations,
                "examples": finding.examples,
                "seconds": round(finding.seconds, 3),
            }
            for finding in findings
        ],
    }
