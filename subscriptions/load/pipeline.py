"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from subscriptions.load import comparison, interruption, leftovers, publication, receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.finishing import Finisher
from subscriptions.load.generation import generation
from subscriptions.load.lock import load_lock
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.staging import Staging
from subscriptions.load.tables import TABLES
from subscriptions.load.target import SESSION_OPTIONS, Target

# Database sessions that index at a time: the server has to keep up with them.
SESSIONS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a load left: its receipt, and what is worth knowing besides."""

    receipt: Receipt
    notes: Sequence[str]


def run(
    target: Target,
    request: Request,
    working_dir: Path,
    say: Say,
    progress: Progress = SILENT,
) -> Result:
    """Load what was requested.

    Args:
        target: the database and dataset to load into.
        request: what was asked for; the dataset's last load fills in the rest.
        working_dir: where dlt keeps its pipelines.
        say: called with a line at the beginning, and with what is worth knowing.
        progress: told of each phase, and how far it got.

    Raises:
        LoadError: refused before anything was changed, with a sentence for the person.
        Exception: whatever stopped it underway; `errors.explain` words it. Nothing was published.
    """
    with load_lock(target, request.wait, say):
        with target.connect("load_faker_data") as connection:
            recorded = receipt.latest(connection, target.dataset)
        load = resolve(request, recorded, datetime.now(UTC))
        leftovers.remove_files(target.folder)
        if recorded is not None and _finished_before(load, recorded, say):
            load_id = recorded.load_id
            leftovers.drop_schemas(target)
        else:
            load_id = execute(target, load, working_dir, say, progress)
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
    target: Target, load: Load, working_dir: Path, say: Say, progress: Progress = SILENT
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
    with generation(load, target.folder, progress) as made:
        connect = partial(target.connect, "load_faker_data", SESSION_OPTIONS)
        compared = comparison.compare(connect, target.dataset, load, made, progress)
        progress.begin(Phase.COPYING, compared.about_rows(load))
        made.begin(compared.selections)
        with connect() as connection:
            swap = publication.is_swappable(connection.cursor(), target.dataset, load)
        names = (target.dataset, f"{target.dataset}_staging")
        finisher = Finisher(connect, *names, SESSIONS, progress) if swap else None
        staging = Staging(load, made, compared.selections, compared.unchanged, finisher, progress)
        try:
            return _through_dlt(target, staging, folder)
        finally:
            progress.end()
            if finisher:
                finisher.stop()
            leftovers.drop_schemas(target)
            if interruption.is_given_up():
                leftovers.empty(folder)


def _through_dlt(target: Target, staging: Staging, folder: Path) -> str:
    """Have dlt stage the load and publish it; returns its id."""
    # dlt takes most of a second to import: not before the worker processes have begun.
    import dlt
    from dlt.common.runtime.collector import NULL_COLLECTOR
    from dlt.pipeline import trace

    from subscriptions.load.destination import dataset_postgres
    from subscriptions.load.source import faker_data

    # Usage statistics are off, but the modules that would send them still leave a file with an
    # id in the user's home.
    trace.TRACKING_MODULES = []
    # A finished load's files are of no more use; dlt would keep those of every load.
    dlt.config["load.delete_completed_jobs"] = True
    pipeline = dlt.pipeline(
        target.pipeline,
        pipelines_dir=str(folder),
        destination=dataset_postgres(
            staging, target.credentials(), create_indexes=False, destination_name="postgres"
        ),
        dataset_name=target.dataset,
        progress=NULL_COLLECTOR,
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
