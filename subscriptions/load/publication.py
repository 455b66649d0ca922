"""LOAD: bring a staged load into the dataset, for all tables in one transaction.

Two ways, chosen by what has to become true:

swap      where every table ends up holding exactly the staged rows (`replace`, or nothing there
          yet): the staged tables get their indexes, then the two schemas change names. Nothing
          is written twice, and readers wait for no more than the renaming.
in place  otherwise, and where others have built on the tables (`attachments`): the statements of
          `dispositions`, which MVCC keeps from readers until the commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2 import extensions

from subscriptions.load import attachments
from subscriptions.load.attachments import Cursor
from subscriptions.load.checksums import Stored
from subscriptions.load.in_place import InPlace
from subscriptions.load.progress import Phase
from subscriptions.load.request import Load
from subscriptions.load.schemas import copy_rows
from subscriptions.load.staging import Staging
from subscriptions.load.structure import view_statement
from subscriptions.load.swap import Swap
from subscriptions.load.tables import RECEIPT_TABLE, TABLES

Changes = Mapping[str, Mapping[str, int]]


def is_swappable(cursor: Cursor, dataset: str, load: Load) -> bool:
    """Whether staged tables may take the place of the stored ones."""
    for table in TABLES:
        if load.dispositions[table.name] != "replace":
            cursor.execute("SELECT to_regclass(%s)", (f'"{dataset}"."{table.name}"',))
            if cursor.fetchone() == (None,):
                continue
            cursor.execute(f'SELECT FROM "{dataset}"."{table.name}" LIMIT 1')
            if cursor.fetchone() is not None:
                return False
    return not attachments.exist(cursor, dataset)


@dataclass
class Publication:
    """One staged load on its way into the dataset; used by one thread, in the order below."""

    cursor: extensions.cursor
    dataset: str
    staged: str
    staging: Staging

    def prepare(self) -> None:
        """Do what takes time but changes nothing readers see."""
        self.staging.finished()
        if self.staging.confirmed:
            # Not before, for making the rows keeps two cores busy, and what follows only one.
            self.staging.confirmed.begin()
        for table in TABLES:
            if self.staging.swap:
                self.cursor.execute(view_statement(f'"{self.staged}"', table))
            else:
                # A few changed rows, or all: the planner has to know which. Only these are joined.
                relation = f'"{self.staged}"."{table.name}"'
                self.cursor.execute(f"ANALYZE {relation} ({table.key}, _dlt_id)")

    def publish(self, load_id: str) -> None:
        """Make the load visible when the caller's transaction commits."""
        self.staging.progress.begin(Phase.PUBLISHING, len(TABLES))
        if self.staging.finisher:
            swap = Swap(self.cursor, self.dataset, self.staged)
            stored, replaced = self.staging.finisher.stored, self.staging.finisher.replaced
            changes: Changes = {
                table.name: {
                    "removed": replaced[table.name],
                    "added": stored[table.name].current.rows + stored[table.name].closed,
                }
                for table in TABLES
            }
            swap.lock_out_straddlers()
            # Somebody may have built on the tables meanwhile.
            if is_swappable(self.cursor, self.dataset, self.staging.load):
                self._note(load_id, changes, stored)
                swap.perform()
                self.staging.progress.advance(Phase.PUBLISHING, len(TABLES))
                return
            # What follows takes its time, which readers need not wait for.
            swap.let_in()
        in_place = InPlace(self.cursor, self.dataset, self.staged, self.staging)
        changes = in_place.perform()
        self._note(load_id, changes, in_place.stored)
        copy_rows(self.cursor, RECEIPT_TABLE, self.staged, self.dataset)

    def _note(self, load_id: str, changes: Changes, stored: Mapping[str, Stored]) -> None:
        """Complete the receipt."""
        self.cursor.execute(
            f'UPDATE "{self.staged}".{RECEIPT_TABLE}'
            " SET rows = %s, stored = %s, changes = %s, confirmed = %s, published_at = now()"
            " WHERE _dlt_load_id = %s",
            (
                json.dumps(dict(self.staging.rows.counts())),
                json.dumps({table.name: stored[table.name].noted() for table in TABLES}),
                json.dumps(changes),
                self.staging.confirmed is not None,
                load_id,
            ),
        )
