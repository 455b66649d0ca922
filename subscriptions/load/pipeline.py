"""LOAD: run one load: lock, extract, normalize, load, publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from subscriptions.load import (
    advance,
    backfill,
    comparison,
    interruption,
    leftovers,
    publication,
    receipt,
)
from subscriptions.load.advance import Confirmation
from subscriptions.load.comparison import Comparison
from subscriptions.load.errors import LoadError
from subscriptions.load.finishing import Finisher
from subscriptions.load.generation import generation
from subscriptions.load.lock import load_lock
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load, Request, resolve
from subscriptions.load.rows import Rows
from subscriptions.load.staging import Staging
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

# Database sessions that index at a time: the server has to keep up with them.
SESSIONS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What was loaded: the receipt of each load, in order, and what is worth knowing besides."""

    receipts: Sequence[Receipt]
    notes: Sequence[str]

    @property
    def receipt(self) -> Receipt:
        """That of the last load, which says what the dataset holds."""
        return self.receipts[-1]

    @property
    def changes(self) -> Mapping[str, Mapping[str, int]]:
        """For each table what all loads together changed, by kind."""
        found: dict[str, Counter[str]] = {table.name: Counter() for table in TABLES}
        for load in self.receipts:
            for name, counts in load.changes.items():
                found[name].update(counts)
        return found


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
    with load_lock(target, request.wait, say) as lock_holder:
        leftovers.remove_files(target.folder)
        steps = _steps(target, request)
        if len(steps) == 1:
            receipt_, notes = _run(target, steps[0], working_dir, say, say, progress, lock_holder)
            return Result([receipt_], notes)
        progress.begin(Phase.BACKFILLING, len(steps))
        receipts = []
        for step in steps:
            receipt_, notes = _run(
                target, step, working_dir, say, _say_nothing, SILENT, lock_holder
            )
            receipts.append(receipt_)
            say(f"  as of {receipt_.as_of}  {receipt_.rows['user']:>10,} users")
            progress.advance(Phase.BACKFILLING, 1)
        progress.end()
        return Result(receipts, notes)


def _say_nothing(_line: str) -> None:
    pass


def _steps(target: Target, request: Request) -> Sequence[Request]:
    """The loads that were asked for: one, or those of a history."""
    if request.backfill is None:
        return [request]
    with target.connect("load_faker_data") as connection:
        recorded = receipt.latest(connection, target.dataset)
        loaded = backfill.loaded_days(connection, target.dataset) if recorded else set()
    return backfill.requests(request, request.backfill, recorded, loaded, datetime.now(UTC))


def _run(
    target: Target,
    request: Request,
    working_dir: Path,
    say: Say,
    announce: Say,
    progress: Progress,
    lock_holder: int,
) -> tuple[Receipt, Sequence[str]]:
    """One load; the caller holds the dataset's lock."""
    with target.connect("load_faker_data") as connection:
        recorded = receipt.latest(connection, target.dataset)
    load = resolve(request, recorded, datetime.now(UTC))
    if recorded is not None and not recorded.finished:
        say("The load before this one was interrupted after its data had been published.")
        leftovers.empty(working_dir / target.folder)
    if recorded is not None and _finished_before(load, recorded):
        load_id = recorded.load_id
        leftovers.drop_schemas(target)
    else:
        company = load.company
        announce(
            f"Generating the company of seed {company.seed}, which has {company.users:,} users "
            f"on {company.epoch}, as of {load.as_of} ..."
        )
        load_id = execute(target, load, working_dir, say, progress, lock_holder)
    with target.connect("load_faker_data") as connection:
        return _finished(connection, target.dataset, load, load_id)


def _finished_before(load: Load, recorded: Receipt) -> bool:
    """Whether this very load was published by a command that was killed before its end.

    To run it once more would, under `append`, add its rows a second time.
    """
    return (
        not recorded.finished
        and (recorded.company, recorded.as_of) == (load.company, load.as_of)
        and recorded.dispositions == load.dispositions
    )


def execute(
    target: Target,
    load: Load,
    working_dir: Path,
    say: Say,
    progress: Progress = SILENT,
    lock_holder: int | None = None,
) -> str:
    """Run one definite load through dlt, and return its id; the caller holds the dataset's lock."""
    clear(target, working_dir, say)
    connect = partial(target.connect, "load_faker_data")
    if changes := advance.since_last(connect, target.dataset, load):
        compared, last = changes
        with (
            generation(load, target.folder, progress, of_changes=True) as made,
            advance.confirmation(connect, target.dataset, last) as confirmed,
        ):
            try:
                return bring(
                    target, load, made, compared, working_dir, progress, lock_holder, confirmed
                )
            except Exception:
                if not confirmed.refuted:
                    raise
        say("Somebody has changed what the last load left; it is compared, and repaired.")
        leftovers.empty(working_dir / target.folder)
    with generation(load, target.folder, progress) as made:
        compared = comparison.compare(connect, target.dataset, load, made, progress)
        return bring(target, load, made, compared, working_dir, progress, lock_holder)


def clear(target: Target, working_dir: Path, say: Say) -> None:
    """Drop what an earlier load left lying about, and say so if it was interrupted."""
    # Before anything else: on a full disk dlt could not even truncate what is staged.
    leftovers.drop_schemas(target)
    if leftovers.empty(working_dir / target.folder):
        say("The load before this one was interrupted; what it had not published is dropped.")


def bring(
    target: Target,
    load: Load,
    rows: Rows,
    compared: Comparison,
    working_dir: Path,
    progress: Progress = SILENT,
    lock_holder: int | None = None,
    confirmed: Confirmation | None = None,
) -> str:
    """Bring the rows that differ into the dataset, through dlt; returns the load's id."""
    progress.begin(Phase.COPYING, compared.about_rows(load))
    rows.begin(compared.selections)
    connect = partial(target.connect, "load_faker_data")
    with connect() as connection:
        # Where no more is staged than a part of a table, that may not take its place: not even
        # if somebody has emptied the table meanwhile.
        swap = compared.is_whole and publication.is_swappable(
            connection.cursor(), target.dataset, load
        )
    names = (target.dataset, f"{target.dataset}_staging")
    finisher = Finisher(connect, *names, SESSIONS, progress) if swap else None
    staging = Staging(
        load,
        rows,
        compared.selections,
        compared.unchanged,
        finisher,
        lock_holder,
        progress,
        confirmed,
    )
    folder = working_dir / target.folder
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
    source = faker_data(staging.load, staging.rows)
    (load_id,) = pipeline.extract(source).loads_ids
    pipeline.normalize()
    # All at the same time, for they take their rows from the same partitions.
    pipeline.load(workers=len(TABLES) + 1)
    return load_id


def _finished(
    connection: psycopg.Connection[Any], dataset: str, load: Load, load_id: str
) -> tuple[Receipt, Sequence[str]]:
    """The receipt of a load that is done, and what to tell people about it."""
    written = receipt.latest(connection, dataset)
    if written is None or written.load_id != load_id:
        raise LoadError(f"dlt ended without publishing load {load_id}: run this again.")
    receipt.finish(connection, dataset, written.load_id)
    return written, load.company.notes(load.as_of, written.rows["subscription"])
