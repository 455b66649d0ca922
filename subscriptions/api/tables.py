"""SERVE (step 4), API: an answer's rows as the tables of a person's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse

# Where a column's value leads.
DETAILS: Final = {
    "user_id": "api:users-detail",
    "plan_id": "api:plans-detail",
    "subscription_id": "api:subscriptions-detail",
    "usage_id": "api:usages-detail",
}


@dataclass(frozen=True)
class Cell:
    """One value of a table, as text, the CSS class that says how to show it, and a link.

    Of a column's header `sort` says how the rows are ordered by it, in ARIA's words.
    """

    text: str
    kind: str = "text"
    href: str = ""
    sort: str = ""

    @classmethod
    def of(cls, value: object) -> Cell:
        """Show a value as JSON would, but for quotes and brackets."""
        match value:
            case None:
                return cls("null", "null")
            case list():
                return cls(" · ".join(map(str, value)), "list")
            case int() | float() | Decimal():
                return cls(str(value), "number")
            case datetime():
                return cls(value.date().isoformat())  # of versions, which change at midnight
        return cls(str(value))


@dataclass(frozen=True)
class Table:
    """Lines as a person reads them; the header aligns with the first one."""

    header: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def of_rows(rows: Sequence[Mapping[str, Any]], query: str) -> Table:
    """One line for each row, one cell for each column; `query` goes with every link."""
    first = rows[0] if rows else {}
    return Table(
        [Cell(column, Cell.of(value).kind) for column, value in first.items()],
        [[_linked(column, value, query) for column, value in row.items()] for row in rows],
    )


def of_row(row: Mapping[str, Any], key: str, query: str) -> Table:
    """One line for each column; the row's own key leads nowhere."""
    cells = {
        name: Cell.of(v) if name == key else _linked(name, v, query) for name, v in row.items()
    }
    return Table(
        [Cell("column"), Cell("value")],
        # Numbers stand at the right for comparing them with those above, of which there are none.
        [
            [Cell(name), replace(cell, kind=cell.kind.replace("number", "text"))]
            for name, cell in cells.items()
        ],
    )


def of_history(versions: Sequence[Mapping[str, Any]], address: str) -> Table:
    """One line for each version; its first day leads to the row at `address` as of then."""
    return Table(
        [Cell(name) for name in ("valid_from", "valid_to", "began", "ended", "changes")],
        [
            [
                replace(
                    start := Cell.of(version["valid_from"]), href=f"{address}?as_of={start.text}"
                ),
                *(Cell.of(version[name]) for name in ("valid_to", "began", "ended")),
                Cell(" · ".join(_change(*item) for item in version["changes"].items()), "list"),
            ]
            for version in versions
        ],
    )


def _change(column: str, change: Mapping[str, Any]) -> str:
    return f"{column}: {Cell.of(change['from']).text} → {Cell.of(change['to']).text}"


def _linked(column: str, value: object, query: str) -> Cell:
    cell = Cell.of(value)
    if column not in DETAILS:
        return cell
    return replace(cell, href=reverse(DETAILS[column], args=[value]) + query)
