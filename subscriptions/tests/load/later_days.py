"""Loads of later days: which days, what rows they lead to, and how they find what to bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pytest

from subscriptions.load import advance, comparison
from subscriptions.load.comparison import Comparison
from subscriptions.load.receipt import Receipt
from subscriptions.load.tables import TABLES
from subscriptions.tests.load.trouble import Query

START: Final = date(2026, 6, 1)
DAYS: Final = (date(2026, 6, 2), date(2026, 6, 30), date(2027, 3, 1))


def current(query: Query) -> dict[str, list[tuple[Any, ...]]]:
    """The business columns of the current rows, by key."""
    return {
        table.name: query(
            f'SELECT {", ".join(table.columns)} FROM "{table.name}" WHERE valid_to IS NULL'
            f" ORDER BY {table.key}"
        )
        for table in TABLES
    }


@dataclass
class Ways:
    """How the loads that follow find out what to bring."""

    changes: list[Comparison | None] = field(default_factory=list)
    """What has changed since the last load, or None where that cannot be said."""
    compared: int = 0
    """How many of them compared everything, at once or in the end."""


def watch(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Those of the loads that follow, as long as the patch lasts."""
    found = Ways()
    since_last, compare = advance.since_last, comparison.compare

    def watched(*arguments: Any) -> tuple[Comparison, Receipt] | None:
        changes = since_last(*arguments)
        found.changes.append(changes and changes[0])
        return changes

    def counted(*arguments: Any) -> Comparison:
        found.compared += 1
        return compare(*arguments)

    monkeypatch.setattr(advance, "since_last", watched)
    monkeypatch.setattr(comparison, "compare", counted)
    return found
