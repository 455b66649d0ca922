"""Ctrl-C and SIGTERM: whatever a command is at, it is over in two seconds and leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from subscriptions.load import pipeline
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.load.trouble import DAY, WORKING_DIR

LOAD = ("load_faker_data", "--as-of", str(DAY))
REPLACE = (*LOAD, "--write-disposition", "replace")
# Large enough that each phase lasts, and that processes of their own generate.
LARGE = (*REPLACE, "--users", "110000", "--workers", "2")
STATE = """
    SELECT (SELECT md5(string_agg(u::text, '' ORDER BY _dlt_id)) FROM "user" AS u),
        (SELECT md5(string_agg(u::text, '' ORDER BY _dlt_id)) FROM usage AS u),
        (SELECT count(*) FROM _load_receipt), to_regnamespace(current_schema() || '_staging')
"""
SESSIONS = "FROM pg_stat_activity WHERE application_name LIKE '%%, process ' || %s || ' on %%'"


@pytest.fixture(scope="module")
def served(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """A dataset that a load would have to change; no load comes to its end here."""
    with django_db_blocker.unblock():
        name = "interruption_test"
        target = replace(Target.from_settings(), dataset=name, pipeline=name)
        pipeline.run(target, Request(users=20, as_of=DAY), WORKING_DIR, lambda _line: None)
    with target.connect("test") as session:
        session.execute(f"UPDATE {name}.\"user\" SET email = 'changed by hand'")
        yield target
        session.execute(f"DROP SCHEMA IF EXISTS {name}, {name}_staging CASCADE")


def ask(target: Target, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with target.connect("test") as session:
        session.execute(f"SET search_path = {target.dataset}")
        return session.execute(sql, parameters or None).fetchall()


@contextmanager
def locked(target: Target, mode: str) -> Iterator[None]:
    """Have the users locked by somebody else, so that who needs them waits."""
    with target.connect("test") as session, session.transaction():
        session.execute(f'LOCK TABLE {target.dataset}."user" IN {mode} MODE')
        yield


def waits_for_lock(target: Target, pid: int) -> bool:
    return ask(target, f"SELECT {SESSIONS} AND wait_event_type = 'Lock'", str(pid)) != []


def is_at(statement: str) -> Callable[[Target, int], bool]:
    """Whether the process has a session in a statement that begins so."""
    query = f"SELECT {SESSIONS} AND state = 'active' AND query LIKE '{statement}%%'"
    return lambda target, pid: ask(target, query, str(pid)) != []


def waits_for_the_other(target: Target, pid: int) -> bool:
    """Whether it waits for the other load, and meanwhile holds no snapshot."""
    rows = ask(target, f"SELECT state, backend_xmin IS NULL {SESSIONS}", str(pid))
    return rows == [("idle", True)]


Moment = tuple[
    tuple[str, ...],
    Callable[[Target], AbstractContextManager[object]],
    Callable[[Target, int], bool],
]
MOMENTS: dict[str, Moment] = {
    "importing": (LOAD, lambda _: nullcontext(), lambda _, pid: has_begun(pid)),
    "waiting": ((*LOAD, "--wait", "60"), load_lock, waits_for_the_other),
    "comparing": (LOAD, lambda t: locked(t, "ACCESS EXCLUSIVE"), waits_for_lock),
    "copying": (LARGE, lambda _: nullcontext(), is_at("COPY")),
    "indexing": (LARGE, lambda _: nullcontext(), is_at("CREATE INDEX")),
    "swapping": (REPLACE, lambda t: locked(t, "ACCESS SHARE"), is_at("LOCK TABLE")),
    "publishing": (LOAD, lambda t: locked(t, "SHARE"), waits_for_lock),
    "verifying": (
        ("load_faker_data", "--verify"),
        lambda t: locked(t, "ACCESS EXCLUSIVE"),
        waits_for_lock,
    ),
    "checking": (("check_data",), lambda t: locked(t, "ACCESS EXCLUSIVE"), waits_for_lock),
}
CASES = [
    ("importing", signal.SIGINT),
    ("importing", signal.SIGTERM),
    ("waiting", signal.SIGINT),
    ("comparing", signal.SIGTERM),
    ("copying", signal.SIGINT),
    ("indexing", signal.SIGTERM),
    ("swapping", signal.SIGTERM),
    ("publishing", signal.SIGINT),
    ("verifying", signal.SIGTERM),
    ("checking", signal.SIGINT),
]


def has_begun(pid: int) -> bool:
    """Whether the process is past Python's own start, and at imports of the project's."""
    return any("psycopg" in region.path for region in psutil.Process(pid).memory_maps())


@pytest.mark.parametrize(("moment", "number"), CASES)
def test_an_interrupt_ends_it_within_two_seconds_and_leaves_nothing(
    served: Target, database_url: str, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    arguments, hold, has_come = MOMENTS[moment]
    before = ask(served, STATE)
    with (
        hold(served),
        subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": database_url, "DATASET_NAME": served.dataset}
            | {"TMPDIR": str(tmp_path), "PIPELINE_NAME": served.dataset, "DEBUG": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        wait_until(lambda: process.poll() is not None or has_come(served, process.pid))
        children = psutil.Process(process.pid).children(recursive=True)
        seconds, said = interrupt(process, number)
    assert process.returncode == 128 + number
    assert said.startswith("Interrupted.")
    assert len(said.strip().splitlines()) == 1, said
    assert seconds < 2
    wait_until(lambda: not any(map(lives, children)), patience=5)
    assert list(tmp_path.iterdir()) == []
    wait_until(lambda: ask(served, f"SELECT {SESSIONS}", str(process.pid)) == [], patience=5)
    with load_lock(served):
        assert ask(served, STATE) == before
    assert not list((WORKING_DIR / served.folder).glob("*/*/*/*.csv"))


def lives(process: psutil.Process) -> bool:
    """Whether it runs, rather than waits for somebody to take note of its end."""
    try:
        status: str = process.status()
    except psutil.NoSuchProcess:
        return False
    return status not in {psutil.STATUS_ZOMBIE}


def interrupt(process: subprocess.Popen[str], number: signal.Signals) -> tuple[float, str]:
    """As a terminal does, which all processes in it hear; and again, as the impatient do."""
    sent = time.monotonic()
    os.killpg(process.pid, number)
    time.sleep(0.05)
    if process.poll() is None:
        process.send_signal(number)
    errors: IO[str] | None = process.stderr
    assert errors is not None
    process.wait(timeout=60)
    return time.monotonic() - sent, errors.read()


def wait_until(happened: Callable[[], bool], patience: float = 60) -> None:
    """Wait for something that is sure to come, but not for ever."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
