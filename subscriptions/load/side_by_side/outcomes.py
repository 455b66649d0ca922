"""LOAD, side by side: what a reader finds in a dataset that was loaded on two days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg

from subscriptions.load.tables import PLAN, RECEIPT_TABLE, SUBSCRIPTION, TABLES, USER, Table

Connection = psycopg.Connection[tuple[Any, ...]]
"""One whose search_path is the dataset, and whose time zone is UTC."""

# What a person may follow through the dispositions, in order of preference, by which column.
_FOLLOWED: Final = (USER, SUBSCRIPTION, PLAN)
_TELLING: Final = ("plan_id", "status", "monthly_fee")

# The second load's rows beside the first one's, as `append` leaves them.
_BOTH: Final = """
    (SELECT * FROM "{table}" WHERE valid_from = %(second)s) AS later
    LEFT JOIN (SELECT * FROM "{table}" WHERE valid_from = %(first)s) AS earlier USING ({key})
"""
_IN_BOTH: Final = "earlier._dlt_id IS NOT NULL"


@dataclass(frozen=True)
class Change:
    """How many rows of a table are new, changed, or the same in the second load.

    None are gone, for a company deletes nothing.
    """

    new: int
    changed: int
    same: int


@dataclass(frozen=True)
class Outcome:
    """What is stored of a table after the second load."""

    before: int  # current rows after the first load
    after: int  # current rows after the second
    versions: int  # stored rows: the current ones and the closed
    duplicates: int  # keys that more than one current row has
    did: Mapping[str, int]  # rows that the second load added, changed, closed, removed


@dataclass(frozen=True)
class Version:
    """What a stored row says of the example, from a day on until a day (exclusive), or still."""

    value: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Example:
    """A row that changed, and what of it to look at."""

    table: str
    key: str
    column: str
    before: str | None
    after: str | None


def change(connection: Connection, table: Table, first: date, second: date) -> Change:
    """Compare the two loads, both of which were appended."""
    [counts] = connection.execute(
        f"""
        SELECT
            count(*) FILTER (WHERE NOT {_IN_BOTH}),
            count(*) FILTER (WHERE {_IN_BOTH} AND {_differing(table)}),
            count(*) FILTER (WHERE {_IN_BOTH} AND NOT {_differing(table)})
        FROM {_BOTH.format(table=table.name, key=table.key)}
        """,
        {"first": first, "second": second},
    ).fetchall()
    return Change(*counts)


def example(connection: Connection, first: date, second: date) -> Example | None:
    """A row that differs between the two loads, both of which were appended; None if none does."""
    for table in _FOLLOWED:
        values = [column for column in table.columns if column != table.key]
        # The columns that tell most come first, in the choice of the row as in that of the column.
        values.sort(key=lambda column: column not in _TELLING)
        pairs = ", ".join(f"earlier.{v}::text, later.{v}::text" for v in values)
        found = connection.execute(
            f"""
            SELECT {table.key}::text, {pairs} FROM {_BOTH.format(table=table.name, key=table.key)}
            WHERE {_IN_BOTH} AND {_differing(table)}
            ORDER BY earlier.{values[0]} IS DISTINCT FROM later.{values[0]} DESC, {table.key}
            LIMIT 1
            """,
            {"first": first, "second": second},
        ).fetchone()
        if found:
            key, *both = found
            sides = zip(values, both[::2], both[1::2], strict=True)
            column, before, after = next(side for side in sides if side[1] != side[2])
            return Example(table.name, key, column, before, after)
    return None


def versions(connection: Connection, of: Example) -> Sequence[Version]:
    """All that is stored of the example, oldest first."""
    (key,) = (table.key for table in TABLES if table.name == of.table)
    rows = connection.execute(
        f'SELECT {of.column}::text, valid_from::date, valid_to::date FROM "{of.table}"'
        f" WHERE {key}::text = %s ORDER BY valid_from, _dlt_load_id",
        (of.key,),
    ).fetchall()
    return [Version(*row) for row in rows]


def rows(connection: Connection, table: Table) -> tuple[int, int, int]:
    """Current rows, stored rows, and keys that more than one current row has."""
    [counts] = connection.execute(
        f"""
        SELECT
            (SELECT count(*) FROM {table.view}),
            (SELECT count(*) FROM "{table.name}"),
            (SELECT count(*) FROM (
                SELECT FROM {table.view} GROUP BY {table.key} HAVING count(*) > 1) AS repeated)
        """
    ).fetchall()
    current, stored, repeated = counts
    return current, stored, repeated


def last_changes(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """For each table, how many rows the newest load added, changed, ..."""
    [(changes,)] = connection.execute(
        f"SELECT changes FROM {RECEIPT_TABLE} ORDER BY published_at DESC LIMIT 1"
    ).fetchall()
    found: Mapping[str, Mapping[str, int]] = changes
    return found


def _differing(table: Table) -> str:
    values = [column for column in table.columns if column != table.key]
    earlier, later = (", ".join(f"{side}.{v}" for v in values) for side in ("earlier", "later"))
    return f"({earlier}) IS DISTINCT FROM ({later})"
