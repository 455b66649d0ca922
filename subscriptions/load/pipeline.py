"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from subscriptions.load import comparison, leftovers, publication, receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.finishing import Finisher
from subscriptions.load.generation import generation
from subscriptions.load.lock import load_lock
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.staging import Staging
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

if TYPE_CHECKING:
    from rich.console import Console

# Database sessions that index at a time: the server has to keep up with them.
SESSIONS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a load left: its receipt, and what is worth knowing besides."""

    receipt: Receipt
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
    with load_lock(target) as confirm_lock:
        with target.connect("load_faker_data") as connection:
            recorded = receipt.latest(connection, target.dataset)
        load = resolve(request, recorded, datetime.now(UTC))
        leftovers.remove_files(target.folder)
        if recorded is not None and not recorded.finished:
            say("The load before this one was interrupted after its data had been published.")
            leftovers.empty(working_dir / target.folder)
        if recorded is not None and _finished_before(load, recorded):
            load_id = recorded.load_id
            leftovers.drop_schemas(target)
        else:
            load_id = execute(target, load, working_dir, say, console, confirm_lock)
        with target.connect("load_faker_data") as connection:
            return _result(connection, target.dataset, load, load_id)


def _finished_before(load: Load, recorded: Receipt) -> bool:
    """Whether this very load was published by a command that was killed before its end.

    To run it once more would, under `append`, add its rows a second time.
    """
    company = load.company
    return (
        not recorded.finished
        and (recorded.seed, recorded.users, recorded.epoch, recorded.as_of)
        == (
            company.seed,
            company.users,
            company.epoch,
            load.as_of,
        )
        and recorded.dispositions == load.dispositions
    )


def execute(
    target: Target,
    load: Load,
    working_dir: Path,
    say: Say,
    console: Console | None = None,
    confirm_lock: Callable[[], None] = lambda: None,
) -> str:
    """Run one definite load through dlt, and return its id; the caller holds the dataset's lock."""
    # Before anything else: on a full disk dlt could not even truncate what is staged.
    leftovers.drop_schemas(target)
    folder = working_dir / target.folder
    if leftovers.empty(folder):
        say("The load before this one was interrupted; what it had not published is dropped.")
    company = load.company
    say(
        f"Generating the company of seed {company.seed}, which has {company.users:,} users "
        f"on {company.epoch}, as of {load.as_of} ..."
    )
    with generation(load, target.folder) as made:
        connect = partial(target.connect, "load_faker_data")
        compared = comparison.compare(connect, target.dataset, load, made)
        made.begin(compared.selections)
        with connect() as connection:
            swap = publication.is_swappable(connection.cursor(), target.dataset, load)
        names = (target.dataset, f"{target.dataset}_staging")
        finisher = Finisher(connect, *names, SESSIONS) if swap else None
        try:
            return _through_dlt(
                target,
                Staging(
                    load, made, compared.selections, compared.unchanged, finisher, confirm_lock
                ),
                folder,
                console,
            )
        finally:
            if finisher:
                finisher.stop()
            leftovers.drop_schemas(target)


def _through_dlt(target: Target, staging: Staging, folder: Path, console: Console | None) -> str:
    """Have dlt stage the load and publish it; returns its id."""
    # dlt takes most of a second to import: not before the worker processes have begun.
    import dlt
    from dlt.common.runtime.collector import NULL_COLLECTOR
    from dlt.pipeline import trace

    from subscriptions.load.destination import dataset_postgres
    from subscriptions.load.progress import LiveProgress
    from subscriptions.load.source import faker_data

    # Usage statistics are off, but the modules that would send them still leave a file with an
    # id in the user's home.
    trace.TRACKING_MODULES = []
    # A finished load's files are of no more use; dlt would keep those of every load.
    dlt.config["load.delete_completed_jobs"] = True
    progress = LiveProgress(console) if console else None
    if progress:
        staging.generation.on_rows = progress.rows
    pipeline = dlt.pipeline(
        target.pipeline,
        pipelines_dir=str(folder),
        destination=dataset_postgres(
            staging, target.credentials(), create_indexes=False, destination_name="postgres"
        ),
        dataset_name=target.dataset,
        progress=progress or NULL_COLLECTOR,
    )
    source = faker_data(staging.load, staging.generation.folder)
    (load_id,) = pipeline.extract(source).loads_ids
    pipeline.normalize()
    # All at the same time, for they take their rows from the same partitions.
    pipeline.load(workers=len(TABLES) + 1)
    return load_id


def _result(connection: psycopg.Connection[Any], dataset: str, load: Load, load_id: str) -> Result:
    written = receipt.latest(connection, dataset)
    if written is None or written.load_id != load_id:
        raise LoadError(f"dlt ended without publishing load {load_id}: run this again.")
    receipt.finish(connection, dataset, written.load_id)
    notes = load.company.notes(load.as_of, written.rows["subscription"])
    return Result(written, notes)
