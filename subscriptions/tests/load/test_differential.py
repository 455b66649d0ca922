"""Random histories, loaded by the real pipeline, version for version as a plain model has them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest

from subscriptions.extract import Company
from subscriptions.load import receipt
from subscriptions.load.checks import CHECKS
from subscriptions.load.checks.history import HISTORY
from subscriptions.load.checks.run import findings
from subscriptions.load.tables import DISPOSITIONS, TABLES, Disposition, Table
from subscriptions.load.target import Target
from subscriptions.tests.load.companies import (
    START,
    VARIANTS,
    companies_of_nearly_the_same_users,
    companies_of_random_rows,
    rows_of,
)
from subscriptions.tests.load.conftest import Execute
from subscriptions.tests.load.model_of_history import ModelTable, Row, Version

Query = Callable[..., list[tuple[Any, ...]]]
How = Disposition | None

HAND: Final = {"plan": 99, "user": "ffffffff", "subscription": "ffffffff", "usage": "ffffffff"}
"""Keys of rows that were added by hand."""
CHECKED: Final = [*HISTORY, *(check for check in CHECKS if check.name.endswith("-keys-unique"))]


def every_switch(chance: random.Random, kinds: Sequence[How]) -> list[How]:
    """Dispositions in a row, in which each is followed once by each: an Eulerian circuit."""
    onward = {kind: chance.sample(kinds, len(kinds)) for kind in kinds}
    path, circuit = [kinds[0]], []
    while path:
        if onward[path[-1]]:
            path.append(onward[path[-1]].pop())
        else:
            circuit.append(path.pop())
    return circuit[::-1]


@dataclass
class Trial:
    """A dataset and its model, to which the same things happen."""

    chance: random.Random
    execute: Execute
    query: Query
    target: Target
    day: date = START
    model: dict[str, ModelTable] = field(
        default_factory=lambda: {table.name: ModelTable(table.key) for table in TABLES}
    )

    def load(self, company: Company, how: How) -> None:
        """Load what the company has on the day."""
        self.execute(company, self.day, how)
        for table in TABLES:
            model = self.model[table.name]
            rows = rows_of(company, self.day)[table.name]
            model.load(how or table.disposition, rows, self.day)

    def damage(self) -> None:
        """Change, delete and add rows by hand, and let others build on the tables, or not."""
        theirs = self.chance.choice(["NULL", "'theirs'"])  # decides whether tables can be swapped
        self.query(f"COMMENT ON TABLE usage IS {theirs}")
        for table in TABLES:
            for act in self.chance.choices([self._change, self._delete, self._add], k=2):
                act(table, self.model[table.name])

    def compare(self) -> None:
        """The stored versions are the model's."""
        for table in TABLES:
            versions = self.model[table.name].versions
            expected = [_plain(v.row, v.valid_from, v.valid_to) for v in versions]
            stored = _stored(self.query, table)
            assert sorted(stored, key=repr) == sorted(expected, key=repr), (table.name, self.day)

    def check(self) -> None:
        """The checks of history that people can run find nothing."""
        with self.target.connect("test") as session, session.transaction():
            recorded = receipt.latest(session, self.target.dataset)
            assert recorded is not None
            found = findings(session, self.target.dataset, recorded, CHECKED)
            assert {f.check.name: f.examples for f in found if f.violations} == {}

    def _change(self, table: Table, model: ModelTable) -> None:
        """One version, current or closed."""
        chosen = self.chance.choice(model.versions)
        values = self.chance.choice(VARIANTS[table.name][1:])
        words = ", ".join(f"{column} = %s" for column in values)
        self.query(
            f'UPDATE "{table.name}" SET {words} WHERE {_WHICH.format(key=table.key)}',
            *values.values(),
            *_which(table, chosen),
        )
        for version in model.versions:
            if _which(table, version) == _which(table, chosen):
                version.row = version.row | values

    def _delete(self, table: Table, model: ModelTable) -> None:
        """One current version."""
        chosen = _which(table, self.chance.choice(model.current()))
        self.query(f'DELETE FROM "{table.name}" WHERE {_WHICH.format(key=table.key)}', *chosen)
        model.versions = [v for v in model.versions if _which(table, v) != chosen]

    def _add(self, table: Table, model: ModelTable) -> None:
        """A row like another, under a key that no row has now, though one may have had it."""
        there = {version.row[table.key] for version in model.current()}
        gone = {version.row[table.key] for version in model.versions}
        keys = sorted({*gone, HAND[table.name]} - there, key=str)
        if not keys:
            return
        row = self.chance.choice(model.current()).row | {table.key: self.chance.choice(keys)}
        self.query(
            f'INSERT INTO "{table.name}" ({", ".join(row)}, valid_from, _dlt_id, _dlt_load_id)'
            f" VALUES ({', '.join(['%s'] * len(row))}, %s::date, gen_random_uuid(),"
            " (SELECT max(load_id) FROM _dlt_loads))",
            *row.values(),
            self.day,
        )
        model.versions.append(Version(row, self.day))


_WHICH: Final = "{key} = %s AND valid_from = %s::date AND valid_to IS NOT DISTINCT FROM %s::date"


def _which(table: Table, version: Version) -> tuple[Any, ...]:
    """What tells a version from others, but for the copies of a load that was appended."""
    return version.row[table.key], version.valid_from, version.valid_to


def _stored(query: Query, table: Table) -> list[tuple[Any, ...]]:
    """Every stored version, as values of its columns, valid_from and valid_to."""
    columns = ", ".join([*table.columns, "valid_from::date", "valid_to::date"])
    versions = query(f'SELECT {columns} FROM "{table.name}"')
    return [_plain(dict(zip(table.columns, v, strict=False)), *v[-2:]) for v in versions]


def _plain(row: Row, valid_from: date, valid_to: date | None) -> tuple[Any, ...]:
    """A version, to be compared; an array of features has no blanks that matter."""
    if isinstance(row.get("features"), str):
        row = row | {"features": json.loads(row["features"])}
    return *row.values(), valid_from, valid_to


@pytest.fixture
def trial(execute: Execute, query: Query, target: Target) -> Callable[[int], Trial]:
    """Start with an empty dataset and the chances of a seed."""
    query("SET timezone = 'UTC'")
    return lambda seed: Trial(random.Random(seed), execute, query, target)  # noqa: S311


def live_through(trial: Trial, companies: Iterator[Company], hows: Sequence[How]) -> None:
    """Load, compare, damage, and go on to another day or not."""
    for how in hows:
        if how == "replace" and trial.chance.random() < 0.3:
            trial.day -= timedelta(days=50)  # no other disposition can go back
        trial.load(next(companies), how)
        trial.compare()
        if how != "append":
            trial.check()
        if trial.chance.random() < 0.6:
            trial.damage()
        if trial.chance.random() < 0.6:
            trial.day += timedelta(days=trial.chance.randint(1, 40))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_switch_between_dispositions(trial: Callable[[int], Trial], seed: int) -> None:
    own = trial(seed)
    hows = every_switch(own.chance, [None, *DISPOSITIONS])
    assert len(set(pairwise(hows))) == 25
    live_through(own, companies_of_random_rows(own.chance), hows)


def test_real_companies_whose_history_is_kept(trial: Callable[[int], Trial]) -> None:
    own = trial(3)
    hows = every_switch(own.chance, [None, "merge", "scd2"])
    live_through(own, companies_of_nearly_the_same_users(own.chance), hows)


def test_scd2_alone_remembers_each_day_as_its_last_load_had_it(
    trial: Callable[[int], Trial],
) -> None:
    own = trial(4)
    companies = companies_of_random_rows(own.chance)
    known: dict[date, Company] = {}
    for days in (0, 0, 0, 1, 0, 30, 0):
        own.day += timedelta(days=days)
        known[own.day] = next(companies)
        own.execute(known[own.day], own.day, "scd2")
    for table in TABLES:
        stored = _stored(own.query, table)
        changes, before = 0, set[str]()
        for day, company in known.items():
            then = {repr(_plain(row, day, None)[:-2]) for row in rows_of(company, day)[table.name]}
            assert _known_on(stored, day) == sorted(then)
            changes, before = changes + len(then - before), then
        assert len(stored) == changes, f"{table.name}: one version for each change"


def _known_on(stored: Sequence[tuple[Any, ...]], day: date) -> list[str]:
    """The values of the versions that were true on a day."""
    return sorted(
        repr(tuple(values))
        for *values, valid_from, valid_to in stored
        if valid_from <= day and (valid_to is None or day < valid_to)
    )
