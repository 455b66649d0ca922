"""LOAD, side by side: the same two loads under each write disposition, and what each leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from subscriptions.load import pipeline
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.side_by_side import outcomes
from subscriptions.load.side_by_side.outcomes import Change, Connection, Example, Outcome, Version
from subscriptions.load.side_by_side.scratch import scratch
from subscriptions.load.tables import DISPOSITIONS, TABLES, Disposition
from subscriptions.load.target import Target

# `append` alone keeps both loads whole: what changed between them is read off what it leaves.
_ORDER: Final = sorted(DISPOSITIONS, key=lambda mode: mode != "append")


@dataclass(frozen=True)
class Mode:
    """What one disposition makes of the second load."""

    seconds: float
    tables: Mapping[str, Outcome]
    example: Sequence[Version]  # what is stored of it, oldest first


@dataclass(frozen=True)
class SideBySide:
    """Two loads of one company, what changed between them, and what became of it."""

    seed: int
    users: int
    first: date
    second: date
    changes: Mapping[str, Change]
    example: Example | None  # None where no row changed
    modes: Mapping[Disposition, Mode]


def compare(
    target: Target,
    users: int,
    first: date,
    second: date,
    working_dir: Path,
    tell: Callable[[str], None],
) -> SideBySide:
    """Load a company as of `first`, when it has `users` users, and of `second`, once in each mode.

    In a scratch dataset in the target's database: the target's own is not touched. `tell` is
    called with each disposition as its turn comes.

    Raises:
        LoadError: there is no such company or day; the message says what would be one.
        Exception: whatever stopped a load; `errors.explain` words it.
    """
    loads = {mode: _loads(users, first, second, mode) for mode in _ORDER}
    modes: dict[Disposition, Mode] = {}
    with scratch(target, working_dir) as own:
        for mode, (earlier, later) in loads.items():
            tell(mode)
            _execute(own, earlier, working_dir)
            with _looking(own) as connection:
                before = {table.name: outcomes.rows(connection, table)[0] for table in TABLES}
            seconds = _execute(own, later, working_dir)
            with _looking(own) as connection:
                if mode == "append":
                    example = outcomes.example(connection, first, second)
                    changes = {
                        t.name: outcomes.change(connection, t, first, second) for t in TABLES
                    }
                stored = outcomes.versions(connection, example) if example else ()
                modes[mode] = Mode(seconds, _tables(connection, before), stored)
    return SideBySide(
        seed=earlier.company.seed,
        users=users,
        first=first,
        second=second,
        changes=changes,
        example=example,
        modes={mode: modes[mode] for mode in DISPOSITIONS},
    )


def _loads(users: int, first: date, second: date, mode: Disposition) -> tuple[Load, Load]:
    """The first load, which replaces what another disposition left, and the one in question."""
    named, now = Request(users=users, epoch=first), datetime.now(UTC)
    return (
        resolve(replace(named, as_of=first, write_disposition="replace"), None, now),
        resolve(replace(named, as_of=second, write_disposition=mode), None, now),
    )


def _execute(own: Target, load: Load, working_dir: Path) -> float:
    """Run one load, and return the seconds that it took."""
    started = time.monotonic()
    pipeline.execute(own, replace(load, started_at=datetime.now(UTC)), working_dir, lambda _: None)
    return time.monotonic() - started


@contextmanager
def _looking(own: Target) -> Iterator[Connection]:
    options = f"-c timezone=UTC -c search_path={own.dataset}"
    with own.connect("compare_dispositions", options) as connection:
        yield connection


def _tables(connection: Connection, before: Mapping[str, int]) -> Mapping[str, Outcome]:
    changes = outcomes.last_changes(connection)
    found = {}
    for table in TABLES:
        did = {kind: count for kind, count in changes[table.name].items() if count}
        found[table.name] = Outcome(before[table.name], *outcomes.rows(connection, table), did)
    return found
