"""Loads of companies into a dataset of the test's own, by the real pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from subscriptions.extract import Company
from subscriptions.load import pipeline
from subscriptions.load.request import Load, Request
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.load.own_server import OwnServer

DAY = date(2026, 11, 23)
WORKING_DIR: Path = settings.LOCAL_DIR / "dlt"

Execute = Callable[..., None]
Run = Callable[..., pipeline.Result]
Query = Callable[..., list[tuple[Any, ...]]]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def run(target: Target) -> Run:
    """Load as the command does: what is not named comes from the dataset."""

    def load(**named: object) -> pipeline.Result:
        request = Request(**{"as_of": DAY, **named})  # type: ignore[arg-type]
        return pipeline.run(target, request, WORKING_DIR, lambda _line: None)

    return load


@pytest.fixture
def execute(target: Target) -> Execute:
    """Load a company on any day under one disposition for all tables, or under the defaults."""

    def load(company: Company, as_of: date, disposition: Disposition | None = None) -> None:
        dispositions = {t.name: disposition or t.disposition for t in TABLES}
        definite = Load(company, as_of, dispositions, workers=1, started_at=datetime.now(UTC))
        pipeline.execute(target, definite, WORKING_DIR, lambda _line: None)

    return load


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    """A server that a test may kill, as long as it starts it again."""
    server = OwnServer()
    yield server
    server.remove()


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
