"""What tests of the migration do and ask at either end of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from subscriptions.extract import Company
from subscriptions.load import pipeline, receipt
from subscriptions.load.checks.run import examine
from subscriptions.load.migration.run import Migration, Result
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.load.verification import verify

WORKING_DIR: Path = settings.LOCAL_DIR / "dlt"
FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 7, 15), date(2026, 8, 20)
COMPANY = Company(seed=4, users=40, epoch=FIRST)
COUNTS = {"plan": 5, "user": 40, "subscription": 69, "usage": 200}

Rows = dict[str, list[tuple[Any, ...]]]


def migrate(source: Target, railway: Target, how: str = "current rows") -> Result:
    """Copy a dataset to the other server."""
    history = how == "with history"
    result = Migration(source, railway, WORKING_DIR, lambda _line: None, history=history).run()
    assert all(table.agree for table in result.tables)
    return result


def load(
    end: Target, day: date, disposition: Disposition | None = None, company: Company = COMPANY
) -> None:
    """Load the company on a day, under one disposition for all tables or the default ones."""
    dispositions = {t.name: disposition or t.disposition for t in TABLES}
    definite = Load(company, day, dispositions, workers=1, started_at=datetime.now(UTC))
    pipeline.execute(end, definite, WORKING_DIR, lambda _line: None)


def ask(end: Target, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL in an end's dataset; returns the rows, if any."""
    with end.connect("test") as session:
        session.execute(f"SET search_path = {end.dataset}")
        cursor = session.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def versions(end: Target, *more: str) -> Rows:
    """All versions of all tables with their dates, in one order at both ends."""
    return {
        table.name: sorted(
            ask(end, f"SELECT {', '.join((*table.columns, 'valid_from', 'valid_to', *more))}"
                     f' FROM "{table.name}"'),
            key=str,
        )
        for table in TABLES
    }  # fmt: skip


def places(end: Target) -> Rows:
    """Where every row lies, those of the loads' notes included, and which transaction wrote it."""
    names = [*(table.name for table in TABLES), "_load_receipt", "_dlt_loads"]
    return {n: ask(end, f'SELECT ctid, xmin::text FROM "{n}" ORDER BY ctid') for n in names}


def recorded(end: Target) -> Receipt | None:
    """The receipt of an end's last load."""
    with end.connect("test") as session:
        return receipt.latest(session, end.dataset)


def is_sound(end: Target) -> bool:
    """Whether it passes all checks, and is what its company is."""
    told: list[object] = []
    _, findings = examine(end, told.append, told.append)
    assert [finding for finding in findings if finding.violations] == []
    return all(table.right for table in verify(end, workers=1))
