"""Histories: which loads build them, and that the steps agree on the days that they share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from subscriptions.load import backfill, clock, pipeline
from subscriptions.load.checks.run import findings
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt, latest
from subscriptions.load.request import Request
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target
from subscriptions.tests.load.conftest import Run

Query = Callable[..., list[tuple[Any, ...]]]

OPENING = date(2024, 8, 1)
NOW = datetime(2024, 11, 15, 12, tzinfo=UTC)
FIRSTS_OF_MONTHS = [OPENING, date(2024, 9, 1), date(2024, 10, 1), date(2024, 11, 1)]
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
SUNDAYS = [date(2026, 2, day) for day in (1, 8, 15, 22)] + [MARCH]


def recorded(as_of: date) -> Receipt:
    return Receipt("1", 42, 1000, NOW.date(), as_of, {}, {}, {})


def test_a_history_goes_from_the_opening_to_the_day_that_was_asked_for() -> None:
    loads = backfill.requests(Request(users=7), "monthly", None, (), NOW)
    assert [load.as_of for load in loads] == [*FIRSTS_OF_MONTHS, NOW.date()]
    # One company: that of the last day.
    assert {(load.users, load.epoch) for load in loads} == {(7, NOW.date())}
    assert all(load.backfill is None for load in loads)


def test_the_steps_are_reckoned_from_the_first_day() -> None:
    month_ends = list(clock.days(date(2024, 12, 31), date(2025, 4, 30), "monthly"))
    assert [day.day for day in month_ends] == [31, 31, 28, 31, 30]
    assert list(clock.days(FEBRUARY, MARCH, "weekly")) == SUNDAYS
    assert len(list(clock.days(FEBRUARY, MARCH, "daily"))) == 29
    assert list(clock.days(MARCH, MARCH, "daily")) == [MARCH]


def test_only_the_first_load_of_a_new_history_replaces() -> None:
    request = Request(write_disposition="replace")
    loads = backfill.requests(request, "monthly", recorded(NOW.date()), (NOW.date(),), NOW)
    assert [load.write_disposition for load in loads] == ["replace", None, None, None, None]
    # The recorded company, since no other was named.
    assert {load.epoch for load in loads} == {NOW.date()}


def test_a_history_is_gone_on_with() -> None:
    begun = recorded(FIRSTS_OF_MONTHS[1])
    loads = backfill.requests(Request(), "monthly", begun, FIRSTS_OF_MONTHS[:2], NOW)
    assert [load.as_of for load in loads] == [*FIRSTS_OF_MONTHS[2:], NOW.date()]
    whole = [*FIRSTS_OF_MONTHS, NOW.date()]
    done = backfill.requests(Request(), "monthly", recorded(NOW.date()), whole, NOW)
    assert [load.as_of for load in done] == [NOW.date()]
    later = Request(as_of=date(2025, 1, 15))
    further = backfill.requests(later, "monthly", recorded(NOW.date()), whole, NOW)
    assert [str(load.as_of) for load in further] == ["2024-12-01", "2025-01-01", "2025-01-15"]


@pytest.mark.parametrize("loaded", [[NOW.date()], [OPENING, NOW.date()]])
def test_nothing_is_put_in_behind_what_is_loaded(loaded: list[date]) -> None:
    lacking = FIRSTS_OF_MONTHS[len(loaded) - 1]
    says = rf"was not loaded as of {lacking}, .* as of 2024-11-15: .*replace to build it anew"
    with pytest.raises(LoadError, match=says):
        backfill.requests(Request(), "monthly", recorded(NOW.date()), loaded, NOW)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Request(backfill="daily", write_disposition="append"), "leave out --write-disp"),
        (Request(backfill="daily", write_disposition="merge"), "which merge does not keep"),
        (Request(backfill="daily", advance="1m"), "--as-of the day that a --backfill ends on"),
        (Request(first=OPENING), "name both, or neither"),
        (Request(backfill="daily", first=date(2024, 7, 31)), "opened on 2024-08-01: --from"),
    ],
)
def test_what_makes_no_history_is_refused(request_: Request, says: str) -> None:
    with pytest.raises(LoadError, match=says):
        request_.check()


def test_a_history_does_not_begin_after_its_end() -> None:
    with pytest.raises(LoadError, match="--from 2025-01-01 is later than 2024-11-15"):
        backfill.requests(Request(first=date(2025, 1, 1)), "daily", None, (), NOW)


def test_an_unknown_step_is_refused_by_name() -> None:
    assert clock.step(None) is None
    with pytest.raises(LoadError, match="'hourly' for --backfill: use daily, weekly, monthly"):
        clock.step("hourly")


def known(query: Query, day: date) -> dict[str, list[tuple[Any, ...]]]:
    """What was known at 00:00 UTC of a day, by key."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        table.name: query(
            f'SELECT {", ".join(table.columns)} FROM "{table.name}" WHERE valid_from <= %s'
            f" AND (valid_to IS NULL OR valid_to > %s) ORDER BY {table.key}",
            moment,
            moment,
        )
        for table in TABLES
    }


def test_days_weeks_and_months_agree_where_they_meet(
    run: Run, query: Query, target: Target
) -> None:
    first, *_ = sundays = SUNDAYS[2:]
    named = {"users": 80, "epoch": sundays[1], "as_of": MARCH, "first": first}
    histories = {}
    for step, loads in (("daily", 15), ("weekly", 3), ("monthly", 2)):
        result = run(**named, backfill=step, write_disposition="replace")
        assert [receipt.as_of for receipt in result.receipts][:: loads - 1] == [first, MARCH]
        assert len(result.receipts) == loads
        histories[step] = {day: known(query, day) for day in sundays}
        with target.connect("test") as session, session.transaction():
            last = latest(session, target.dataset)
            assert last is not None
            assert [f for f in findings(session, target.dataset, last) if f.violations] == []
    assert histories["daily"] == histories["weekly"]
    for day in (first, MARCH):
        assert histories["monthly"][day] == histories["daily"][day]
    run(**{**named, "first": None}, write_disposition="replace")
    assert known(query, MARCH) == histories["daily"][MARCH]


def test_a_version_begins_on_the_day_of_its_step(run: Run, query: Query) -> None:
    run(users=80, as_of=MARCH, first=FEBRUARY, backfill="weekly")
    days = query("SELECT DISTINCT valid_from FROM subscription ORDER BY 1")
    assert [moment.date() for (moment,) in days] == SUNDAYS
    assert {moment.hour for (moment,) in days} == {0}


def test_from_the_opening_on_when_hardly_anybody_was_there(run: Run, query: Query) -> None:
    result = run(users=20, as_of=date(2024, 9, 15), backfill="monthly")
    assert [receipt.as_of for receipt in result.receipts] == [
        OPENING,
        date(2024, 9, 1),
        date(2024, 9, 15),
    ]
    assert result.receipts[0].rows["user"] < 20
    assert query('SELECT count(*) FROM "user" WHERE valid_to IS NULL') == [(20,)]
    assert result.changes["user"]["added"] - result.changes["user"]["closed"] == 20


def test_what_was_loaded_before_a_replace_is_no_history(run: Run, target: Target) -> None:
    run(users=5, as_of=FEBRUARY)
    run(users=6, as_of=SUNDAYS[2], write_disposition="replace")
    run(as_of=MARCH)
    with target.connect("test") as session:
        assert backfill.loaded_days(session, target.dataset) == {SUNDAYS[2], MARCH}
    with pytest.raises(LoadError, match="was not loaded as of 2026-02-01"):
        run(as_of=MARCH, first=FEBRUARY, backfill="monthly")


def test_an_interrupted_history_is_completed_by_asking_again(
    run: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"users": 30, "as_of": MARCH, "first": FEBRUARY, "backfill": "weekly"}
    run(**named)
    whole = {day: known(query, day) for day in SUNDAYS}
    query("DROP SCHEMA " + query("SELECT current_schema()")[0][0] + " CASCADE")
    execute = pipeline.execute

    def fails_later(*arguments: Any, **more: Any) -> str:
        if arguments[1].as_of == SUNDAYS[2]:
            raise LoadError("stopped")
        return execute(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "execute", fails_later)
        with pytest.raises(LoadError, match="stopped"):
            run(**named)
    result = run(**named)
    assert [receipt.as_of for receipt in result.receipts] == SUNDAYS[2:]
    assert {day: known(query, day) for day in SUNDAYS} == whole
