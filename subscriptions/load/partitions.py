"""LOAD: what a worker process makes of one partition of the company: rows to COPY, or their sums.

It must import neither Django nor dlt, which would cost each worker a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from subscriptions.extract import Company
from subscriptions.load import binary_copy
from subscriptions.load.checksums import (
    NO_ROWS,
    BucketSums,
    Checksum,
    Stored,
    buckets,
    checksum,
)
from subscriptions.load.tables import PLAN, SUBSCRIPTION, USAGE, USER, Table

PARTITIONED = (USER, SUBSCRIPTION, USAGE)
# Numbers of as many digits are in order as text, too.
_FIRST_ROW: Final = 1_000_000


@dataclass(frozen=True)
class Changed:
    """The rows that are new or changed since a day, of a table that is as it was on that day."""

    since: date
    stored: Stored
    """What PostgreSQL says of the table."""


Selection = npt.NDArray[np.int64] | Changed | None
"""Which of a table's rows are wanted: those in some buckets, those that changed, or all (None)."""


@dataclass(frozen=True)
class Order:
    """What every partition of one load has in common."""

    company: Company
    as_of: date
    row_prefix: str
    """Makes a row's `_dlt_id` unique among loads."""
    folder: Path


@dataclass(frozen=True)
class Part:
    """One partition's share of a table: a file of COPY's binary rows, and what they sum up to."""

    path: Path
    checksum: Checksum
    outdated: Checksum = NO_ROWS
    """What those of them that are stored already, but have changed since, sum up to as stored."""


def follow_parent() -> None:
    """Leave Ctrl-C to the parent process, end when it does, however it ended, and stay small."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Arrow's own allocator keeps what was freed; the system's gives it back when asked.
    pa.set_memory_pool(pa.system_memory_pool())
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def write_plans(order: Order, selection: Selection) -> Part:
    """Write the plans."""
    return _written(order.company.plans(order.as_of), PLAN, order, selection, 0)


def write_partition(
    order: Order, number: int, selections: Mapping[str, Selection]
) -> Mapping[str, Part]:
    """Write the selected rows of one partition, for each table to a file of its own."""
    changed = next((s for s in selections.values() if isinstance(s, Changed)), None)
    if changed is None:
        tables: Mapping[str, pa.Table] = order.company.partition(number, order.as_of)
        before: Mapping[str, pa.Table] = {}
    else:
        changes = order.company.changes(number, order.as_of, changed.since)
        tables, before = changes.after, changes.before
    parts = {}
    for table in PARTITIONED:
        if table.name in selections:
            part = _written(tables[table.name], table, order, selections[table.name], number)
            outdated = checksum(table, before[table.name]) if before else NO_ROWS
            parts[table.name] = replace(part, outdated=outdated)
    return parts


def sum_partition(order: Order, number: int) -> Mapping[str, BucketSums]:
    """What the partition's rows sum up to, bucket by bucket."""
    tables = order.company.partition(number, order.as_of)
    return {table.name: BucketSums.of(table, tables[table.name]) for table in PARTITIONED}


def copied_columns(table: Table) -> tuple[str, ...]:
    """The columns of a file's rows; the others are the same in all rows of a load."""
    return (*table.columns, "_dlt_id")


def _written(rows: pa.Table, table: Table, order: Order, selection: Selection, number: int) -> Part:
    if isinstance(selection, np.ndarray):
        rows = rows.filter(pa.array(np.isin(buckets(table, rows), selection)))
    prefix, first = f"{order.row_prefix}-{number:04}", _FIRST_ROW
    path = order.folder / f"{table.name}-{number:05}.copy"
    with path.open("wb") as file:
        for batch in rows.to_batches(max_chunksize=binary_copy.ROWS_AT_ONCE):
            some = _with_row_id(pa.Table.from_batches([batch]), prefix, first)
            first += batch.num_rows
            for piece in binary_copy.body(some):
                file.write(piece)
    part = Part(path, checksum(table, rows))
    pa.default_memory_pool().release_unused()
    return part


def _with_row_id(rows: pa.Table, prefix: str, first: int) -> pa.Table:
    """Number the rows, in the order in which they are stored.

    Each id is greater than those before it, of earlier loads as well: in an index they lie side by
    side at its end, where ids in no order would change nearly every page of it.
    """
    if "features" in rows.column_names:
        place = rows.schema.get_field_index("features")
        rows = rows.set_column(place, "features", binary_copy.jsonb(rows["features"]))
    numbers = pa.array(np.arange(first, first + rows.num_rows)).cast(pa.string())
    return rows.append_column("_dlt_id", pc.binary_join_element_wise(prefix, numbers, "-"))
