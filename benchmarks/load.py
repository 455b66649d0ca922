"""Loading at scale, as ratios to COPY by hand: `python -m benchmarks.load`.

The measured side is the whole `load_faker_data` process. Each round runs the yardstick, a first
load with the default dispositions, the same load again, one day's advance, a `replace` of the whole
and a load of one user; times are medians over the rounds. Memory, files and phases come from one
more load of each kind, which is watched.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import command, phases, report, yardstick
from benchmarks.command import Run
from benchmarks.report import Figure
from benchmarks.versions import Versions
from benchmarks.watch import Watch, folder_bytes
from benchmarks.workplace import Workplace, workplace
from subscriptions.load.tables import Table

FIRST, AGAIN, REPLACE = "first load", "the same load again", "replace"
ADVANCE, ONE_USER = "one day's advance", "one user"
TIME_GOALS = {REPLACE: 0.7, FIRST: 1.0, AGAIN: 0.4}
MEMORY_GOAL_MB, FILES_GOAL = 400, 1.5
LEFT_GOAL = 0.01  # dlt keeps its schema and its state, which do not grow with the rows
GROWTH, GROWTH_TIME_GOAL, GROWTH_MEMORY_GOAL = 4, 4.5, 1.15
ONE_USER_GOAL = 2
ADVANCE_GOAL = 0.15
ROUND = (FIRST, AGAIN, ADVANCE, REPLACE, ONE_USER)
FIGURES = ("resources", "time", "one-user")
IMPORTS = "import dlt, django, numpy, pyarrow"


@dataclass
class Measurement:
    """One benchmark under way: what is asked, and what has been found so far."""

    place: Workplace
    users: int
    runs: int
    files: dict[Table, Path] = field(default_factory=dict)
    found: list[Figure] = field(default_factory=list)
    times: list[tuple[str, ...]] = field(default_factory=list)

    def prepare(self) -> None:
        """One load that is not measured, whose rows become the yardstick's files."""
        self._load(FIRST, self.users)
        self.files.update(yardstick.write_files(self.place))

    def time(self) -> None:
        """Seconds of each kind of load in turn, as ratios of medians."""
        yards: list[Sequence[yardstick.Step]] = []
        seconds: dict[str, list[float]] = {mode: [] for mode in ROUND}
        for number in range(1, self.runs + 1):
            self.place.settle()
            yards.append(yardstick.measure(self.place, self.files))
            whole = sum(step.seconds for step in yards[-1])
            _say(f"round {number} of {self.runs}: yardstick {whole:.2f} s")
            for mode, taken in seconds.items():
                taken.append(self._load(mode, 1 if mode == ONE_USER else self.users).seconds)
                _say(f"round {number} of {self.runs}: {mode} {taken[-1]:.2f} s")
        yards.sort(key=lambda steps: sum(step.seconds for step in steps))
        wholes = [sum(step.seconds for step in steps) for steps in yards]
        self.times.append(("yardstick", *report.spread(wholes)))
        for mode, taken in seconds.items():
            self.times.append((mode, *report.spread(taken)))
        for mode, goal in TIME_GOALS.items():
            ratio = median(seconds[mode]) / median(wholes)
            self.found.append(Figure(f"{mode}: time / yardstick", goal, ratio))
        advance, first = (median(seconds[m]) - median(seconds[ONE_USER]) for m in (ADVANCE, FIRST))
        what = f"{ADVANCE} / {FIRST}, {ONE_USER}'s load taken off both"
        self.found.append(Figure(what, ADVANCE_GOAL, advance / first))
        _show("The yardstick's statements, median round", phases.steps(yards[len(yards) // 2]))

    def resources(self) -> None:
        """Peaks and phases of each kind of load, and that loading again rewrites no row."""
        size = sum(path.stat().st_size for path in self.files.values())
        memory, files, left = [], [], 0
        for mode in (FIRST, AGAIN, ADVANCE, REPLACE):
            stored = Versions(self.place)
            watch = self._watched(mode, self.users)
            if mode == AGAIN:
                what = f"{mode}: row versions changed"
                self.found.append(Figure(what, 0, stored.changed(), "rows"))
            memory.append(watch.peak_memory)
            files.append(watch.peak_files)
            left = max(left, folder_bytes(self.place.scratch))
        self.found += [
            Figure("peak memory, command and children", MEMORY_GOAL_MB, max(memory) / 1e6, "MB"),
            Figure("peak of temporary files / one load's rows", FILES_GOAL, max(files) / size),
            Figure("what is left of them afterwards / one load's rows", LEFT_GOAL, left / size),
        ]

    def one_user(self) -> None:
        """CPU of the smallest load beside that of importing what it stands on."""
        loads, imports = [], []
        for _ in range(self.runs):
            loads.append(self._load(ONE_USER, 1).cpu_seconds)
            imports.append(command.python("-c", IMPORTS).cpu_seconds)
        self.times.append(("one user: CPU", *report.spread(loads)))
        self.times.append((f"{IMPORTS}: CPU", *report.spread(imports)))
        ratio = median(loads) / median(imports)
        self.found.append(Figure("one user: CPU / that of the imports", ONE_USER_GOAL, ratio))

    def growth(self) -> None:
        """Time and memory of `replace` at one size and at several times that."""
        seconds, memory = [], []
        for users in (self.users, GROWTH * self.users):
            memory.append(self._watched(REPLACE, users).peak_memory)
            taken = [self._load(REPLACE, users).seconds for _ in range(self.runs)]
            self.times.append((f"{REPLACE}, {users:,} users", *report.spread(taken)))
            seconds.append(median(taken))
        what = f"{REPLACE}, {GROWTH} times the users:"
        self.found += [
            Figure(f"{what} time / time", GROWTH_TIME_GOAL, seconds[1] / seconds[0]),
            Figure(f"{what} memory / memory", GROWTH_MEMORY_GOAL, memory[1] / memory[0]),
        ]

    def _load(self, mode: str, users: int, watch: Watch | None = None) -> Run:
        """One load of a mode; what it shall find in the database is made first."""
        if mode in {FIRST, ONE_USER}:
            self.place.forget()
        self.place.settle()
        company = ("--users", str(users), "--epoch", TODAY, "--as-of", TODAY)
        arguments = {
            ADVANCE: ("--advance", "1d"),
            REPLACE: (*company, "--write-disposition", "replace"),
        }
        return command.python(
            *command.LOAD,
            *arguments.get(mode, company),
            on_start=watch.follow if watch else None,
        )

    def _watched(self, mode: str, users: int) -> Watch:
        with Watch(self.place) as watch:
            run = self._load(mode, users, watch)
        _say(f"{mode}, watched: {run.seconds:.2f} s")
        _show(f"Phases: {mode}, {users:,} users", phases.phases(run, watch.samples))
        _show(f"Statements: {mode}, {users:,} users", phases.statements(run, watch.samples))
        return watch


TODAY = str(datetime.now(UTC).date())  # the same for all loads, past midnight as well


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="rounds that medians are taken of")
    parser.add_argument("--figures", nargs="+", choices=FIGURES, default=FIGURES)
    parser.add_argument(
        "--growth", action="store_true", help=f"also measure {GROWTH} times --users"
    )
    arguments = parser.parse_args()
    largest = arguments.users * (GROWTH if arguments.growth else 1)
    with workplace(largest) as place:
        bystanders = report.Bystanders(place.postmaster)
        measurement = Measurement(place, arguments.users, arguments.runs)
        measurement.prepare()
        if "resources" in arguments.figures:
            measurement.resources()
        if "time" in arguments.figures:
            measurement.time()
        if "one-user" in arguments.figures:
            measurement.one_user()
        if arguments.growth:
            measurement.growth()
        noise = bystanders.sentence()
    print(f"\n{arguments.users:,} users. {report.machine()}. {noise}\n")
    print(report.table(("", "median", "min-max"), measurement.times))
    print()
    print(report.figures(measurement.found))


def _show(title: str, table: str) -> None:
    print(f"\n{title}\n\n{table}\n", flush=True)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    main()
