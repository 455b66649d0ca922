"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from subscriptions.load import leftovers, receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

if TYPE_CHECKING:
    from rich.console import Console

# COPY sessions at a time: the database server has to keep up with them.
LOAD_WORKERS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a load left: its receipt, and the rows that each table now has."""

    receipt: Receipt
    current_rows: Mapping[str, int]
    closed_versions: Mapping[str, int]
    notes: Sequence[str]


def run(
    target: Target, request: Request, working_dir: Path, say: Say, console: Console | None = None
) -> Result:
    """Load what was requested.

    Args:
        target: the database and dataset to load into.
        request: what was asked for; the dataset's last load fills in the rest.
        working_dir: where dlt keeps its pipelines.
        say: called with a line as each phase begins, and with what is worth knowing.
        console: the terminal to show live progress on, if there is one.

    Raises:
        LoadError: refused before anything was changed, with a sentence for the person.
        Exception: whatever stopped it underway; `errors.explain` words it. Nothing was published.
    """
    with load_lock(target):
        with target.connect("load_faker_data") as connection:
            recorded = receipt.latest(connection, target.dataset)
        load = resolve(request, recorded, datetime.now(UTC))
        if recorded is not None and _finished_before(load, recorded, say):
            load_id = recorded.load_id
            leftovers.drop_schemas(target)
        else:
            load_id = execute(target, load, working_dir, say, console)
        with target.connect("load_faker_data") as connection:
            return _result(connection, target.dataset, load, load_id)


def _finished_before(load: Load, recorded: Receipt, say: Say) -> bool:
    """Whether this very load was published by a command that was killed before its end.

    To run it once more would, under `append`, add its rows a second time.
    """
    if recorded.finished:
        return False
    say("The load before this one was interrupted after its data had been published.")
    company = load.company
    return (recorded.seed, recorded.users, recorded.epoch, recorded.as_of) == (
        company.seed,
        company.users,
        company.epoch,
        load.as_of,
    ) and recorded.dispositions == load.dispositions


def execute(
    target: Target, load: Load, working_dir: Path, say: Say, console: Console | None = None
) -> str:
    """Run one definite load through dlt, and return its id; the caller holds the dataset's lock."""
    # dlt takes most of a second to import: not before it is certain that there is work for it.
    import dlt
    from dlt.common.runtime.collector import NULL_COLLECTOR
    from dlt.pipeline import trace

    from subscriptions.load.destination import dataset_postgres
    from subscriptions.load.progress import LiveProgress
    from subscriptions.load.source import faker_data, partition_files

    # Usage statistics are off, but the modules that would send them still leave a file with an
    # id in the user's home.
    trace.TRACKING_MODULES = []
    # Resources one after the other, so that the receipt, the last one, sees all rows counted.
    dlt.config["extract.next_item_mode"] = "fifo"
    # A finished load's files are of no more use; dlt would keep those of every load.
    dlt.config["load.delete_completed_jobs"] = True
    # Before anything else: on a full disk dlt could not even truncate what is staged.
    leftovers.drop_schemas(target)
    folder = working_dir / target.folder
    if leftovers.empty(folder):
        say("The load before this one was interrupted; what it had not published is dropped.")
    progress = LiveProgress(console) if console else None
    pipeline = dlt.pipeline(
        target.pipeline,
        pipelines_dir=str(folder),
        destination=dataset_postgres(
            target.credentials(), create_indexes=False, destination_name="postgres"
        ),
        dataset_name=target.dataset,
        progress=progress or NULL_COLLECTOR,
    )
    company = load.company
    say(
        f"Generating the company of seed {company.seed}, which has {company.users:,} users "
        f"on {company.epoch}, as of {load.as_of} ..."
    )
    with partition_files(load, target.folder) as files:
        if progress:
            progress.expect(files.count)
        (load_id,) = pipeline.extract(faker_data(load, files)).loads_ids
    pipeline.normalize()
    say(f"Loading {sum(files.rows.values()):,} rows into {target.dataset} ...")

    try:
        pipeline.load(workers=LOAD_WORKERS)
    finally:
        leftovers.drop_schemas(target)
    return load_id


def _result(connection: psycopg.Connection[Any], dataset: str, load: Load, load_id: str) -> Result:
    written = receipt.latest(connection, dataset)
    if written is None or written.load_id != load_id:
        raise LoadError(f"dlt ended without publishing load {load_id}: run this again.")
    receipt.finish(connection, dataset, written.load_id)
    current, closed = {}, {}
    for table in TABLES:
        query = sql.SQL(
            "SELECT count(*) FILTER (WHERE valid_to IS NULL), count(valid_to) FROM {}"
        ).format(sql.Identifier(dataset, table.name))
        row = connection.execute(query).fetchone()
        current[table.name], closed[table.name] = row if row else (0, 0)
    notes = load.company.notes(load.as_of, written.rows["subscription"])
    return Result(written, current, closed, notes)
