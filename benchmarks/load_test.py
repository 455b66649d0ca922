"""A minute of a crowd at the server: `python -m benchmarks.load_test`.

Two hundred clients at two processes: some read slowly or not at all, hang up in the middle, send
slowly or guess passwords (`elt_site/tests/crowd.py`); in the middle the database is restarted. No
answer may be broken or refused otherwise than by 429 or 503 with Retry-After, the health check is
answered throughout, and nothing is left behind. Exits with 1 if any of that is not so.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections import Counter

from benchmarks import command, report, services
from benchmarks.command import PROJECT
from benchmarks.report import Figure
from benchmarks.workplace import workplace
from elt_site.tests import remains
from elt_site.tests.crowd import HEALTH_SECONDS, LONG, PATHS, Crowd, Findings, Site

RECOVERY_SECONDS = 5
SHOWN = 10


def main() -> None:
    """Let the crowd in, and print what it met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--users", type=int, default=10_000, help="whose lists are read")
    arguments = parser.parse_args()
    threads = runpy.run_path(str(PROJECT / "gunicorn.conf.py"))["threads"]
    with workplace(arguments.users) as place:
        command.python(*command.LOAD, "--users", str(arguments.users))
        bystanders = report.Bystanders(place.postmaster)
        with services.ours(place) as ours:
            site = Site(ours.port, *ours.credentials)
            ours.warm_up(*PATHS, LONG)
            before = ours.memory
            crowd = Crowd(site).run(arguments.clients, arguments.seconds, place.restart_server)
            left = remains.of_crowd(ours.process.pid, place.database_url, threads)
            grown = (ours.memory - before) / 1e6
        noise = bystanders.sentence()
    problems = Counter([*crowd.problems, *left])
    print(
        f"\n{arguments.clients} clients for {arguments.seconds:.0f} s. {report.machine()}. {noise}"
    )
    print()
    answers = [(what, f"{count:,}") for what, count in sorted(crowd.answers.items())]
    print(report.table(("answers", "count"), answers))
    print()
    print(report.figures(_figures(crowd, len(left), len(crowd.problems))))
    print(f"\nThe server's processes together grew by {grown:,.0f} MB.")
    for problem, count in problems.most_common(SHOWN):
        print(f"  {count} times: {problem}")
    if problems or crowd.recovery is None:
        sys.exit("The crowd met what may not be: see above.")


def _figures(crowd: Findings, left: int, problems: int) -> list[Figure]:
    slowest = max(crowd.health, default=float("inf"))
    recovery = float("inf") if crowd.recovery is None else crowd.recovery
    return [
        Figure("answers that may not be", 0, problems, "times"),
        Figure("connections, sessions and threads left behind", 0, left, "times"),
        Figure("slowest health check, seconds", HEALTH_SECONDS, slowest),
        Figure("first list after the database's return, seconds", RECOVERY_SECONDS, recovery),
    ]


if __name__ == "__main__":
    main()
