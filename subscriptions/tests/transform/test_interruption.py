"""Ctrl-C, SIGTERM and kill -9: the marts in service stay, and nothing that was staged does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from subscriptions.load import interruption, pipeline
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.tests.load.interrupted import SESSIONS, ask, said_when_interrupted, wait_until
from subscriptions.transform import project
from subscriptions.transform.marts import RECEIPT, schema_of, staged_schema_of
from subscriptions.transform.run import run

# Tests that run beside these have datasets of the same name in databases of their own.
BUILDING = """
    SELECT FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database() AND wait_event_type = 'Lock'
"""
WHOLE = ("transform", "--full-refresh")


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """A dataset with its marts; no transform that a test begins comes to its end."""
    with django_db_blocker.unblock():
        name = TRANSFORMED
        target = replace(Target.from_settings(), dataset=name, pipeline=name)
        request = Request(users=20, as_of=date(2026, 3, 1))
        pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)
        run(target, lambda _line: None)
    yield target
    with target.connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {name}, {schema_of(name)} CASCADE".encode())


@contextmanager
def locked(target: Target, relation: str, mode: str) -> Iterator[None]:
    """Have a relation locked by somebody else."""
    with target.connect("test") as session, session.transaction():
        session.execute(f"LOCK TABLE {relation} IN {mode} MODE".encode())
        yield


def builds(target: Target, _pid: int) -> bool:
    """Whether dbt is at a model, and waits."""
    return ask(target, BUILDING, f"transform {target.dataset}") != []


def publishes(target: Target, pid: int) -> bool:
    """Whether the command's own session waits for a mart."""
    return ask(target, f"SELECT {SESSIONS} AND wait_event_type = 'Lock'", str(pid)) != []


def state(target: Target) -> list[tuple[Any, ...]]:
    """How many transforms there were, and whether anything is staged."""
    receipts = f"{schema_of(target.dataset)}.{RECEIPT}"
    query = f"SELECT count(*), to_regnamespace(%s)::text FROM {receipts}"
    return ask(target, query, staged_schema_of(target.dataset))


@pytest.mark.parametrize(
    ("relation", "mode", "has_come", "number"),
    [
        ("{dataset}.usage", "ACCESS EXCLUSIVE", builds, signal.SIGINT),
        ("{dataset}_marts.mrr_monthly", "SHARE", publishes, signal.SIGTERM),
    ],
    ids=["building", "publishing"],
)
def test_an_interrupt_ends_it_within_two_seconds_and_leaves_nothing(
    built: Target,
    database_url: str,
    tmp_path: Path,
    relation: str,
    mode: str,
    has_come: Any,
    number: signal.Signals,
) -> None:
    before = state(built)
    with locked(built, relation.format(dataset=built.dataset), mode):
        said = said_when_interrupted(built, database_url, tmp_path, WHOLE, has_come, number)
    assert said == "Interrupted. The marts from before stay in service.\n"
    with load_lock(built):
        assert state(built) == before


def test_dbt_begins_nothing_once_the_run_is_given_up(
    built: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a signal that comes while it reads the project, which it does not hear."""
    before, dbt = state(built), project.invoke

    def invoke(*arguments: Any) -> object:
        interruption.give_up()
        return dbt(*arguments)

    monkeypatch.setattr(project, "invoke", invoke)
    try:
        with pytest.raises(Exception, match="interrupted"):
            project.build(built, full_refresh=True)
    finally:
        interruption.begin()
    assert state(built) == before


def test_after_a_kill_the_next_one_clears_away(built: Target, database_url: str) -> None:
    ((transforms, _),) = state(built)
    with (
        locked(built, f"{built.dataset}.usage", "ACCESS EXCLUSIVE"),
        subprocess.Popen(
            [sys.executable, "manage.py", *WHOLE],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": database_url, "DATASET_NAME": built.dataset},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        wait_until(lambda: builds(built, process.pid))
        process.kill()
        process.wait()
        # What it left is seen by nobody who reads the marts.
        assert state(built) == [(transforms, staged_schema_of(built.dataset))]
    run(built, lambda _line: None, full_refresh=True, wait=10)
    assert state(built) == [(transforms + 1, None)]
