"""Two datasets with a past, loaded by the real pipeline, and what each knew on a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db import connection

from subscriptions.extract import Company
from subscriptions.load import pipeline
from subscriptions.load.request import Load
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.extract.datasets import rows

Row = dict[str, Any]
KEYS: Final = {table.name: table.key for table in TABLES}


@dataclass(frozen=True)
class History:
    """A dataset that was loaded on several days, each time with what a company was by then."""

    name: str
    loads: Sequence[tuple[date, Company]]
    disposition: Disposition | None = None  # for all tables; None: the default ones

    @property
    def days(self) -> list[date]:
        """The as-of dates of its loads."""
        return [day for day, _ in self.loads]

    def load(self) -> None:
        """Load it beside the configured dataset."""
        target = replace(Target.from_settings(), dataset=self.name, pipeline=self.name)
        for as_of, company in self.loads:
            dispositions = {t.name: self.disposition or t.disposition for t in TABLES}
            load = Load(company, as_of, dispositions, workers=1, started_at=datetime.now(UTC))
            pipeline.execute(target, load, settings.LOCAL_DIR / "dlt", lambda _line: None)

    def take_place(self) -> None:
        """Serve it under the configured name until the transaction is rolled back."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", [settings.DATASET_NAME])
            if cursor.fetchone() is not None:
                cursor.execute(f'ALTER SCHEMA "{settings.DATASET_NAME}" RENAME TO out_of_the_way')
            cursor.execute(f'ALTER SCHEMA {self.name} RENAME TO "{settings.DATASET_NAME}"')

    def known(self, table: str, day: date) -> list[Row]:
        """The rows of a table as the generator has them, by key, after the last load by a day."""
        as_of, company = [load for load in self.loads if load[0] <= day][-1]
        return list(_rows(table, company, as_of).values())

    def versions(self, table: str, key: str | int) -> list[tuple[date, Row | None]]:
        """When a row became what, None for gone: the slow and obvious way."""
        states: list[tuple[date, Row | None]] = []
        for day in self.days:
            state = _rows(table, dict(self.loads)[day], day).get(key)
            if (states and states[-1][1] != state) or (not states and state):
                states.append((day, state))
        return states


@cache
def _rows(table: str, company: Company, as_of: date) -> dict[str | int, Row]:
    """The generator's, by key."""
    found = {row[KEYS[table]]: _as_json(row) for row in rows(company, as_of)[table]}
    return dict(sorted(found.items()))


def _as_json(row: Row) -> Row:
    kinds: dict[type, Any] = {date: date.isoformat, Decimal: float}
    answer = {column: kinds.get(type(value), lambda v: v)(value) for column, value in row.items()}
    return answer | {"features": json.loads(row["features"])} if "features" in row else answer


_COMPANY: Final = Company(seed=7, users=120, epoch=date(2025, 6, 1))
# Renewals, plan changes, churn, new addresses and regions, and four new prices.
LIVED: Final = History(
    "lived",
    [
        (date(2025, 6, 1), _COMPANY),
        (date(2025, 9, 15), _COMPANY),
        (date(2026, 2, 1), _COMPANY),
        (date(2026, 8, 1), _COMPANY),
    ],
)
# Another company in its place for a month: every user disappears and returns.
INTERRUPTED: Final = History(
    "interrupted",
    [
        (date(2026, 1, 1), Company(seed=1, users=4, epoch=date(2026, 1, 1))),
        (date(2026, 2, 1), Company(seed=2, users=4, epoch=date(2026, 1, 1))),
        (date(2026, 3, 1), Company(seed=1, users=4, epoch=date(2026, 1, 1))),
    ],
    "scd2",
)
