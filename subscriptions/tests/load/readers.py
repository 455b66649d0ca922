"""Readers of a dataset, in threads of their own: one looks all the while, another holds it open."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target

# A new reader may wait for a second because a load does; the rest is for a machine that is busy.
A_MOMENT_S: Final = 1.5

_REFERENCES = [
    ("user", "plan"),
    ("subscription", "user"),
    ("subscription", "plan"),
    ("usage", "user"),
    ("usage", "plan"),
]
# In one statement, what one reader sees at one moment: all rows, the current ones, how many
# references lead nowhere, and by how many loads.
LOOK: Final = "SELECT " + ", ".join(
    [
        *(f'(SELECT count(*) FROM "{table.name}")' for table in TABLES),
        *(f"(SELECT count(*) FROM {table.view})" for table in TABLES),
        *(
            f"(SELECT count(*) FROM {child}_current AS child WHERE NOT EXISTS (SELECT FROM "
            f"{parent}_current AS parent WHERE parent.{parent}_id = child.{parent}_id))"
            for child, parent in _REFERENCES
        ),
        "(SELECT count(*) FROM _load_receipt)",
    ]
)
Seen = tuple[int, ...]


class Reader(threading.Thread):
    """Looks at the dataset again and again until told to stop."""

    def __init__(self, target: Target, look: str) -> None:
        super().__init__(daemon=True)
        self._target = target
        self._look = look
        self.seen: set[Seen] = set()
        self.failures: list[Exception] = []
        self.looks = 0
        self.longest = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        with self._target.connect("reader") as session:
            session.execute(f"SET search_path = {self._target.dataset}")
            while not self.done.is_set():
                began = time.monotonic()
                try:
                    row = session.execute(self._look.encode()).fetchone()
                except psycopg.Error as error:
                    self.failures.append(error)
                    return
                self.longest = max(self.longest, time.monotonic() - began)
                assert row is not None
                self.seen.add(row)
                self.looks += 1
                time.sleep(0.005)  # the load in this process needs its turns as well


@contextmanager
def reading(target: Target, look: str = LOOK) -> Iterator[Reader]:
    """Read all the while."""
    reader = Reader(target, look)
    reader.start()
    while not reader.seen and not reader.failures:
        time.sleep(0.01)
    yield reader
    last = reader.looks + 2  # the one that is under way, and one that began after all was done
    while reader.looks < last and not reader.failures:
        time.sleep(0.01)
    reader.done.set()
    reader.join()
    assert not reader.failures


@contextmanager
def holding(target: Target, *relations: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has read the relations and idles."""
    with target.connect("idle reader") as session, session.transaction():
        for relation in relations:
            session.execute(f'SELECT FROM {target.dataset}."{relation}" LIMIT 1')
        yield session
