"""LOAD: write a partition of the company to CSV files, as dlt's PostgreSQL COPY takes them.

Runs in worker processes: it must import neither Django nor dlt, which would cost each of them
a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from subscriptions.extract import Company
from subscriptions.load.tables import PLAN, SUBSCRIPTION, USAGE, USER, Table

PARTITIONED = (USER, SUBSCRIPTION, USAGE)


@dataclass(frozen=True)
class Stamp:
    """What every row of one load carries besides its business columns."""

    load_id: str
    as_of: date

    @property
    def row_suffix(self) -> str:
        """Makes a key's `_dlt_id` unique among loads: the load's id in base 36."""
        number, digits = int(self.load_id.replace(".", "")), ""
        while number:
            number, digit = divmod(number, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        return digits

    def applied_to(self, rows: pa.Table, table: Table) -> pa.Table:
        """The rows with `valid_from`, `_dlt_load_id`, `_dlt_id`; `valid_to` is left null."""
        count = rows.num_rows
        key = rows.column(table.key).cast(pa.string())
        return (
            rows.append_column("valid_from", pa.repeat(f"{self.as_of} 00:00:00+00", count))
            .append_column("_dlt_load_id", pa.repeat(self.load_id, count))
            .append_column("_dlt_id", pc.binary_join_element_wise(key, self.row_suffix, "-"))
        )


@dataclass(frozen=True)
class File:
    """One CSV file with a header, and how many rows it holds."""

    path: str
    rows: int


def follow_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it does, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def write_plans(company: Company, stamp: Stamp, folder: Path) -> File:
    """Write the plans."""
    return _write(company.plans(stamp.as_of), PLAN, stamp, folder / "plan.csv")


def write_partition(
    company: Company, number: int, stamp: Stamp, folder: Path
) -> Mapping[str, File]:
    """Write one partition's users, subscriptions and usage, each to a file of its own."""
    tables = company.partition(number, stamp.as_of)
    return {
        table.name: _write(
            tables[table.name], table, stamp, folder / f"{table.name}-{number:05}.csv"
        )
        for table in PARTITIONED
    }


def _write(rows: pa.Table, table: Table, stamp: Stamp, path: Path) -> File:
    options = csv.WriteOptions(quoting_style="needed")
    csv.write_csv(stamp.applied_to(rows, table), path, options)
    return File(str(path), rows.num_rows)
