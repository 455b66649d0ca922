"""Loads that meet trouble: one clear sentence, the old data served, and the next load works."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Final

import psycopg
import psycopg2
import pytest

from subscriptions.extract import company
from subscriptions.load import generation
from subscriptions.load import target as target_module
from subscriptions.load.errors import explain
from subscriptions.load.staging import Staging
from subscriptions.load.tables import PLAN, TABLES, Disposition, Table
from subscriptions.load.target import Target
from subscriptions.tests.load.moments import right_after
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.load.trouble import (
    Query,
    Rows,
    business_rows,
    damage,
    failure_of,
    load,
    querying,
)

DATASET: Final = "troubled"
ROLE: Final = "loader"
WHOLE: Final = "What is served is whole"
# Long enough to connect, and short enough for every load.
HASTE: Final = "100ms"
TIMEOUTS: Final = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)

# What is wrong while a load runs.
Fault = Callable[[OwnServer, Query], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def target(own_server: OwnServer) -> Target:
    """A dataset of an ordinary role, which has been loaded once."""
    admin = own_server.target(DATASET)
    with querying(admin) as query:
        query(f"CREATE ROLE {ROLE} LOGIN")
        query(f"GRANT CREATE ON DATABASE postgres TO {ROLE}")
    target = replace(admin, parameters=admin.parameters | {"user": ROLE})
    load(target)
    return target


@pytest.fixture
def query(own_server: OwnServer) -> Query:
    """SQL as the superuser, for which a restarted server is connected to again."""

    def again(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with querying(own_server.target(DATASET)) as query:
            return query(sql, *parameters)

    return again


def sessions(query: Query, *, but: str = "false") -> list[int]:
    """The processes of the load's sessions."""
    found = query(f"SELECT pid FROM pg_stat_activity WHERE usename = '{ROLE}' AND NOT ({but})")
    return [pid for (pid,) in found]


_HOLDS_LOCK = "EXISTS (SELECT FROM pg_locks WHERE pid = pg_stat_activity.pid AND {})"
LOCKER: Final = _HOLDS_LOCK.format("locktype = 'advisory'")
PUBLISHER: Final = _HOLDS_LOCK.format(
    "mode = 'RowExclusiveLock' AND relation::regclass::text ~ 'loads'"
)


def terminated(moment: str, which: str = "true") -> Fault:
    """The load's sessions, or one of them, are ended at a moment."""

    @contextmanager
    def fault(_server: OwnServer, query: Query) -> Iterator[None]:
        def terminate() -> None:
            ended = sessions(query, but=f"NOT ({which})")
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


_GONE = "connection|server closed"
_FEW = "too many connections.*end other sessions or raise that limit"

# The fault, what the person is told, and the disposition of the load.
FAULTS: dict[str, tuple[Fault, str, Disposition | None]] = {
    **{
        f"all sessions ended, {moment}": (terminated(moment), f"({_GONE}).*run this again", kind)
        for moment, kind in {
            "compared": "merge",
            "begun": None,
            "normalized": "replace",
            "one job copied, 2": "append",
            "job 1 noted": "scd2",
            "staged": "replace",
            "noted, not published": None,
            "published, not committed": "replace",
        }.items()
    },
    **{
        f"the lock's session ended, {moment}": (terminated(moment, LOCKER), _GONE, kind)
        for moment, kind in {"begun": None, "published, not committed": "replace"}.items()
    },
    "the publishing session ended": (
        terminated("published, not committed", f"NOT {LOCKER}"),
        _GONE,
        None,
    ),
    **{
        f"restarted, {moment}": (restarted(moment), f"({_GONE}).*run this again", kind)
        for moment, kind in {
            "begun": "append",
            "extracted": None,
            "normalized": "replace",
            "one job copied, 1": "merge",
            "staged": "replace",
            "published, not committed": "scd2",
        }.items()
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
            _FEW,
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


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_changes_nothing(
    own_server: OwnServer, target: Target, good: Rows, query: Query, name: str
) -> None:
    fault, told, disposition = FAULTS[name]
    damage(query)
    before = business_rows(query)
    with fault(own_server, query):
        says = failure_of(target, disposition)
        assert business_rows(query) == before
    assert re.search(told, says)
    assert "\n" not in says
    assert says.count(". ") <= 1
    assert sessions(query) == []
    load(target)
    assert business_rows(query) == good
    schemas = query("SELECT nspname FROM pg_namespace WHERE nspname ~ %s", f"^{DATASET}")
    assert schemas == [(DATASET,)]
    assert list(Path(tempfile.gettempdir()).glob(f"load_faker_data-{target.folder}-*")) == []


def test_a_job_that_cannot_connect_does_not_keep_the_others_waiting(
    own_server: OwnServer, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No table's rows may run far ahead of another's, of which none are taken here."""
    monkeypatch.setattr(company, "PARTITION_USERS", 2)
    monkeypatch.setattr(generation, "FEW_PARTITIONS", 100)
    monkeypatch.setattr(generation, "AHEAD", 1)
    told: list[str] = []
    # The lock's session, and two of the three whose rows come by partitions.
    query(f"ALTER ROLE {ROLE} CONNECTION LIMIT 3")
    try:
        waiting = Thread(target=lambda: told.append(failure_of(target, "replace")), daemon=True)
        waiting.start()
        waiting.join(60)
    finally:
        query(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")
    assert len(told) == 1
    assert re.search(_FEW, told[0])


@pytest.mark.parametrize("disposition", [None, "replace"])
def test_time_outs_of_the_role_do_not_stop_a_load(
    target: Target, good: Rows, query: Query, disposition: Disposition | None
) -> None:
    known = [
        name for name in TIMEOUTS if query("SELECT name FROM pg_settings WHERE name = %s", name)
    ]
    damage(query)
    for name in known:
        query(f"ALTER ROLE {ROLE} SET {name} = '{HASTE}'")
    try:
        load(target, disposition)
    finally:
        for name in known:
            query(f"ALTER ROLE {ROLE} RESET {name}")
    assert business_rows(query) == good


def test_what_an_orphaned_session_still_does_is_not_waited_for(
    own_server: OwnServer, target: Target, good: Rows, query: Query
) -> None:
    """The last statement of a killed load's session may take its time."""
    damage(query)
    query(f"CREATE SCHEMA {DATASET}_staging AUTHORIZATION {ROLE}")
    query(f'CREATE TABLE {DATASET}_staging."user" (user_id text)')
    query(f'ALTER TABLE {DATASET}_staging."user" OWNER TO {ROLE}')
    query(f'CREATE INDEX user_email_current_idx ON {DATASET}_staging."user" (user_id)')
    with psycopg.connect(**target.parameters) as orphan:
        orphan.execute(f'LOCK TABLE {DATASET}_staging."user" IN SHARE MODE')
        load(target, "replace")
        assert business_rows(query) == good
    load(target)
    schemas = query("SELECT nspname FROM pg_namespace WHERE nspname ~ %s", f"^{DATASET}")
    assert schemas == [(DATASET,)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_session_ends_with_its_client_even_in_mid_statement(
    target: Target, query: Query, driver: str
) -> None:
    """What it holds would be in the way of the load after a kill."""
    session: Any = target.connect("test")
    if driver == "psycopg2":  # which dlt uses
        session.close()
        credentials = target.credentials()
        session = psycopg2.connect(
            credentials.to_native_representation(), options=credentials.get_query()["options"]
        )
    busy = Thread(target=_sleep, args=(session,))
    busy.start()
    while not query("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
        pass
    with socket.socket(fileno=os.dup(session.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 20
    while sessions(query) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sessions(query) == []
    busy.join()


def _sleep(session: Any) -> None:
    with suppress(psycopg.Error, psycopg2.Error):
        session.cursor().execute("SELECT pg_sleep(60)")


def test_a_sentence_for_every_refusal(own_server: OwnServer, target: Target) -> None:
    """Of a connection that cannot be had there is no more than words."""
    refusals = {
        "check DATABASE_URL": {"dbname": "nowhere"},
        "check that the server in DATABASE_URL is up": {"host": "/nowhere"},
    }
    for advice, parameters in refusals.items():
        with pytest.raises(psycopg.OperationalError) as refusal:
            replace(target, parameters=target.parameters | parameters).connect("test")
        assert advice in explain(refusal.value)
