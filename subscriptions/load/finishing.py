"""LOAD: index, analyse and check staged tables, in a few database sessions at a time.

PostgreSQL would build one index with several processes; two indexes at a time in one process each
keep two cores busier. The largest table comes first, so that no long statement is left for the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, PriorityQueue
from typing import Any

import psycopg

from subscriptions.load import checksums
from subscriptions.load.checksums import Stored
from subscriptions.load.structure import index_statements
from subscriptions.load.tables import Table

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(order=True)
class _Task:
    """One statement; smaller is sooner."""

    place: tuple[int, int]
    sql: str = field(compare=False)
    sums: Table | None = field(compare=False, default=None)


class Finisher:
    """Sessions that take one statement after another, from the first table that is staged on."""

    def __init__(self, connect: Callable[[], Connection], schema: str, sessions: int) -> None:
        self._connect = connect
        self._schema = schema
        self._numbers = count()
        self._tasks: PriorityQueue[_Task] = PriorityQueue()
        self._complete = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(sessions)]
        self._starting = threading.Lock()
        self.stored: dict[str, Stored] = {}
        """What PostgreSQL says of each table that is finished."""

    def add(self, table: Table, rows: int) -> None:
        """Take in a table that is staged, and has so many rows."""
        relation = f'"{self._schema}"."{table.name}"'
        for sql in index_statements(f'"{self._schema}"', table):
            self._tasks.put(_Task((-rows, next(self._numbers)), sql))
        query = checksums.query(table, relation)
        self._tasks.put(_Task((-rows, next(self._numbers)), query, table))
        with self._starting:
            for thread in self._threads:
                if thread.ident is None:
                    thread.start()

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
        """Begin no further statement."""
        while True:
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        self._complete.set()

    def _work(self) -> None:
        try:
            with self._connect() as session:
                session.execute("SET max_parallel_maintenance_workers = 0")
                session.execute("SET max_parallel_workers_per_gather = 0")
                while (task := self._next()) is not None:
                    answer = session.execute(task.sql)
                    if task.sums:
                        self.stored[task.sums.name] = Stored.of(answer.fetchone())
        except BaseException as failure:  # noqa: BLE001  (raised again by the thread that waits)
            self._failure = self._failure or failure
            self.stop()

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
