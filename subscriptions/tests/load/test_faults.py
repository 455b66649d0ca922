"""Loads that meet trouble: one clear sentence, the old data served, and the next load works."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any, Final

import psutil
import psycopg
import psycopg2
import pytest

from subscriptions.extract import company
from subscriptions.load import generation
from subscriptions.load.errors import explain
from subscriptions.load.tables import Disposition
from subscriptions.load.target import Target
from subscriptions.tests.load.faults import DATASET, FAULTS, FEW, LOCKER, ROLE, sessions
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

# Long enough to connect, and short enough for every load.
HASTE: Final = "100ms"
TIMEOUTS: Final = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)


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
    assert re.search(FEW, told[0])


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


def test_a_lock_session_that_does_not_answer_keeps_nobody_waiting(
    target: Target, query: Query
) -> None:
    """As where a network has dropped the connection that idled for the whole load."""
    receipts = "SELECT count(*) FROM _load_receipt"
    ((before,),) = query(receipts)
    stopped: list[psutil.Process] = []

    def stop() -> None:
        (pid,) = sessions(query, LOCKER)
        stopped.append(psutil.Process(pid))
        stopped[0].suspend()

    with right_after("noted, not published", stop):
        loading = Thread(target=load, args=(target, "replace"))
        loading.start()
        try:
            deadline = time.monotonic() + 30
            while query(receipts) == [(before,)]:
                assert time.monotonic() < deadline, "nothing was published"
        finally:
            for session in stopped:
                session.resume()
            loading.join()
    assert stopped
