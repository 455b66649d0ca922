"""What readers see while loads run, how long they wait, and that a load does not wait for them."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import date
from itertools import count
from typing import Any, Final

import pytest

from subscriptions.extract import Company
from subscriptions.load import patience, swap
from subscriptions.load.errors import LoadError
from subscriptions.load.in_place import InPlace
from subscriptions.load.tables import TABLES, USER, Disposition, Table
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Execute
from subscriptions.tests.load.moments import right_after
from subscriptions.tests.load.readers import A_MOMENT_S, LOOK, Seen, holding, reading
from subscriptions.tests.load.trouble import Query

DAY = date(2026, 6, 1)
LATER = date(2026, 7, 1)
SMALL = Company(seed=1, users=30, epoch=DAY)
LARGE = Company(seed=2, users=60, epoch=DAY)
# Every way in which a load becomes visible: what others have built matters to a swap alone.
WAYS: Final[dict[str, tuple[Disposition | None, bool]]] = {
    "default": (None, False),
    "append": ("append", False),
    "merge": ("merge", False),
    "scd2": ("scd2", False),
    "replace": ("replace", False),
    "replace in place": ("replace", True),
}


def build_a_view(query: Query, target: Target) -> None:
    """What others build on the tables, so that they cannot be swapped; gone with the dataset."""
    query(f"CREATE VIEW {target.dataset}.heads AS SELECT count(*) FROM {target.dataset}.usage")


@pytest.mark.parametrize("way", WAYS)
def test_readers_see_one_whole_state_after_another(
    execute: Execute,
    target: Target,
    query: Query,
    way: str,
) -> None:
    disposition, attached = WAYS[way]
    execute(SMALL, DAY)
    if attached:
        build_a_view(query, target)
    others = [(LARGE, DAY), (SMALL, DAY)] if disposition == "replace" else [(SMALL, LATER)] * 2
    states: list[Seen] = [*query(LOOK)]
    with reading(target) as reader:
        for company, as_of in others:
            execute(company, as_of, disposition)
            states += query(LOOK)
    assert len({*states}) == len(states) == 3
    # Not one row from two states, nor from the middle of a load.
    assert reader.seen <= {*states}
    assert {states[0], states[-1]} <= reader.seen
    assert {state[8:13] for state in states} == {(0, 0, 0, 0, 0)}


@pytest.mark.parametrize("way", WAYS)
def test_no_load_waits_for_a_reader_nor_makes_others_wait(
    execute: Execute,
    target: Target,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    assert swap.LOCK_PATIENCE_S < 60
    monkeypatch.setattr(swap, "LOCK_PATIENCE_S", 1.5)  # some attempts
    disposition, attached = WAYS[way]
    execute(SMALL, DAY)
    if attached:
        build_a_view(query, target)
    began = time.monotonic()
    company = LARGE if disposition == "replace" else SMALL
    with holding(target, *(table.view for table in TABLES)), reading(target) as reader:
        execute(company, DAY if disposition == "replace" else LATER, disposition)
    assert time.monotonic() - began < 60
    assert reader.longest < A_MOMENT_S
    retired = "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s"
    kept = query(retired, f"{target.dataset}_old_%")
    assert len(kept) == (disposition == "replace" and not attached)
    execute(company, LATER)
    assert query(retired, f"{target.dataset}_old_%") == []


def test_replaces_of_one_second_and_a_reader_of_the_first(
    execute: Execute, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(SMALL, DAY, "replace")
    second = int(time.time())
    moments = count()
    monkeypatch.setattr(
        "dlt.extract.storage.create_load_id", lambda: f"{second}.{100_000 + next(moments)}"
    )
    monkeypatch.setattr(swap, "LOCK_PATIENCE_S", 0)
    with holding(target, USER.view):
        execute(LARGE, DAY, "replace")
        with holding(target, USER.view):
            execute(SMALL, DAY, "replace")
            retired = "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s"
            assert len(query(retired, f"{target.dataset}_old_%")) == 2


def test_a_first_load_does_not_wait_for_a_reader_of_what_an_interrupted_one_left(
    execute: Execute, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise LoadError("stopped")

    monkeypatch.setattr(swap, "LOCK_PATIENCE_S", 1)
    with right_after("staged", stop), pytest.raises(Exception, match="stopped"):
        execute(SMALL, DAY)
    assert query('SELECT count(*) FROM "user"') == [(0,)]
    began = time.monotonic()
    with holding(target, *(table.name for table in TABLES)):
        execute(SMALL, DAY)
        assert query('SELECT count(*) FROM "user"') == [(30,)]
    assert time.monotonic() - began < 60


def test_readers_do_not_wait_for_one_lock_after_another(
    execute: Execute, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the tables that a swap locks is held until it has been waited for a moment."""
    # Longer than as shipped, to be told from what the machine itself may take.
    monkeypatch.setattr(patience, "ATTEMPT", "1s")
    monkeypatch.setattr(patience, "PAUSE_S", 0.05)
    execute(SMALL, DAY)
    tables = [table.name for table in TABLES]
    waited_for = (
        "SELECT relname FROM pg_locks JOIN pg_class ON relation = pg_class.oid"
        " WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relnamespace = %s::regnamespace"
    )
    with ExitStack() as stack:
        held = {name: stack.enter_context(ExitStack()) for name in tables}
        for name in tables:
            session = held[name].enter_context(target.connect("holder"))
            held[name].enter_context(session.transaction())
            lock = f'LOCK TABLE {target.dataset}."{name}" IN ACCESS SHARE MODE'
            session.execute(lock)
        # Of what is locked first; holding none of the others, of which one would break the wait.
        reader = stack.enter_context(reading(target, "SELECT count(*) FROM _load_receipt"))
        load = threading.Thread(target=execute, args=(LARGE, DAY, "replace"))
        load.start()
        while load.is_alive():
            for (name,) in query(waited_for, target.dataset):
                time.sleep(0.7)
                held[name].close()
            time.sleep(0.01)
        load.join()
    assert reader.longest < 2
    assert query('SELECT count(*) FROM "user"') == [(60,)]


def test_a_statement_between_two_views_is_waited_for(
    execute: Execute, target: Target, query: Query
) -> None:
    execute(SMALL, DAY)
    query("CREATE TABLE public.in_between ()")
    answers: list[tuple[Any, ...] | None] = []

    def straddle() -> None:
        with target.connect("straddler") as session:
            session.execute(f"SET search_path = {target.dataset}, public")
            # Looked up from the left to the right, and the one in the middle is locked.
            answers.append(
                session.execute(
                    "SELECT count(*) FROM user_current LEFT JOIN public.in_between ON true"
                    " JOIN usage_current USING (user_id)"
                ).fetchone()
            )

    straddler = threading.Thread(target=straddle)
    load = threading.Thread(target=execute, args=(LARGE, DAY, "replace"))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    try:
        with target.connect("in between") as session, session.transaction():
            session.execute("LOCK TABLE public.in_between IN ACCESS EXCLUSIVE MODE")
            straddler.start()
            while query(waiting, "public.in_between") == [(0,)]:
                time.sleep(0.01)
            load.start()
            load.join(2)
            assert load.is_alive()
        straddler.join()
        load.join()
    finally:
        query("DROP TABLE public.in_between")
    assert answers == [(150,)]
    assert query("SELECT count(*) FROM usage_current") == [(300,)]


def forget_a_column(query: Query, table: Table, *, of_the_view_alone: bool) -> None:
    """Make the dataset one of an older release, which lacked a column."""
    *names, lacking = table.columns
    query(f"DROP VIEW {table.view}")
    if not of_the_view_alone:
        query(f'ALTER TABLE "{table.name}" DROP COLUMN {lacking}')
    query(
        f"CREATE VIEW {table.view} AS SELECT {', '.join(names)}, valid_from, valid_to"
        f' FROM "{table.name}" WHERE valid_to IS NULL'
    )
    query("DELETE FROM _dlt_version")


@pytest.mark.parametrize("of_the_view_alone", [False, True], ids=["column", "view"])
def test_a_column_waits_for_a_reader_and_makes_nobody_wait(
    execute: Execute,
    target: Target,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    of_the_view_alone: bool,  # noqa: FBT001
) -> None:
    assert patience.PATIENCE_S < 60
    monkeypatch.setattr(patience, "PATIENCE_S", 1)
    execute(SMALL, DAY)
    forget_a_column(query, USER, of_the_view_alone=of_the_view_alone)
    old = query(LOOK)
    with holding(target, USER.view), reading(target) as reader:
        with pytest.raises(Exception, match="idle reader") as failure:
            execute(SMALL, LATER, "merge")
        assert query(LOOK) == old
    assert "hold" in str(failure.value)
    assert reader.longest < A_MOMENT_S
    execute(SMALL, LATER, "merge")
    assert query("SELECT count(*) FROM user_current WHERE referral_source IS NULL") == [(0,)]


@pytest.mark.parametrize("why", ["an old view", "built on before the swap"])
def test_readers_do_not_wait_while_rows_are_written(
    execute: Execute, target: Target, query: Query, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    execute(SMALL, DAY)
    asked: list[Seen] = []
    apply = InPlace._apply

    def look_meanwhile(self: InPlace, table: Table) -> dict[str, int]:
        with target.connect("reader") as session:
            session.execute(f"SET search_path = {target.dataset}")
            session.execute("SET statement_timeout = '2s'")
            asked.extend(session.execute(LOOK).fetchall())
        return apply(self, table)

    monkeypatch.setattr(InPlace, "_apply", look_meanwhile)
    old = query(LOOK)
    if why == "an old view":
        forget_a_column(query, USER, of_the_view_alone=True)
        execute(SMALL, LATER, "merge")
    else:
        with right_after("staged", lambda: build_a_view(query, target)):
            execute(LARGE, DAY, "replace")
    assert asked == old * len(TABLES)


@pytest.mark.parametrize("attached", [False, True], ids=["bare", "attached"])
def test_a_transaction_that_began_before_a_replace_sees_a_whole_state(
    execute: Execute,
    target: Target,
    query: Query,
    attached: bool,  # noqa: FBT001
) -> None:
    """A swap's rows are stored frozen, so even older snapshots see them."""
    execute(SMALL, DAY)
    if attached:
        build_a_view(query, target)
    with target.connect("reader") as session, session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.execute(f"SET LOCAL search_path = {target.dataset}")
        session.execute("SELECT 1")
        (old,) = query(LOOK)
        execute(LARGE, DAY, "replace")
        (new,) = query(LOOK)
        seen = session.execute(LOOK).fetchone()
        assert seen is not None
        # Of a swap all but the receipts, which are copied.
        assert seen[:-1] == (old if attached else new)[:-1]
        by_index = "SELECT count(*) FROM usage_current WHERE plan_id > 0"
        session.execute("SET LOCAL enable_seqscan = off")
        assert session.execute(by_index).fetchone() == (150 if attached else 300,)
