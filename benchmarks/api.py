"""The API against a plain FastAPI service: `python -m benchmarks.api`.

Both serve the same tables of the same PostgreSQL, side by side with two processes each, and are
asked in turn, round by round, over a few kept connections. Before that their answers are parsed,
and have to hold the same rows. Every ratio is against FastAPI's full answer of the same path, the
page's against its page. Nothing is cached: each answer's rows come from PostgreSQL.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import command, report, rival, services
from benchmarks.contest import CONNECTIONS, HEAD, Contest
from benchmarks.workplace import workplace

USERS = 1_000


def contests() -> list[Contest]:
    """What is measured, with the ratio that is wanted."""
    return [
        Contest("/users", "/users", 25),
        Contest("/usages", "/usages", 25),
        Contest("/users?page=2", "/users?page=2", 2),
        Contest("/users, not modified", "/users", 60, not_modified=True),
    ]


def main() -> None:
    """Measure and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="that medians are taken of")
    parser.add_argument("--seconds", type=float, default=4, help="of each service's turn")
    arguments = parser.parse_args()
    rival.interpreter()  # installed before anything else is started
    found, failed = [], False
    with workplace(USERS) as place:
        command.python(*command.LOAD, "--users", str(USERS))
        bystanders = report.Bystanders(place.postmaster)
        with services.ours(place) as ours, services.fastapi(place) as theirs:
            for contest in contests():
                try:
                    contest.hold(ours, theirs, arguments.rounds, arguments.seconds)
                    found.append(contest)
                except ValueError as error:
                    print(f"{contest.what}: not measured. {error}", flush=True)
                    failed = True
        noise = bystanders.sentence()
    print(f"\n{services.WORKERS} processes each, {CONNECTIONS} connections. {report.machine()}.")
    print(f"{noise} The rival: {rival.versions()}.\n")
    print(report.table(HEAD, [line for contest in found for line in contest.lines]))
    print()
    print(report.figures([contest.figure for contest in found]))
    if failed:
        sys.exit("Not everything was measured: see above.")


if __name__ == "__main__":
    main()
