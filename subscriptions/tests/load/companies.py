"""Companies that follow one another at random: rows change, change back, go and return."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, Final

import pyarrow as pa

from subscriptions.extract import SCHEMAS, Company
from subscriptions.tests.extract.datasets import rows

Row = dict[str, Any]

START: Final = date(2026, 3, 1)
VARIANTS: Final[dict[str, Sequence[Row]]] = {
    "plan": [{}, {"monthly_fee": Decimal("7.50")}, {"max_users": None, "features": '["One"]'}],
    "user": [{}, {"region": "Atlantis"}, {"email": None}],
    "subscription": [{}, {"end_date": date(2031, 1, 1)}, {"payment_method": None, "status": ""}],
    "usage": [{}, {"api_calls": 0}, {"storage_used_mb": None, "usage_date": date(2026, 1, 1)}],
}
"""What a row's values may change to, from and back."""


@dataclass(frozen=True)
class Invented(Company):
    """A company whose rows are as they are given, on every day."""

    tables: dict[str, pa.Table] = field(default_factory=dict, compare=False)

    def partitions(self, as_of: date) -> int:
        return 1

    def plans(self, as_of: date) -> pa.Table:
        return self.tables["plan"]

    def partition(self, number: int, as_of: date) -> dict[str, pa.Table]:
        return {name: table for name, table in self.tables.items() if name != "plan"}


def rows_of(company: Company, day: date) -> dict[str, list[Row]]:
    """What a load of the company shall bring on a day, by table."""
    if isinstance(company, Invented):
        return {name: table.to_pylist() for name, table in company.tables.items()}
    return rows(company, day)


def companies_of_random_rows(chance: random.Random) -> Iterator[Company]:
    """One after another: each row stays as it was, or changes, changes back, goes or returns."""
    base = rows(Company(seed=1, users=12, epoch=START), START)
    states = {name: [chance.randrange(4) for _ in table] for name, table in base.items()}
    for number in count(1):
        tables = {}
        for name, table in base.items():
            states[name] = [
                state if chance.random() < 0.6 else chance.randrange(4) for state in states[name]
            ]
            there = [
                row | VARIANTS[name][state]
                for row, state in zip(table, states[name], strict=True)
                if state < len(VARIANTS[name])
            ]
            tables[name] = pa.Table.from_pylist(there, SCHEMAS[name])
        # Each of another seed: what one has says nothing of what the next one has.
        yield Invented(seed=number, users=12, epoch=START, tables=tables)


def companies_of_nearly_the_same_users(chance: random.Random) -> Iterator[Company]:
    """One for some loads, then another: the users of a seed are the same, their lives are not."""
    some = [
        Company(seed=1, users=12, epoch=START),
        Company(seed=1, users=20, epoch=START),
        Company(seed=1, users=12, epoch=date(2026, 1, 15)),
        Company(seed=2, users=5, epoch=START),
    ]
    company = some[0]
    while True:
        yield company
        if chance.random() < 0.3:
            company = chance.choice(some)
