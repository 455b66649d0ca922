"""LOAD: index, analyse and check staged tables, in a few database sessions at a time.

PostgreSQL would build one index with several processes; two indexes at a time in one process each
keep two cores busier. The largest table comes first, so that no long statement is left for the end.
Memory for sorting is kept small on purpose: runs that fit the processor's cache, merged afterwards,
took an eighth less time than one sort in half a gigabyte (18 indexes of 7.7 million rows).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, PriorityQueue
from typing import Any, Final

import psycopg

from subscriptions.load import checksums
from subscriptions.load.checksums import Stored
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.structure import index_statements
from subscriptions.load.tables import Table

Connection = psycopg.Connection[tuple[Any, ...]]

_SETTINGS: Final = (
    "SET maintenance_work_mem = '16MB'",
    "SET max_parallel_maintenance_workers = 0",
    "SET max_parallel_workers_per_gather = 0",
)


@dataclass(order=True)
class _Task:
    """One statement, and who wants its one row; smaller is sooner."""

    place: tuple[int, int]
    sql: str = field(compare=False)
    answered: Callable[[Any], None] | None = field(compare=False, default=None)


class Finisher:
    """Sessions that take one statement after another, from the first table that is staged on."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        dataset: str,
        staged: str,
        sessions: int,
        progress: Progress = SILENT,
    ) -> None:
        self._connect = connect
        self._dataset = dataset
        self._staged = staged
        self._progress = progress
        self._numbers = count()
        self._tasks: PriorityQueue[_Task] = PriorityQueue()
        self._complete = threading.Event()
        self._failure: BaseException | None = None
        self._open: list[Connection] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(sessions)]
        self._starting = threading.Lock()
        self.stored: dict[str, Stored] = {}
        """What PostgreSQL says of each table that is finished."""
        self.replaced: dict[str, int] = {}
        """How many rows are in the table whose place it will take, closed versions included."""
        self.added = 0
        """Statements, of all tables so far."""

    def add(self, table: Table, rows: int) -> None:
        """Take in a table that is staged, and has so many rows."""
        name = table.name
        *indexes, analyze = index_statements(f'"{self._staged}"', table)
        for sql in indexes:
            self._put(-rows, sql)
        sums = checksums.query(table, f'"{self._staged}"."{name}"')
        self._put(-rows, sums, lambda row: self.stored.update({name: Stored.of(row)}))
        # After that, because it waits for index builds to end, and they for it.
        self._put(-rows, analyze)
        count = f'SELECT count(*) FROM "{self._dataset}"."{name}"'
        self._put(-rows, count, lambda row: self.replaced.update({name: row[0]}))
        with self._starting:
            self.added += len(indexes) + 3
            for thread in self._threads:
                if thread.ident is None:
                    thread.start()

    def _put(self, place: int, sql: str, answered: Callable[[Any], None] | None = None) -> None:
        self._tasks.put(_Task((place, next(self._numbers)), sql, answered))

    def wait(self) -> None:
        """Return when all that was added is done.

        Raises:
            Exception: what stopped one of the statements; the others are given up.
        """
        self._complete.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin no further statement, and cancel those under way."""
        self._forget()
        for session in tuple(self._open):
            with suppress(psycopg.Error):
                session.cancel()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _forget(self) -> None:
        """Drop the statements that nobody has begun."""
        while True:
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        self._complete.set()

    def _work(self) -> None:
        try:
            with self._connect() as session:
                self._open.append(session)
                for setting in _SETTINGS:
                    session.execute(setting)
                while (task := self._next()) is not None:
                    answer = session.execute(task.sql)
                    if task.answered:
                        task.answered(answer.fetchone())
                    self._progress.advance(Phase.INDEXING, 1)
        except BaseException as failure:  # noqa: BLE001  (raised again by the thread that waits)
            self._failure = self._failure or failure
            self._forget()

    def _next(self) -> _Task | None:
        """The most urgent task, waited for; None when there will be no more."""
        while True:
            # Asked before the queue is, so that nothing added just before is overlooked.
            complete = self._complete.is_set()
            try:
                return self._tasks.get(timeout=0 if complete else 0.05)
            except Empty:
                if complete:
                    return None
