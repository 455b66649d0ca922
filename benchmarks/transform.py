"""The marts at scale, as ratios to the yardstick of loading: `python -m benchmarks.transform`.

Each round runs the yardstick, a build of all marts where there are none, and, after an advance by
a day, a build that goes on from it; each a process from its start to its end. What the transform
adds to a small load is the CPU of one with it less that of one without.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

from psycopg import sql

from benchmarks import command, report, yardstick
from benchmarks.load import TODAY
from benchmarks.report import Figure
from benchmarks.workplace import DATASET, Workplace, workplace
from subscriptions.transform.marts import schema_of

ALL_GOAL, ADVANCE_GOAL, CPU_GOAL_S = 0.5, 0.1, 5
SMALL = 1_000
TRANSFORM = ("manage.py", "transform")
WITH_TRANSFORM = tuple(part for part in command.LOAD if part != "--no-transform")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="rounds that medians are taken of")
    arguments = parser.parse_args()
    with workplace(arguments.users) as place:
        bystanders = report.Bystanders(place.postmaster)
        times, found = _large(place, arguments.users, arguments.runs)
        small_times, small_found = _small(place, arguments.runs)
        noise = bystanders.sentence()
    print(f"\n{arguments.users:,} users. {report.machine()}. {noise}\n")
    print(report.table(("", "median", "min-max"), [*times, *small_times]))
    print()
    print(report.figures([*found, small_found]))


def _large(place: Workplace, users: int, runs: int) -> tuple[list[tuple[str, ...]], list[Figure]]:
    """Seconds of the yardstick and of both kinds of build."""
    _load(place, users)
    files = yardstick.write_files(place)
    yards, whole, gone_on = [], [], []
    for number in range(1, runs + 1):
        if number > 1:
            _load(place, users)
        place.settle()
        yards.append(sum(step.seconds for step in yardstick.measure(place, files)))
        _drop_marts(place)
        place.settle()
        whole.append(command.python(*TRANSFORM).seconds)
        command.python(*command.LOAD, "--advance", "1d")
        place.settle()
        gone_on.append(command.python(*TRANSFORM).seconds)
        _say(
            f"round {number} of {runs}: yardstick {yards[-1]:.2f} s, all marts {whole[-1]:.2f} s, "
            f"after a day's advance {gone_on[-1]:.2f} s"
        )
    times: list[tuple[str, ...]] = [
        ("yardstick", *report.spread(yards)),
        ("all marts", *report.spread(whole)),
        ("after a day's advance", *report.spread(gone_on)),
    ]
    yard = median(yards)
    return times, [
        Figure("all marts / yardstick", ALL_GOAL, median(whole) / yard),
        Figure("after a day's advance / yardstick", ADVANCE_GOAL, median(gone_on) / yard),
    ]


def _small(place: Workplace, runs: int) -> tuple[list[tuple[str, ...]], Figure]:
    """CPU seconds of a small load without the transform and with it."""
    without, with_it = [], []
    for _ in range(runs):
        without.append(_load(place, SMALL).cpu_seconds)
        place.forget()
        _drop_marts(place)
        with_it.append(command.python(*WITH_TRANSFORM, "--users", str(SMALL)).cpu_seconds)
    times: list[tuple[str, ...]] = [
        (f"CPU of loading {SMALL:,} users without", *report.spread(without)),
        (f"CPU of loading {SMALL:,} users with the transform", *report.spread(with_it)),
    ]
    added = median(with_it) - median(without)
    return times, Figure(f"CPU added to loading {SMALL:,} users", CPU_GOAL_S, added, "s")


def _load(place: Workplace, users: int) -> command.Run:
    place.forget()
    place.settle()
    day = ("--epoch", TODAY, "--as-of", TODAY)
    return command.python(*command.LOAD, "--users", str(users), *day)


def _drop_marts(place: Workplace) -> None:
    with place.connect() as session:
        drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
        session.execute(drop.format(sql.Identifier(schema_of(DATASET))))


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    main()
