"""What may go wrong with the database while a load runs, staged on a server of the tests' own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from subscriptions.load import target as target_module
from subscriptions.load.staging import Staging
from subscriptions.load.tables import PLAN, TABLES, Disposition, Table
from subscriptions.tests.load.moments import right_after
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.load.trouble import Query, querying

DATASET: Final = "troubled"
ROLE: Final = "loader"

# What is wrong while a load runs.
Fault = Callable[[OwnServer, Query], AbstractContextManager[None]]


def sessions(query: Query, which: str = "true") -> list[int]:
    """The processes of the load's sessions, or of some of them."""
    found = query(f"SELECT pid FROM pg_stat_activity WHERE usename = '{ROLE}' AND {which}")
    return [pid for (pid,) in found]


LOCKER: Final = (
    "EXISTS (SELECT FROM pg_locks"
    " WHERE pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory')"
)


def terminated(moment: str, which: str = "true") -> Fault:
    """The load's sessions, or one of them, are ended at a moment."""

    @contextmanager
    def fault(_server: OwnServer, query: Query) -> Iterator[None]:
        def terminate() -> None:
            ended = sessions(query, which)
            assert ended
            for pid in ended:
                query("SELECT pg_terminate_backend(%s, 5000)", pid)

        with right_after(moment, terminate):
            yield

    return fault


def restarted(moment: str) -> Fault:
    """The server is restarted at a moment."""

    @contextmanager
    def fault(server: OwnServer, _query: Query) -> Iterator[None]:
        with right_after(moment, server.restart):
            yield

    return fault


def setting(sql: str, undo: str) -> Fault:
    """Something is set for the role."""

    @contextmanager
    def fault(_server: OwnServer, query: Query) -> Iterator[None]:
        query(sql)
        try:
            yield
        finally:
            query(undo)

    return fault


@contextmanager
def tables_of_another(_server: OwnServer, query: Query) -> Iterator[None]:
    for table in TABLES:
        query(f'ALTER TABLE "{table.name}" OWNER TO postgres')
    try:
        yield
    finally:
        for table in TABLES:
            query(f'ALTER TABLE "{table.name}" OWNER TO {ROLE}')


@contextmanager
def writer_in_the_way(server: OwnServer, _query: Query) -> Iterator[None]:
    """Somebody has changed a row of each table, and does not commit."""
    with querying(server.target(DATASET)) as other:
        other("BEGIN")
        for table in TABLES:
            other(f'UPDATE "{table.name}" SET valid_to = valid_to')
        yield
        other("ROLLBACK")


@contextmanager
def impatient_writer(server: OwnServer, query: Query) -> Iterator[None]:
    """So does somebody, who cancels the load's statement that waits for it."""
    waits = "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted"

    def cancel() -> None:
        while not query(waits):
            pass

    canceller = Thread(target=cancel)
    with writer_in_the_way(server, query):
        canceller.start()
        yield
    canceller.join()


@contextmanager
def full_disk(server: OwnServer, query: Query) -> Iterator[None]:
    """The tables that the load makes lie on a disk that has no room for them."""
    folder = Path(tempfile.mkdtemp(prefix="elt-small-disk-"))
    options = f"size=256k,mode=0700,uid={server.system_user}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    try:
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this user may not mount a small disk")
        query(f"CREATE TABLESPACE small LOCATION '{folder}'")
        query(f"GRANT CREATE ON TABLESPACE small TO {ROLE}")
        query(f"ALTER ROLE {ROLE} SET default_tablespace = small")
        try:
            yield
        finally:
            query(f"ALTER ROLE {ROLE} RESET default_tablespace")
            query(f"DROP SCHEMA IF EXISTS {DATASET}_staging CASCADE")
            query("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", folder], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def damaged(_server: OwnServer, query: Query) -> Iterator[None]:
    """A bit of what is staged is not what it was written as."""
    copied = Staging.copied

    def damage_first(staging: Staging, table: Table) -> None:
        if table is PLAN:
            query(f"UPDATE {DATASET}_staging.plan SET monthly_fee = 7 WHERE plan_id = 1")
        copied(staging, table)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Staging, "copied", damage_first)
        yield


@contextmanager
def no_temporary_folder(_server: OwnServer, _query: Query) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", "/nowhere/at/all")
        yield


@contextmanager
def short_patience(fault: Fault, server: OwnServer, query: Query) -> Iterator[None]:
    """A fault that the load waits out for nearly a minute."""
    shorter = target_module.SESSION_OPTIONS.replace("lock_timeout=50s", "lock_timeout=1s")
    assert shorter != target_module.SESSION_OPTIONS
    with pytest.MonkeyPatch.context() as patch, fault(server, query):
        patch.setattr(target_module, "SESSION_OPTIONS", shorter)
        yield


_GONE = "connection|server closed|holds the load's lock"
FEW = "too many connections.*end other sessions or raise that limit"

# At which moment, of a load under which disposition.
_ALL_ENDED: Final[dict[str, Disposition | None]] = {
    "compared": "merge",
    "begun": None,
    "normalized": "replace",
    "one job copied, 2": "append",
    "job 1 noted": "scd2",
    "staged": "replace",
    "noted, not published": None,
    "published, not committed": "replace",
}
_LOCK_LOST: Final[dict[str, Disposition | None]] = {
    "begun": None,
    "published, not committed": "replace",
}
_RESTARTED: Final[dict[str, Disposition | None]] = {
    "begun": "append",
    "extracted": None,
    "normalized": "replace",
    "one job copied, 1": "merge",
    "staged": "replace",
    "published, not committed": "scd2",
}
# The fault, what the person is told, and the disposition of the load.
FAULTS: dict[str, tuple[Fault, str, Disposition | None]] = {
    **{
        f"all sessions ended, {moment}": (terminated(moment), f"({_GONE}).*run this again", kind)
        for moment, kind in _ALL_ENDED.items()
    },
    **{
        f"the lock's session ended, {moment}": (terminated(moment, LOCKER), _GONE, kind)
        for moment, kind in _LOCK_LOST.items()
    },
    "the publishing session ended": (
        terminated("published, not committed", f"NOT {LOCKER}"),
        _GONE,
        None,
    ),
    **{
        f"restarted, {moment}": (restarted(moment), f"({_GONE}).*run this again", kind)
        for moment, kind in _RESTARTED.items()
    },
    "read-only": (
        setting(
            f"ALTER ROLE {ROLE} SET default_transaction_read_only = on",
            f"ALTER ROLE {ROLE} RESET default_transaction_read_only",
        ),
        "read-only transaction; let the user write",
        "replace",
    ),
    "tables of another": (
        tables_of_another,
        "(permission denied|must be owner).*let the user",
        None,
    ),
    **{
        f"{limit} connections": (
            setting(
                f"ALTER ROLE {ROLE} CONNECTION LIMIT {limit}",
                f"ALTER ROLE {ROLE} CONNECTION LIMIT -1",
            ),
            FEW,
            "replace",
        )
        for limit in (0, 1, 2, 4)
    },
    "a writer in the way": (
        partial(short_patience, writer_in_the_way),
        "lock timeout; end the transaction that holds the tables",
        None,
    ),
    "a cancelled statement": (impatient_writer, "canceling statement.*; run this again", None),
    "full disk": (
        full_disk,
        "No space left on device; make room on the database server",
        "replace",
    ),
    "damaged, swap": (damaged, "plan: 5 rows with checksum", "replace"),
    "damaged, in place": (damaged, "plan: 5 rows with checksum", "append"),
    "no TMPDIR": (no_temporary_folder, "TMPDIR is /nowhere/at/all", None),
}
