"""LOAD: the company's rows on their way from worker processes to the COPY of each table."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from pathlib import Path
from typing import Any, Final

import numpy as np

from subscriptions.load import binary_copy, interruption, leftovers
from subscriptions.load.checksums import NO_ROWS, BucketSums, Checksum
from subscriptions.load.errors import LoadError
from subscriptions.load.partitions import (
    PARTITIONED,
    Changed,
    Order,
    Part,
    Selection,
    copied_columns,
    follow_parent,
    sum_partition,
    write_partition,
    write_plans,
)
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.request import Load
from subscriptions.load.tables import PLAN, TABLES, Table

# Partitions that may lie written before the slowest table has taken them: it bounds the disk.
AHEAD: Final = 8
# The same where they hold no more than changes; they begin before the COPYs can.
AHEAD_OF_CHANGES: Final = 32
# Up to here a process of their own would cost more than it brings.
FEW_PARTITIONS: Final = 2
# And so many of which only the changes are made would not make up for the start of another one.
PARTITIONS_OF_CHANGES: Final = 8


class Generation:
    """Has the partitions written ahead of the COPYs, and hands each table its share in order.

    Every partitioned table that is not wholly deselected must be streamed at the same time as the
    others, since none may run ahead of the slowest by more than `AHEAD` partitions.
    """

    def __init__(self, load: Load, order: Order, executor: Executor, progress: Progress) -> None:
        self.folder = order.folder
        """Where temporary files may lie as long as this lasts."""
        self._order = order
        self._executor = executor
        self._progress = progress
        self._numbers = range(load.company.partitions(load.as_of))
        self._selections: Mapping[str, Selection] = {table.name: None for table in TABLES}
        self._futures: list[Future[Mapping[str, Part]]] = []
        self._taken: dict[str, int] = {}
        self._ahead = AHEAD
        self._moved = threading.Condition()
        self._stopped = False
        self._failure: Exception | None = None
        self.checksums: dict[str, Checksum] = {}
        """What the company's rows of each table sum up to, as far as they have been made."""
        self._outdated: dict[str, int] = {}
        self.noted: Mapping[str, Any] = {}
        """The receipt says of these rows what the load says."""

    def sums(self) -> Mapping[str, BucketSums]:
        """Make all rows once, for nothing but their sums; fills `checksums`."""
        found = {table.name: BucketSums.none() for table in PARTITIONED}
        found[PLAN.name] = BucketSums.of(PLAN, self._order.company.plans(self._order.as_of))
        making = [self._executor.submit(sum_partition, self._order, n) for n in self._numbers]
        for future in making:
            for name, sums in future.result().items():
                found[name] += sums
                self._progress.advance(Phase.COMPARING, sums.whole().rows)
        self.checksums = {name: sums.whole() for name, sums in found.items()}
        return found

    def begin(self, selections: Mapping[str, Selection]) -> None:
        """Start writing the selected rows; a table with an empty selection has none."""
        self._selections = selections
        if any(isinstance(selection, Changed) for selection in selections.values()):
            self._ahead = AHEAD_OF_CHANGES
        for name, selection in selections.items():
            if selection is None:  # reckoned as the rows are made
                self.checksums[name] = NO_ROWS
            elif isinstance(selection, Changed):
                self.checksums[name] = selection.stored.current
        wanted = [table.name for table in PARTITIONED if _wants_any(selections[table.name])]
        self._taken = dict.fromkeys(wanted, 0)
        with self._moved:
            self._submit()

    def columns(self, table: Table) -> tuple[str, ...]:
        """The columns of the rows as they are written."""
        return copied_columns(table)

    def counts(self) -> Mapping[str, int]:
        """By table, how many rows the company has."""
        return {name: checksum.rows for name, checksum in self.checksums.items()}

    def only_adds(self, table: Table) -> bool:
        """Whether all streamed rows are new, if what is stored is what it is thought to be."""
        return self._outdated.get(table.name) == 0

    def pieces(self, table: Table) -> Iterator[bytes]:
        """The table's rows as PostgreSQL's binary COPY.

        Raises:
            Exception: what stopped another table's COPY, so that this one shall end as well.
        """
        yield binary_copy.HEADER
        for part in self._stream(table):
            with part.path.open("rb") as file:
                while piece := file.read(binary_copy.PIECE_BYTES):
                    yield piece
        yield binary_copy.TRAILER

    def _stream(self, table: Table) -> Iterator[Part]:
        """The table's files, each removed once the next is asked for."""
        selection = self._selections[table.name]
        if not _wants_any(selection):
            return
        for part in self._parts(table):
            yield part
            part.path.unlink()
            self._progress.advance(Phase.COPYING, part.checksum.rows)
            if selection is None or isinstance(selection, Changed):
                self.checksums[table.name] += part.checksum - part.outdated
                self._outdated[table.name] = self._outdated.get(table.name, 0) + part.outdated.rows

    def stop(self, failure: Exception | None = None) -> None:
        """Let every stream end with an error: the first that anybody gave."""
        with self._moved:
            self._stopped = True
            self._failure = self._failure or failure
            for future in self._futures:
                future.cancel()
            self._moved.notify_all()

    def _parts(self, table: Table) -> Iterator[Part]:
        if table is PLAN:
            yield write_plans(self._order, self._selections[table.name])
            return
        for number in self._numbers:
            yield self._future(number).result()[table.name]
            with self._moved:
                self._taken[table.name] = number + 1
                self._submit()
                self._moved.notify_all()

    def _future(self, number: int) -> Future[Mapping[str, Part]]:
        with self._moved:
            self._moved.wait_for(lambda: self._stopped or number < len(self._futures))
            if self._stopped:
                raise self._failure or LoadError("The load was stopped.")
            return self._futures[number]

    def _submit(self) -> None:
        """Have as many partitions written as the slowest table allows."""
        if self._stopped or not self._taken:
            return
        allowed = min(len(self._numbers), min(self._taken.values()) + self._ahead)
        selections = {name: self._selections[name] for name in self._taken}
        for number in range(len(self._futures), allowed):
            self._futures.append(
                self._executor.submit(write_partition, self._order, number, selections)
            )
        if len(self._futures) == len(self._numbers):
            # The processes end while the load goes on, for it would wait for them otherwise.
            self._executor.shutdown(wait=False)


def _keep_signals_from_children() -> None:
    """Have this thread, and what it starts, get no signals: in a terminal Ctrl-C is for all."""
    if threading.current_thread() is not threading.main_thread():
        resource_tracker.ensure_running()  # whose start would undo it
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))


def _wants_any(selection: Selection) -> bool:
    return not isinstance(selection, np.ndarray) or len(selection) > 0


@contextmanager
def generation(
    load: Load, name: str, progress: Progress = SILENT, *, of_changes: bool = False
) -> Iterator[Generation]:
    """Worker processes and a temporary folder for one load, gone afterwards.

    TMPDIR says where the folder lies; `name` tells the dataset's files from others', so that
    `leftovers` finds those of a killed load. `of_changes` tells that most rows need not be made.
    The processes are spawned, not forked, because this one's threads and its hold on the embedded
    server must not be doubled; nor forked from a server of processes, whose socket a kill would
    leave behind.
    """
    partitions = load.company.partitions(load.as_of)
    processes = -(-partitions // PARTITIONS_OF_CHANGES) if of_changes else partitions
    executor: Executor
    if partitions <= FEW_PARTITIONS:
        executor = ThreadPoolExecutor(1)
    else:
        _keep_signals_from_children()
        executor = ProcessPoolExecutor(
            min(load.workers, processes),
            mp_context=get_context("spawn"),
            initializer=follow_parent,
        )
    with tempfile.TemporaryDirectory(prefix=leftovers.prefix(name)) as folder:
        order = Order(load.company, load.as_of, load.row_prefix, Path(folder))
        made = Generation(load, order, executor, progress)
        with interruption.stopping(made.stop, order.folder):
            try:
                yield made
            finally:
                made.stop()
                executor.shutdown(wait=True, cancel_futures=True)
