"""A dataset made by an older release, which lacks columns, is brought up to date by any load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from subscriptions.extract import Company
from subscriptions.load.tables import TABLES, Disposition, Table
from subscriptions.tests.load.conftest import Execute

Query = Callable[..., list[tuple[Any, ...]]]

FIRST = date(2026, 6, 1)
LATER = date(2026, 7, 1)
FOUNDED = Company(seed=1, users=30, epoch=FIRST)
OTHER = Company(seed=2, users=60, epoch=FIRST)

# A column of each table that an older release might have lacked.
LACKED = {
    "plan": "features",
    "user": "referral_source",
    "subscription": "payment_method",
    "usage": "storage_used_mb",
}


@pytest.mark.parametrize("disposition", [None, "merge", "scd2"])
def test_columns_that_an_older_release_lacked_are_added_and_no_version_lost(
    execute: Execute, query: Query, disposition: Disposition | None
) -> None:
    execute(FOUNDED, FIRST, "scd2")
    query("UPDATE plan SET monthly_fee = monthly_fee + 1")  # so that a version is closed here, too
    execute(OTHER, LATER, "scd2")

    def found(table: Table, columns: Sequence[str], which: str) -> set[str]:
        rows = query(f'SELECT {", ".join(columns)} FROM "{table.name}" WHERE {which}')
        return set(map(repr, rows))

    current, closed, every = "valid_to IS NULL", "valid_to IS NOT NULL", "true"
    before = {}
    for table in TABLES:
        kept = [name for name in table.stored_columns if name != LACKED[table.name]]
        before[table] = (
            found(table, table.columns, current),
            found(table, kept, closed),
            found(table, ["_dlt_id", "valid_from"], every),
        )
        assert all(before[table])
        query(f"DROP VIEW {table.view}")
        query(f'ALTER TABLE "{table.name}" DROP COLUMN {LACKED[table.name]}')
        query(
            f'CREATE VIEW {table.view} AS SELECT {", ".join(kept)} FROM "{table.name}" '
            f"WHERE {current}"
        )
    query("ALTER TABLE _load_receipt DROP COLUMN stored, DROP COLUMN version")
    query("DELETE FROM _dlt_version")  # as if an older release had written the schema

    execute(OTHER, LATER, disposition)

    for table, (rows, history, versions) in before.items():
        kept = [name for name in table.stored_columns if name != LACKED[table.name]]
        assert found(table, table.columns, current) == rows
        assert found(table, kept, closed) >= history
        assert found(table, ["_dlt_id", "valid_from"], every) >= versions
        shown = query(f"SELECT {', '.join(table.stored_columns)} FROM {table.view}")
        assert len(shown) == len(rows)
    receipts = query("SELECT version, stored FROM _load_receipt ORDER BY published_at")
    assert [None in receipt for receipt in receipts] == [True, True, False]
