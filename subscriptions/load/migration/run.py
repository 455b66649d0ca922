"""LOAD: copy a dataset to another database through dlt, so that it can be gone on with there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from subscriptions.extract import Company
from subscriptions.load import checksums, comparison, leftovers, pipeline, receipt
from subscriptions.load.checksums import Checksum, Versions
from subscriptions.load.comparison import Comparison
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.migration.ends import PURPOSE, TARGET, at_source, at_target, refuse_same
from subscriptions.load.migration.snapshot import Snapshot, place, snapshot
from subscriptions.load.migration.stored_rows import StoredRows, stored_rows
from subscriptions.load.pipeline import Say
from subscriptions.load.progress import SILENT, Progress
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load
from subscriptions.load.tables import TABLES, Table
from subscriptions.load.target import Target

Connection = psycopg.Connection[tuple[Any, ...]]

_NOT_THERE = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)


@dataclass(frozen=True)
class BothEnds:
    """One table's rows and checksum, as each server reckons them: of all versions, or current."""

    table: str
    source: Checksum
    target: Checksum

    @property
    def agree(self) -> bool:
        """Whether the copy is right."""
        return self.source == self.target


@dataclass(frozen=True)
class Result:
    """What a migration came to."""

    receipt: Receipt
    """The target's."""
    tables: Sequence[BothEnds]
    copied: bool
    """Whether anything had to be."""


@dataclass(frozen=True)
class Migration:
    """One dataset on its way from one database to another, its history included or not."""

    source: Target
    target: Target
    working_dir: Path
    """Where dlt keeps its pipelines."""
    say: Say
    """Called with a line as each phase begins, and with what is worth knowing."""
    progress: Progress = SILENT
    """Told how far the copying got."""
    history: bool = False
    """Whether all versions take the place of the target's, or the rows are loaded as of a day."""

    def run(self) -> Result:
        """Bring the target to where the source is; a second time nothing is changed.

        Raises:
            LoadError: refused before anything was changed, with a sentence for the person.
            Exception: whatever stopped it underway; `errors.explain` words it. Nothing was
                published.
        """
        refuse_same(self.source, self.target)
        with ExitStack() as held:
            _lock(held, self.source, "source", at_source())
            holder = _lock(held, self.target, "target", at_target())
            state = held.enter_context(snapshot(self.source))
            with at_target(), self.target.connect(PURPOSE) as session:
                recorded = receipt.latest(session, self.target.dataset)
                self._announce(state, session)
            refuse_other(state.recorded, recorded, self.target.dataset)
            leftovers.remove_files(self.target.folder)
            pipeline.clear(self.target, self.working_dir, self.say)
            load = self._load(state.recorded)
            folder = self.target.folder
            rows = held.enter_context(
                stored_rows(state, load, folder, self.progress, history=self.history)
            )
            return self._copy(state, load, rows, recorded, holder)

    def _announce(self, state: Snapshot, session: Connection) -> None:
        self.say(f"Copying {self.source.dataset}")
        for end, there in (("from", state.session), ("to", session)):
            version = there.info.server_version // 10_000
            self.say(f"  {end:<5}{place(there)} (PostgreSQL {version})")

    def _load(self, recorded: Receipt) -> Load:
        """The source's company and day, as a load of the target."""
        return Load(
            company=Company(recorded.seed, recorded.users, recorded.epoch),
            as_of=recorded.as_of,
            dispositions={t.name: "replace" if self.history else t.disposition for t in TABLES},
            workers=1,
            started_at=datetime.now(UTC),
        )

    def _copy(
        self,
        state: Snapshot,
        load: Load,
        rows: StoredRows,
        recorded: Receipt | None,
        lock_holder: int,
    ) -> Result:
        """Compare, bring over what differs, and compare again."""
        self.say("Comparing both ends ...")
        versions = state.versions() if self.history else {}
        if self.history:
            rows.checksums = {name: found.stored.current for name, found in versions.items()}
            compared = self._compare_versions(versions)
        else:
            connect = partial(self.target.connect, PURPOSE)
            compared = comparison.compare(connect, self.target.dataset, load, rows)
            state.refuse_copies(t for t in TABLES if t.name not in compared.unchanged)
        load_id = None
        if len(compared.unchanged) < len(TABLES) or not same_moment(state.recorded, recorded):
            self.say("Copying what differs ..." if compared.unchanged else "Copying ...")
            load_id = pipeline.bring(
                self.target, load, rows, compared, self.working_dir, self.progress, lock_holder
            )
        self.say("Verifying the target ...")
        every = {name: found.every for name, found in versions.items()}
        return self._result(every if self.history else rows.checksums, load_id)

    def _compare_versions(self, versions: Mapping[str, Versions]) -> Comparison:
        """All or nothing: what differs anywhere is copied whole."""
        with at_target(), self.target.connect(PURPOSE) as session:
            try:
                there = {table.name: self._versions(session, table) for table in TABLES}
            except _NOT_THERE:
                return comparison.everything()
        if any(there[name].every != found.every for name, found in versions.items()):
            return comparison.everything()
        unchanged = {name: found.stored for name, found in there.items()}
        return Comparison(dict.fromkeys(there, comparison.NONE), unchanged)

    def _versions(self, session: Connection, table: Table) -> Versions:
        query = checksums.versions_query(table, f'"{self.target.dataset}"."{table.name}"')
        return Versions.of(session.execute(query).fetchone())

    def _result(self, own: Mapping[str, Checksum], load_id: str | None) -> Result:
        """Have the target reckon for itself, and note that nothing is left to do."""
        dataset = self.target.dataset
        with at_target(), self.target.connect(PURPOSE) as session:
            written = receipt.latest(session, dataset)
            if written is None or load_id not in {None, written.load_id}:
                raise LoadError(f"dlt ended without publishing load {load_id}: run this again.")
            if not written.finished:
                receipt.finish(session, dataset, written.load_id)
            tables = []
            for table in TABLES:
                if self.history:
                    there = self._versions(session, table).every
                else:
                    there = comparison.stored(session, dataset, table).current
                tables.append(BothEnds(table.name, own[table.name], there))
        return Result(written, tables, copied=load_id is not None)


def refuse_other(source: Receipt, target: Receipt | None, dataset: str) -> None:
    """Refuse to mix two companies, or to take the target back in time.

    Raises:
        LoadError: the target holds another company, or the same one on a later day.
    """
    if target is None:
        return
    if source.company != target.company:
        raise LoadError(
            f"The target holds the company of {_company(target)}, the source that of "
            f"{_company(source)}: DROP SCHEMA {dataset} CASCADE at the target if nobody needs it "
            f"there, or set {TARGET} to another database."
        )
    if target.as_of > source.as_of:
        raise LoadError(
            f"The target is as of {target.as_of}, the source as of {source.as_of}, and a copy "
            f"would take it back in time: bring the source to {target.as_of} first, with "
            "load_faker_data --as-of."
        )


def same_moment(source: Receipt, target: Receipt | None) -> bool:
    """Whether both hold the same company on the same day."""
    return target is not None and (source.company, source.as_of) == (target.company, target.as_of)


def _company(recorded: Receipt) -> str:
    return f"seed {recorded.seed}, {recorded.users:,} users and epoch {recorded.epoch}"


def _lock(held: ExitStack, end: Target, name: str, worded: AbstractContextManager[None]) -> int:
    """Hold an end's load lock, or say at which end another load is running."""
    try:
        with worded:
            return held.enter_context(load_lock(end, purpose=PURPOSE))
    except LoadError as refusal:
        raise LoadError(f"At the {name}: {refusal}") from refusal
