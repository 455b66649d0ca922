"""The main job against the stock way: `python -m benchmarks.main_job`.

Both sides run as fresh processes, in turn, from the start of the interpreter to its end, each as
the first load into a database whose server runs and whose Django tables are there.
"""

from __future__ import annotations

import argparse
from statistics import median

from psycopg import sql

from benchmarks import command, report
from benchmarks.report import Figure
from benchmarks.stock_way import CREDENTIALS, database_url
from benchmarks.workplace import DATASET, STOCK_DATASET, Workplace, workplace

SMALL, SMALL_GOAL = 1_000, 1 / 3
LARGE, LARGE_GOAL = 10_000, 1 / 30
TABLES = ("plan", "user", "subscription", "usage")


def main() -> None:
    """Measure both sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help=f"of each at {SMALL:,} users")
    parser.add_argument("--large-runs", type=int, default=1, help=f"of each at {LARGE:,} users")
    arguments = parser.parse_args()
    rows, found = [], []
    with workplace(LARGE) as place:
        bystanders = report.Bystanders(place.postmaster)
        for users, runs, goal in (
            (SMALL, arguments.runs, SMALL_GOAL),
            (LARGE, arguments.large_runs, LARGE_GOAL),
        ):
            ours, stock = _compare(place, users, runs)
            rows += [
                (f"load_faker_data, {users:,} users", *report.spread(ours), str(runs)),
                (f"the stock way, {users:,} users", *report.spread(stock), str(runs)),
            ]
            what = f"load_faker_data / the stock way, {users:,} users"
            found.append(Figure(what, goal, median(ours) / median(stock)))
        noise = bystanders.sentence()
    print(f"\n{report.machine()}. {noise}\n")
    print(report.table(("", "median", "min-max", "runs"), rows))
    print()
    print(report.figures(found))


def _compare(place: Workplace, users: int, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of load_faker_data and of the stock way, measured in turn."""
    credentials = {CREDENTIALS: database_url()}
    # What differs from the defaults is only named where it differs.
    load = (*command.LOAD, *(() if users == SMALL else ("--users", str(users))))
    stock = ("-m", "benchmarks.stock_way", "--users", str(users), "--dataset", STOCK_DATASET)
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(1, runs + 1):
        counts = []
        for side, dataset, arguments in ((0, DATASET, load), (1, STOCK_DATASET, stock)):
            place.forget()
            place.settle()
            run = command.python(*arguments, environment=credentials)
            seconds[side].append(run.seconds)
            counts.append(_rows(place, dataset))
            said = f"{users:,} users, run {number} of {runs}: {arguments[1]} {run.seconds:.2f} s"
            print(said, flush=True)
        assert counts[0] == counts[1], f"not the same work: {counts}"
    return seconds


def _rows(place: Workplace, dataset: str) -> list[int]:
    """How many rows each table of a dataset has."""
    counts = []
    with place.connect() as session:
        for table in TABLES:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(dataset, table))
            row = session.execute(query).fetchone()
            counts.append(row[0] if row else 0)
    return counts


if __name__ == "__main__":
    main()
