"""LOAD: the dlt source, one resource per table, each handing over files that are ready to COPY."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.typing import (
    TMergeDispositionDict,
    TScd2StrategyDict,
    TWriteDispositionConfig,
)
from dlt.common.storages.load_package import load_package_state
from dlt.extract import DltResource

from subscriptions.load import receipt
from subscriptions.load.files import (
    PARTITIONED,
    File,
    Stamp,
    follow_parent,
    write_partition,
    write_plans,
)
from subscriptions.load.request import Load
from subscriptions.load.tables import PLAN, RECEIPT_TABLE, TABLES, Disposition, Table

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


class PartitionFiles:
    """The partitions' files, written once however many resources ask for their share of them.

    With more than one worker and partition, as many processes write them; they are spawned, not
    forked, because dlt's threads and the embedded server's handle must not be duplicated.
    """

    def __init__(self, load: Load, folder: Path, pool: ProcessPoolExecutor | None) -> None:
        self._load = load
        self._folder = folder
        self._pool = pool
        self._futures: dict[int, Future[Mapping[str, File]]] = {}
        self._partitions = load.company.partitions(load.as_of)
        self.count = 1 + self._partitions * len(PARTITIONED)  # the plans have one file
        self.rows: dict[str, int] = {}

    def of(self, table: Table, stamp: Stamp) -> Iterator[File]:
        """The table's files: one of plans, and of the others one for each partition, in order."""
        if table is PLAN:
            yield self._counted(PLAN, write_plans(self._load.company, stamp, self._folder))
            return
        self._start(stamp)
        for number in range(self._partitions):
            yield self._counted(table, self._futures[number].result()[table.name])

    def _start(self, stamp: Stamp) -> None:
        if self._futures:
            return
        for number in range(self._partitions):
            task = (self._load.company, number, stamp, self._folder)
            if self._pool:
                self._futures[number] = self._pool.submit(write_partition, *task)
            else:
                done: Future[Mapping[str, File]] = Future()
                done.set_result(write_partition(*task))
                self._futures[number] = done

    def _counted(self, table: Table, file: File) -> File:
        self.rows[table.name] = self.rows.get(table.name, 0) + file.rows
        return file


@contextmanager
def partition_files(load: Load, name: str) -> Iterator[PartitionFiles]:
    """Temporary files for one load, gone afterwards; TMPDIR says where they lie.

    `name` tells the dataset's files from others', so that those of a killed load go as well.
    """
    for left in Path(tempfile.gettempdir()).glob(f"load_faker_data-{name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    processes = min(load.workers, load.company.partitions(load.as_of))
    with tempfile.TemporaryDirectory(prefix=f"load_faker_data-{name}-") as folder:
        if processes == 1:
            yield PartitionFiles(load, Path(folder), None)
            return
        with ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=follow_parent
        ) as pool:
            try:
                yield PartitionFiles(load, Path(folder), pool)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


@dlt.source(name="faker_data", max_table_nesting=0)
def faker_data(load: Load, files: PartitionFiles) -> Iterable[DltResource]:
    """The company as four resources, and the load's receipt as a fifth.

    Each resource's write disposition is the standard dlt hint; `destination` honours it.
    """
    for table in TABLES:
        yield _resource(table, load, files)
    yield dlt.resource(
        _receipt,
        name=RECEIPT_TABLE,
        columns=dict(receipt.COLUMNS),
        write_disposition="append",
    )(load, files)


def _resource(table: Table, load: Load, files: PartitionFiles) -> DltResource:
    def items() -> Iterator[Any]:
        # dlt gives the load its id when extraction begins, so the files are stamped here.
        stamp = Stamp(load_package_state()["load_id"], load.as_of)
        for file in files.of(table, stamp):
            yield dlt.mark.with_file_import(file.path, "csv", file.rows, hints=ROW_ID)

    return dlt.resource(
        items,
        name=table.name,
        primary_key=table.key,
        columns=table.dlt_columns,
        write_disposition=HINTS[load.dispositions[table.name]],
    )


def _receipt(load: Load, files: PartitionFiles) -> Iterator[dict[str, Any]]:
    """The receipt's row; a generator, and last in order, so that all rows are counted by then."""
    company = load.company
    yield {
        "seed": company.seed,
        "users": company.users,
        "epoch": company.epoch,
        "as_of": load.as_of,
        "dispositions": dict(load.dispositions),
        "rows": {table.name: files.rows.get(table.name, 0) for table in TABLES},
        "started_at": load.started_at,
    }
