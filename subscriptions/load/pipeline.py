"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from subscriptions.load import receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

if TYPE_CHECKING:
    from rich.console import Console

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
    with target.connect("load_faker_data") as connection, load_lock(connection, target.dataset):
        recorded = receipt.latest(connection, target.dataset)
        load = resolve(request, recorded, datetime.now(UTC))
        if recorded is None or not _finished_before(load, recorded, say):
            execute(target, load, working_dir, say, console)
        return _result(connection, target.dataset, load)


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
) -> None:
    """Run one definite load through dlt; the caller holds the dataset's lock."""
    # dlt takes most of a second to import: not before it is certain that there is work for it.
    import dlt
    from dlt.common.runtime.collector import NULL_COLLECTOR
    from dlt.pipeline import trace

    from subscriptions.load.destination import dataset_postgres
    from subscriptions.load.progress import LiveProgress
    from subscriptions.load.source import faker_data, partition_files

    progress = LiveProgress(console) if console else None
    # Usage statistics are off, but the modules that would send them still leave a file with an
    # id in the user's home.
    trace.TRACKING_MODULES = []
    # Resources one after the other, so that the receipt, the last one, sees all rows counted.
    dlt.config["extract.next_item_mode"] = "fifo"
    # A finished load's files are of no more use; dlt would keep those of every load.
    dlt.config["load.delete_completed_jobs"] = True
    pipeline = dlt.pipeline(
        target.pipeline,
        pipelines_dir=str(working_dir),
        destination=dataset_postgres(
            target.credentials(), create_indexes=False, destination_name="postgres"
        ),
        dataset_name=target.dataset,
        progress=progress or NULL_COLLECTOR,
    )
    if pipeline.has_pending_data:
        # dlt would load such a package first, and leave the new data out.
        pipeline.abort_packages()
        say("The load before this one was interrupted; what it had not published is dropped.")
    company = load.company
    say(f"Generating {company.users:,} users as of {load.as_of}, seed {company.seed} ...")
    with partition_files(load) as files:
        if progress:
            progress.expect(files.count)
        pipeline.extract(faker_data(load, files))
    pipeline.normalize()
    say(f"Loading {sum(files.rows.values()):,} rows into {target.dataset} ...")
    pipeline.load(workers=max(2, load.workers))


def _result(connection: psycopg.Connection[Any], dataset: str, load: Load) -> Result:
    written = receipt.latest(connection, dataset)
    if written is None:
        raise LoadError("The load left no receipt: check the rights on the dataset's schema.")
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
