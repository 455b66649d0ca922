"""LOAD: what is stored held against what the company is, before any row is copied.

Both sides are summed up, by PostgreSQL and by the generator; only where a table's sums differ are
its 4,096 buckets compared, and only the rows of buckets that differ are loaded. So a load that
changes nothing copies nothing, and a row that was changed, added or deleted by hand is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psycopg

from subscriptions.load import checksums
from subscriptions.load.checksums import BUCKETS, BucketSums, Stored
from subscriptions.load.partitions import Changed, Selection
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.request import Load
from subscriptions.load.rows import Rows
from subscriptions.load.tables import TABLES, Table

Connection = psycopg.Connection[tuple[Any, ...]]

# Beyond that share of differing buckets it is simpler to take all.
MOST_BUCKETS: Final = BUCKETS // 2
NONE: Final = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Comparison:
    """By table, which rows have to be staged; and of the tables without any, what is stored."""

    selections: Mapping[str, Selection]
    unchanged: Mapping[str, Stored]

    @property
    def is_whole(self) -> bool:
        """Whether all rows of all tables have to be staged."""
        return all(selection is None for selection in self.selections.values())

    def about_rows(self, load: Load) -> int | None:
        """Roughly how many rows will be staged; None if nobody knows."""
        rows = load.company.about_rows(load.as_of)
        about = 0
        for name, selection in self.selections.items():
            if isinstance(selection, Changed):
                return None
            share = BUCKETS if selection is None else len(selection)
            about += rows[name] * share // BUCKETS
        return about


def everything() -> Comparison:
    """Nothing is stored that could stay."""
    return Comparison({table.name: None for table in TABLES}, {})


def compare(
    connect: Callable[[], Connection],
    dataset: str,
    load: Load,
    rows: Rows,
    progress: Progress = SILENT,
) -> Comparison:
    """Compare the tables whose disposition keeps unchanged rows."""
    with connect() as connection:
        tables = [table for table in TABLES if is_comparable(connection, dataset, table, load)]
        if not tables:
            return everything()
        progress.begin(Phase.COMPARING, sum(load.company.about_rows(load.as_of).values()))
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(_stored, connection, dataset, tables)
            sums = rows.sums()
            stored = asking.result()
        selections: dict[str, Selection] = {table.name: None for table in TABLES}
        unchanged = {}
        for table in tables:
            if stored[table.name].current == sums[table.name].whole():
                selections[table.name] = NONE
                unchanged[table.name] = stored[table.name]
            else:
                query = checksums.bucket_query(table, _relation(dataset, table))
                there = BucketSums.answered(connection.execute(query).fetchall())
                differing = there.differing(sums[table.name])
                selections[table.name] = None if len(differing) > MOST_BUCKETS else differing
    return Comparison(selections, unchanged)


def stored(connection: Connection, dataset: str, table: Table) -> Stored:
    """What PostgreSQL says of a stored table."""
    query = checksums.query(table, _relation(dataset, table))
    return Stored.of(connection.execute(query).fetchone())


def _stored(connection: Connection, dataset: str, tables: list[Table]) -> Mapping[str, Stored]:
    return {table.name: stored(connection, dataset, table) for table in tables}


def is_comparable(connection: Connection, dataset: str, table: Table, load: Load) -> bool:
    """Whether unchanged rows stay, and the table is there with all its columns and some row."""
    if load.dispositions[table.name] not in {"merge", "scd2"}:
        return False
    there = connection.execute(
        "SELECT count(*) FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND column_name = ANY (%s)",
        (dataset, table.name, list(table.stored_columns)),
    ).fetchone()
    if there != (len(table.stored_columns),):
        return False
    some = connection.execute(f"SELECT FROM {_relation(dataset, table)} LIMIT 1").fetchone()
    return some is not None


def _relation(dataset: str, table: Table) -> str:
    return f'"{dataset}"."{table.name}"'
