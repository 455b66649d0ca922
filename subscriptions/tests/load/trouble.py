"""What tests of disturbed loads have in common: a small load, its rows, and damage to repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.errors import explain
from subscriptions.load.request import Request
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target

DAY: Final = date(2026, 11, 23)
USERS: Final = 20
WORKING_DIR: Final[Path] = settings.LOCAL_DIR / "dlt"

Query = Callable[..., list[tuple[Any, ...]]]
Rows = dict[str, list[tuple[Any, ...]]]


@contextmanager
def querying(target: Target) -> Iterator[Query]:
    """Run SQL in a dataset, committed at once; returns the rows, if any."""
    with target.connect("test") as session:
        session.execute(f"SET search_path = {target.dataset}")

        def query(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
            cursor: psycopg.Cursor[tuple[Any, ...]] = session.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield query


def load(target: Target, disposition: Disposition | None = None) -> list[str]:
    """Load as the command does, and return what it says."""
    request = Request(users=USERS, as_of=DAY, write_disposition=disposition)
    said: list[str] = []
    pipeline.run(target, request, WORKING_DIR, said.append)
    return said


def failure_of(target: Target, disposition: Disposition | None) -> str:
    """Run a load that cannot succeed, and return what a person is told."""
    try:
        load(target, disposition)
    except Exception as failure:  # noqa: BLE001  (whatever it is, it has to be explained)
        return explain(failure)
    pytest.fail("the load was not stopped")


def business_rows(query: Query) -> Rows:
    """All stored rows, but for what differs from load to load."""
    return {
        table.name: sorted(
            query(f'SELECT {", ".join(table.columns)}, valid_from, valid_to FROM "{table.name}"'),
            key=repr,
        )
        for table in TABLES
    }


def damage(query: Query) -> None:
    """Give a load something to repair, so that it leaves the tables other than it found them."""
    query("UPDATE \"user\" SET email = 'changed by hand'")
    query("DELETE FROM usage WHERE usage_date < '2026-10-01'")


def loaded_again(good: Rows, before: Rows, disposition: Disposition | None) -> Rows:
    """What one load of the company of `good` makes of what was there before."""
    if disposition != "append":
        return good
    return {table: sorted(rows + good[table], key=repr) for table, rows in before.items()}
