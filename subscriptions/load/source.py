"""LOAD: the dlt source, one resource per table, each handing over the head of a file to COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.typing import (
    TMergeDispositionDict,
    TScd2StrategyDict,
    TWriteDispositionConfig,
)
from dlt.extract import DltResource

from subscriptions import __version__
from subscriptions.load import receipt
from subscriptions.load.partitions import copied_columns
from subscriptions.load.request import Load
from subscriptions.load.rows import Rows
from subscriptions.load.tables import RECEIPT_TABLE, TABLES, Disposition, Table

UPSERT: TMergeDispositionDict = {"disposition": "merge", "strategy": "upsert"}
SCD2: TScd2StrategyDict = {
    "disposition": "merge",
    "strategy": "scd2",
    "validity_column_names": ["valid_from", "valid_to"],
}
HINTS: Mapping[Disposition, TWriteDispositionConfig] = {
    "replace": "replace",
    "append": "append",
    "merge": UPSERT,
    "scd2": SCD2,
}

# dlt's scd2 hint forgets the type that `columns` gave to `_dlt_id`, which it takes for the row's
# hash; the schema of an Arrow table, whose (absent) rows are not looked at, gives it again.
ROW_ID = pa.schema([("_dlt_id", pa.string())]).empty_table()


@dlt.source(name="faker_data", max_table_nesting=0)
def faker_data(load: Load, rows: Rows) -> Iterable[DltResource]:
    """The company as four resources, and the load's receipt as a fifth.

    Each resource's write disposition is the standard dlt hint; `publication` honours it. The
    files that dlt imports lie in the rows' folder meanwhile, and have a header alone: the rows
    follow as they come, when the table's job runs (`copying`).
    """
    for table in TABLES:
        yield _resource(table, load, rows.folder)
    yield dlt.resource(
        _receipt,
        name=RECEIPT_TABLE,
        columns=dict(receipt.COLUMNS),
        write_disposition="append",
    )(load, rows.noted)


def _resource(table: Table, load: Load, folder: Path) -> DltResource:
    def items() -> Iterator[Any]:
        head = folder / f"{table.name}.csv"
        head.write_text(",".join(copied_columns(table)) + "\n")
        yield dlt.mark.with_file_import(str(head), "csv", hints=ROW_ID)

    return dlt.resource(
        items,
        name=table.name,
        primary_key=table.key,
        columns=table.dlt_columns,
        write_disposition=HINTS[load.dispositions[table.name]],
    )


def _receipt(load: Load, noted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The receipt's row, as far as it is known beforehand; publishing completes it."""
    company = load.company
    yield {
        "version": __version__,
        "seed": company.seed,
        "users": company.users,
        "epoch": company.epoch,
        "as_of": load.as_of,
        "dispositions": dict(load.dispositions),
        "started_at": load.started_at,
        **noted,
    }
