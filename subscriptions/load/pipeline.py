"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from subscriptions.load import receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a load left: its receipt, and the rows that each table now has."""

    load: Load
    receipt: Receipt
    current_rows: Mapping[str, int]
    closed_versions: Mapping[str, int]


def run(target: Target, request: Request, working_dir: Path, say: Say) -> Result:
    """Load what was requested; `say` gets one line for each phase as it begins.

    Raises:
        LoadError: refused before anything was changed, with a sentence for the person.
        Exception: whatever stopped it underway; `errors.explain` words it. Nothing was published.
    """
    with target.connect("load_faker_data") as connection, load_lock(connection, target.dataset):
        load = resolve(request, receipt.latest(connection, target.dataset), _today())
        _load(target, load, working_dir, say)
        return _result(connection, target.dataset, load)


def _load(target: Target, load: Load, working_dir: Path, say: Say) -> None:
    # dlt takes most of a second to import: not before it is certain that there is work for it.
    import dlt

    from subscriptions.load.destination import dataset_postgres
    from subscriptions.load.source import faker_data, partition_files

    # Resources one after the other, so that the receipt, the last one, sees all rows counted.
    dlt.config["extract.next_item_mode"] = "fifo"
    pipeline = dlt.pipeline(
        target.pipeline,
        pipelines_dir=str(working_dir),
        destination=dataset_postgres(
            target.credentials(), create_indexes=False, destination_name="postgres"
        ),
        dataset_name=target.dataset,
    )
    if pipeline.has_pending_data:
        pipeline.abort_packages()
        say("An interrupted load had left unfinished files; they are dropped, its data never was.")
    with partition_files(load) as files:
        company = load.company
        say(f"Generating {company.users:,} users as of {load.as_of} (seed {company.seed})")
        pipeline.extract(faker_data(load, files))
    pipeline.normalize()
    say("Copying into PostgreSQL and publishing")
    pipeline.load(workers=max(2, load.workers))


def _result(connection: psycopg.Connection[Any], dataset: str, load: Load) -> Result:
    written = receipt.latest(connection, dataset)
    if written is None:
        raise LoadError("The load left no receipt: check the rights on the dataset's schema.")
    current, closed = {}, {}
    for table in TABLES:
        query = sql.SQL(
            "SELECT count(*) FILTER (WHERE valid_to IS NULL), count(valid_to) FROM {}"
        ).format(sql.Identifier(dataset, table.name))
        row = connection.execute(query).fetchone()
        current[table.name], closed[table.name] = row if row else (0, 0)
    return Result(load, written, current, closed)


def _today() -> Any:
    return datetime.now(UTC).date()
