"""LOAD: the rows of a dataset in another database, on their way to the COPY of each table here.

They are never held but for a piece of each table's stream: what the source sends in answer to
`COPY … TO STDOUT (FORMAT binary)` is what the target takes, byte for byte.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from subscriptions.load import binary_copy, checksums, interruption, leftovers
from subscriptions.load.binary_copy import PIECE_BYTES
from subscriptions.load.checksums import BucketSums, Checksum
from subscriptions.load.errors import LoadError
from subscriptions.load.migration.ends import at_source
from subscriptions.load.migration.snapshot import Snapshot
from subscriptions.load.partitions import Selection, copied_columns
from subscriptions.load.progress import Phase, Progress
from subscriptions.load.receipt import WITH_HISTORY
from subscriptions.load.request import Load
from subscriptions.load.tables import TABLES, VERSION_COLUMNS, Table

# Numbers of as many digits are in order as text, too.
_FIRST_ROW: Final = 1_000_000_000


class StoredRows:
    """The current rows of a snapshot; with `history` all versions, with their dates."""

    def __init__(
        self, state: Snapshot, load: Load, folder: Path, progress: Progress, *, history: bool
    ) -> None:
        self.folder = folder
        """Where temporary files may lie as long as this lasts."""
        self._state = state
        self._prefix = load.row_prefix
        self._history = history
        self._progress = progress
        self._selections: Mapping[str, Selection] = {}
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self.checksums: dict[str, Checksum] = {}
        """What the current rows of each table sum up to."""
        self.noted: Mapping[str, Any] = {"version": state.recorded.version}
        """The release is the one that made the rows, not the one that copies them."""
        if history:
            dispositions = {table.name: WITH_HISTORY for table in TABLES}
            self.noted = {**self.noted, "dispositions": dispositions}

    def sums(self) -> Mapping[str, BucketSums]:
        """Have the source sum up its current rows, bucket by bucket; fills `checksums`."""
        found = self._state.sums()
        self.checksums = {name: sums.whole() for name, sums in found.items()}
        return found

    def begin(self, selections: Mapping[str, Selection]) -> None:
        """Choose the rows to be streamed; of a table with an empty selection none."""
        self._selections = selections
        if not self.checksums:
            self.sums()

    def columns(self, table: Table) -> tuple[str, ...]:
        """The columns of the stream."""
        if self._history:
            return (*table.columns, *VERSION_COLUMNS, "_dlt_id")
        return copied_columns(table)

    def counts(self) -> Mapping[str, int]:
        """By table, how many rows the company has: not all that are there, if `append` copied."""
        recorded = self._state.recorded
        return {
            name: recorded.rows[name] if recorded.dispositions[name] == "append" else checksum.rows
            for name, checksum in self.checksums.items()
        }

    def only_adds(self, table: Table) -> bool:
        """Nobody knows, without looking."""
        return False

    def pieces(self, table: Table) -> Iterator[bytes]:
        """The table's rows as PostgreSQL's binary COPY, from a session of their own.

        Raises:
            LoadError: the source went away.
            Exception: what stopped another table's COPY, so that this one shall end as well.
        """
        selection = self._selections[table.name]
        if isinstance(selection, np.ndarray) and not len(selection):
            yield binary_copy.HEADER + binary_copy.TRAILER
            return
        statement = f"COPY ({self._query(table, selection)}) TO STDOUT (FORMAT binary)"
        piece, rows = bytearray(), 0
        with at_source(), self._state.another_session() as session:
            with session.cursor().copy(statement) as copy:
                for row in copy:
                    piece += row
                    rows += 1
                    while len(piece) >= PIECE_BYTES:
                        self._raise_if_stopped()
                        yield bytes(piece[:PIECE_BYTES])
                        del piece[:PIECE_BYTES]
                        self._progress.advance(Phase.COPYING, rows)
                        rows = 0
            self._raise_if_stopped()
            yield bytes(piece)
            self._progress.advance(Phase.COPYING, rows)

    def stop(self, failure: Exception | None = None) -> None:
        """Let every stream end with an error: the first that anybody gave."""
        self._failure = self._failure or failure
        self._stopped.set()

    def _raise_if_stopped(self) -> None:
        if self._stopped.is_set():
            raise self._failure or LoadError("The copy was stopped.")

    def _query(self, table: Table, selection: Selection) -> str:
        relation = self._state.relation(table)
        if self._history:
            return f"SELECT {', '.join(self.columns(table))} FROM {relation}"
        # As the generator does: unique for the row and this load, whatever id it has at the source.
        row_id = f"'{self._prefix}-' || ({_FIRST_ROW} + row_number() OVER ())"
        query = (
            f"SELECT {', '.join(table.columns)}, {row_id} FROM {relation} WHERE valid_to IS NULL"
        )
        if not isinstance(selection, np.ndarray):
            return query
        buckets = ",".join(map(str, selection))
        return f"{query} AND {checksums.bucket(table)} = ANY ('{{{buckets}}}'::bigint[])"


@contextmanager
def stored_rows(
    state: Snapshot, load: Load, name: str, progress: Progress, *, history: bool
) -> Iterator[StoredRows]:
    """The rows of a snapshot and a temporary folder for one load, gone afterwards.

    `name` tells the target dataset's files from others', so that `leftovers` finds them.
    """
    with tempfile.TemporaryDirectory(prefix=leftovers.prefix(name)) as folder:
        rows = StoredRows(state, load, Path(folder), progress, history=history)
        with interruption.stopping(rows.stop, rows.folder):
            try:
                yield rows
            finally:
                rows.stop()
