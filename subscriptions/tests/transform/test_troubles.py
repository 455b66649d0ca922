"""What may be in a transform's way: missing rights, a server that stops, loads, a lost lock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings

from subscriptions.load import interruption, pipeline
from subscriptions.load.errors import LoadError, explain
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.conftest import AS_OF
from subscriptions.tests.load.interrupted import wait_until
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.load.trouble import querying
from subscriptions.transform import project
from subscriptions.transform.run import Transformed, run

DATASET: Final = "troubled_marts_of"
STATE: Final = f"""
    SELECT (SELECT count(*) FROM {DATASET}_marts._transform_receipt),
        (SELECT sum(mrr) FROM {DATASET}_marts.mrr_monthly)
"""
WAITING: Final = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
LOCKER: Final = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"


def ask(target: Target, sql: str) -> list[tuple[Any, ...]]:
    with querying(target) as query:
        return query(sql)


def load(target: Target, **named: object) -> pipeline.Result:
    request = Request(**named)  # type: ignore[arg-type]
    return pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)


def anew(target: Target) -> Transformed:
    return run(target, lambda _line: None, full_refresh=True)


def refused(target: Target) -> str:
    """What a person is told of a transform that cannot succeed."""
    try:
        anew(target)
    except Exception as failure:  # noqa: BLE001  (whatever it is, it has to be explained)
        return explain(failure)
    pytest.fail("the transform was not stopped")


@pytest.fixture(scope="module")
def built(own_server: OwnServer) -> Iterator[Target]:
    """A dataset with its marts, and a role that has none of its owner's rights."""
    target = own_server.target(DATASET)
    load(target, users=20, as_of=AS_OF)
    run(target, lambda _line: None)
    ask(target, "CREATE ROLE stranger LOGIN")
    ask(target, f"GRANT USAGE ON SCHEMA {DATASET} TO stranger")
    ask(target, f"GRANT SELECT ON ALL TABLES IN SCHEMA {DATASET} TO stranger")
    yield target
    ask(target, f"DROP SCHEMA {DATASET}, {DATASET}_marts CASCADE")
    ask(target, "DROP OWNED BY stranger CASCADE")
    ask(target, "DROP ROLE stranger")


@contextmanager
def held(target: Target, relation: str, mode: str) -> Iterator[Future[Any]]:
    """A transform that waits for somebody who has locked a relation, until the block ends."""
    with ThreadPoolExecutor(1) as beside, target.connect("test") as session:
        session.execute(b"BEGIN")
        session.execute(f"LOCK TABLE {relation} IN {mode} MODE".encode())
        doing = beside.submit(anew, target)
        try:
            wait_until(lambda: doing.done() or ask(target, WAITING) != [])
            yield doing
        finally:
            session.close()


def test_rights_that_are_missing_are_named(built: Target) -> None:
    before = ask(built, STATE)
    stranger = replace(built, parameters={**built.parameters, "user": "stranger"})
    ask(built, f"GRANT USAGE ON SCHEMA {DATASET}_marts TO stranger")
    ask(built, f"GRANT SELECT ON ALL TABLES IN SCHEMA {DATASET}_marts TO stranger")
    assert "let the user CREATE in the database" in refused(stranger)
    ask(built, "GRANT CREATE ON DATABASE postgres TO stranger")
    ask(built, f"REVOKE SELECT ON {DATASET}.plan_current FROM stranger")
    told = refused(stranger)
    assert "permission denied for view plan_current" in told
    assert told.endswith("The marts from before stay in service.")
    ask(built, f"GRANT SELECT ON {DATASET}.plan_current TO stranger")
    assert "must be owner of table" in refused(stranger)
    assert ask(built, STATE) == before


def test_a_server_that_stops_meanwhile(built: Target, own_server: OwnServer) -> None:
    before = ask(built, STATE)
    with held(built, f"{DATASET}.usage", "ACCESS EXCLUSIVE") as doing:
        own_server.restart()
        with pytest.raises(Exception, match=r".") as failure:
            doing.result()
    assert explain(failure.value).startswith("The database says: ")
    assert "run this again" in explain(failure.value)
    assert ask(built, STATE) == before
    assert anew(built).built


def test_nothing_is_published_where_the_lock_was_lost(built: Target) -> None:
    before = ask(built, STATE)
    with held(built, f"{DATASET}_marts.mrr_monthly", "SHARE") as doing:
        ask(built, LOCKER)
    with pytest.raises(LoadError, match=r"the load's lock.*nothing was published: run this again"):
        doing.result()
    assert ask(built, STATE) == before


def test_loads_and_verifications_take_turns_with_a_transform(built: Target) -> None:
    with ThreadPoolExecutor(1) as loading:
        with held(built, f"{DATASET}.usage", "ACCESS EXCLUSIVE") as doing:
            in_the_way = rf"Another load of {DATASET} is running \(transform .*--wait"
            with pytest.raises(LoadError, match=in_the_way):
                load(built, advance="1d")
            with pytest.raises(LoadError, match=in_the_way):
                verify(built)
            waiting = loading.submit(load, built, advance="1d", wait=60)
        assert doing.result().as_of == AS_OF
        loaded = waiting.result().receipt
    assert loaded.as_of > AS_OF
    assert all(table.right for table in verify(built))
    assert run(built, lambda _line: None).load_id == loaded.load_id


def test_an_interrupt_is_none_of_another_database_s(built: Target) -> None:
    session = f"transform {DATASET}"
    ask(built, "CREATE DATABASE another")
    elsewhere = {**built.parameters, "dbname": "another", "application_name": session}
    try:
        with (
            psycopg.connect(**elsewhere, autocommit=True) as theirs,
            ThreadPoolExecutor(1) as beside,
            project._cancellable(built, session),
        ):
            sleeping = beside.submit(theirs.execute, "SELECT pg_sleep(1)")
            wait_until(
                lambda: (
                    ask(built, "SELECT pid FROM pg_stat_activity WHERE query ~ '^SELECT pg_sl'")
                    != []
                )
            )
            interruption.give_up()
            assert sleeping.result().fetchall()
    finally:
        interruption.begin()
        ask(built, "DROP DATABASE another WITH (FORCE)")
