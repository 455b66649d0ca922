"""Ctrl-C and SIGTERM: whatever a command is at, it is over in two seconds and leaves no trace."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import psutil
import pytest
from pytest_django import DjangoDbBlocker

from subscriptions.load import interruption, pipeline
from subscriptions.load.checks.history import HISTORY
from subscriptions.load.checks.run import findings
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.conftest import Run
from subscriptions.tests.load.interrupted import SESSIONS, ask, said_when_interrupted, wait_until
from subscriptions.tests.load.moments import right_after
from subscriptions.tests.load.trouble import DAY, WORKING_DIR, Query

LOAD = ("load_faker_data", "--no-transform", "--as-of", str(DAY))
REPLACE = (*LOAD, "--write-disposition", "replace")
# Large enough that each phase lasts, and that processes of their own generate.
LARGE = (*REPLACE, "--users", "110000", "--workers", "2")
STATE = """
    SELECT (SELECT md5(string_agg(u::text, '' ORDER BY _dlt_id)) FROM "user" AS u),
        (SELECT md5(string_agg(u::text, '' ORDER BY _dlt_id)) FROM usage AS u),
        (SELECT count(*) FROM _load_receipt), to_regnamespace(current_schema() || '_staging')
"""


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
    "advancing": (
        ("load_faker_data", "--no-transform", "--advance", "1m"),
        lambda t: locked(t, "SHARE"),
        waits_for_lock,
    ),
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
    ("advancing", signal.SIGINT),
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
    with hold(served):
        said = said_when_interrupted(served, database_url, tmp_path, arguments, has_come, number)
    assert said.startswith("Interrupted.")
    with load_lock(served):
        assert ask(served, STATE) == before


def test_a_history_keeps_the_steps_that_were_taken_and_is_gone_on_with(
    run: Run, target: Target, database_url: str, tmp_path: Path
) -> None:
    run(users=20)
    last = DAY + timedelta(days=90)  # far more steps than can be taken until somebody looks
    days = ("--from", str(DAY), "--as-of", str(last))
    asked = ("load_faker_data", "--no-transform", "--backfill", "daily", *days)
    loads = "SELECT count(*) FROM _load_receipt"
    said = said_when_interrupted(
        target, database_url, tmp_path, asked, lambda *_: ask(target, loads) > [(2,)], signal.SIGINT
    )
    assert said.startswith("Interrupted.")
    assert "ask for the backfill again to go on" in said
    ((taken, reached),) = ask(target, "SELECT count(*), max(as_of) FROM _load_receipt")
    assert reached == DAY + timedelta(days=taken - 1) < last
    assert ask(target, "SELECT to_regnamespace(current_schema() || '_staging')") == [(None,)]
    assert all(result.right for result in verify(target))
    result = run(as_of=reached + timedelta(days=2), first=DAY, backfill="daily")
    assert [receipt.as_of for receipt in result.receipts] == [
        reached + timedelta(days=days) for days in (1, 2)
    ]
    assert all(right.right for right in verify(target))
    with target.connect("test") as session, session.transaction():
        found = findings(session, target.dataset, result.receipt, HISTORY)
        assert [finding for finding in found if finding.violations] == []


def test_an_advance_that_is_still_asking_what_is_stored_ends_as_soon(
    run: Run, target: Target, query: Query
) -> None:
    """Two of its sessions are waited for: the one that publishes, and the one that sums up."""
    run(users=20)
    before = query(STATE)
    waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    with ExitStack() as held:

        def lock() -> None:
            session = held.enter_context(target.connect("test"))
            held.enter_context(session.transaction())
            session.execute(f"LOCK TABLE {target.dataset}.usage IN ACCESS EXCLUSIVE MODE")

        failures: list[BaseException] = []

        def advance() -> None:
            try:
                run(advance="1m")
            except BaseException as failure:  # noqa: BLE001  (the driver's, dlt's or the load's)
                failures.append(failure)

        with right_after("one job copied, 4", lock):
            load = Thread(target=advance)
            load.start()
            wait_until(lambda: len(query(waiting, f"{target.dataset}.usage")) == 2)
            began = time.monotonic()
            while load.is_alive():
                interruption.give_up()
                load.join(0.05)
            seconds = time.monotonic() - began
            interruption.begin()
    assert len(failures) == 1
    assert seconds < 2
    assert query(STATE) == before
    run(advance="1m")
    assert all(result.right for result in verify(target))
