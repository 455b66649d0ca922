"""What a crowd has left behind in the server's processes and in the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import psutil
import psycopg

SETTLE_SECONDS: Final = 10
BUSY = """
    SELECT pid || ' ' || state || ': ' || query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def of_crowd(gunicorn: int, database_url: str, threads: int) -> list[str]:
    """What is still there once all had time to go, one line for each; nothing is right.

    Args:
        gunicorn: the process id of its first process.
        database_url: of the database that it serves.
        threads: that each of its workers has for requests.
    """
    workers = psutil.Process(gunicorn).children()
    found: list[str] = []
    with psycopg.connect(database_url, autocommit=True) as session:
        looks: Sequence[Callable[[], list[str]]] = (
            lambda: [f"a client's connection: {line}" for line in _clients(workers)],
            lambda: [f"a busy session: {line}" for (line,) in session.execute(BUSY)],
        )
        for look in looks:
            deadline = time.monotonic() + SETTLE_SECONDS
            while (left := look()) and time.monotonic() < deadline:
                time.sleep(0.1)
            found += left
        row = session.execute(SESSIONS).fetchone()
    if row and row[0] > threads * len(workers):
        found.append(f"{row[0]} sessions of {len(workers)} workers with {threads} threads")
    # Beside those for requests a worker has a thread of its own, and a library may have some.
    found += [
        f"{worker.num_threads()} threads in a worker"
        for worker in workers
        if worker.num_threads() > threads + 4
    ]
    return found


def _clients(workers: Sequence[psutil.Process]) -> list[str]:
    """Connections of the workers' port, but for the one that they listen on."""
    lines = []
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            lines += [
                f"{link.raddr} {link.status}"
                for link in worker.net_connections("tcp")
                if link.status != psutil.CONN_LISTEN
            ]
    return lines
