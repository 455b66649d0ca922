"""A dataset copied between two servers: what arrives there, and what stays as it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from subscriptions.answers.recorded import recorded as answers_recorded
from subscriptions.extract import Company
from subscriptions.load.errors import explain
from subscriptions.load.migration.ends import TARGET
from subscriptions.load.migration.snapshot import Connection, Snapshot
from subscriptions.load.migration.stored_rows import StoredRows
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target
from subscriptions.tests.answers.prices import DAYS, EPOCH, reckoned_fees, stored_fees
from subscriptions.tests.load.both_ends import (
    COUNTS,
    FIRST,
    SECOND,
    THIRD,
    ask,
    is_sound,
    load,
    migrate,
    places,
    recorded,
    versions,
)
from subscriptions.tests.load.conftest import Twin
from subscriptions.tests.load.trouble import WORKING_DIR, querying

BOTH_WAYS = pytest.mark.parametrize("how", ["current rows", "with history"])


def test_rows_and_company_arrive(local: Target, railway: Target) -> None:
    result = migrate(local, railway)
    assert result.copied
    assert [table.table for table in result.tables] == list(COUNTS)
    assert all(table.target.rows >= COUNTS[table.table] for table in result.tables)
    here, there = recorded(local), recorded(railway)
    assert here is not None
    assert there is not None
    assert there.finished
    same = ("seed", "users", "epoch", "as_of", "rows", "version", "dispositions")
    assert [getattr(there, name) for name in same] == [getattr(here, name) for name in same]
    # On the day of the copy nothing is known there of what was before.
    assert ask(railway, 'SELECT count(valid_to), min(valid_from)::date FROM "user"') == [
        (0, SECOND)
    ]
    assert is_sound(railway)


@BOTH_WAYS
def test_a_second_run_touches_no_row(local: Target, railway: Target, how: str) -> None:
    assert migrate(local, railway, how).copied
    before = places(railway)
    assert not migrate(local, railway, how).copied
    assert places(railway) == before


def fees_as_of(end: Target, day: date) -> list[Decimal]:
    """What the receipts at an end lead to."""
    with end.connect("test") as session:
        return reckoned_fees(answers_recorded(session, end.dataset).plan_history(day))


@BOTH_WAYS
def test_the_answer_key_knows_the_prices_of_the_target(
    target: Target, twin: Twin, how: str
) -> None:
    railway, company = twin(target), Company(seed=4, users=5, epoch=EPOCH)
    for day in DAYS[1], DAYS[3], DAYS[5]:
        load(target, day, None, company)
    migrate(target, railway, how)
    with querying(railway) as query:
        if how == "with history":
            copy, source = fees_as_of(railway, DAYS[3]), fees_as_of(target, DAYS[3])
            assert copy == source
            assert len(set(copy)) > 2
        for then in None, (DAYS[7], "merge"), (DAYS[8], "scd2"):
            if then:
                load(railway, *then, company)
            assert fees_as_of(railway, then[0] if then else DAYS[5]) == stored_fees(query), then


def test_the_target_keeps_a_history_of_its_own(target: Target, twin: Twin) -> None:
    railway = twin(target)
    for day in (FIRST, SECOND):
        load(target, day)
        migrate(target, railway)
    assert versions(railway) == versions(target)
    assert ask(railway, 'SELECT count(valid_to) > 0 FROM "user"') == [(True,)]
    # A row that is changed in place keeps its id at the source; the target has two versions of it.
    ask(target, "UPDATE plan SET max_users = '7' WHERE plan_id = 1")
    ask(target, f"UPDATE _load_receipt SET as_of = '{THIRD}'")
    migrate(target, railway)
    ids = "SELECT count(DISTINCT _dlt_id), count(valid_to) FROM plan WHERE plan_id = 1"
    assert ask(railway, ids) == [(2, 1)]


def test_with_history_all_versions_arrive_and_loads_go_on(local: Target, railway: Target) -> None:
    migrate(local, railway)
    assert versions(railway) != versions(local)
    changes = migrate(local, railway, "with history").receipt.changes
    assert {name: counts["added"] for name, counts in changes.items()} == {
        name: len(rows) for name, rows in versions(local).items()
    }
    assert versions(railway, "_dlt_id") == versions(local, "_dlt_id")
    assert is_sound(railway)
    load(railway, THIRD)
    assert ask(railway, 'SELECT count(DISTINCT valid_to) FROM "user"') == [(2,)]
    assert is_sound(railway)


def test_a_later_day_without_a_change_is_noted(target: Target, twin: Twin) -> None:
    railway = twin(target)
    load(target, FIRST)
    migrate(target, railway)
    before = places(railway)
    for how, day in (("current rows", SECOND), ("with history", THIRD)):
        ask(target, f"UPDATE _load_receipt SET as_of = '{day}', version = 'of {day}'")
        there = migrate(target, railway, how).receipt
        assert (there.as_of, there.version) == (day, f"of {day}")
    assert all(places(railway)[table.name] == before[table.name] for table in TABLES)


def test_current_rows_that_differ_are_mended_and_no_others(local: Target, railway: Target) -> None:
    migrate(local, railway)
    good, before = versions(railway), places(railway)
    ask(railway, "DELETE FROM usage WHERE usage_id = (SELECT min(usage_id) FROM usage)")
    ask(railway, "UPDATE plan SET monthly_fee = 21 WHERE plan_id = 2")
    assert migrate(local, railway).copied
    assert versions(railway) == good
    touched = {
        table.name: len({*before[table.name]} - {*places(railway)[table.name]}) for table in TABLES
    }
    assert touched == {"plan": 1, "user": 0, "subscription": 0, "usage": 1}


def test_versions_that_differ_are_mended(local: Target, railway: Target) -> None:
    migrate(local, railway, "with history")
    good = versions(railway)
    for damage in (
        "UPDATE \"user\" SET valid_to = valid_to + interval '1 day' WHERE valid_to IS NOT NULL",
        "UPDATE plan SET valid_from = valid_from - interval '1 day' WHERE plan_id = 2",
        "DELETE FROM subscription WHERE valid_to IS NOT NULL",
    ):
        ask(railway, damage)
        assert versions(railway) != good
        assert migrate(local, railway, "with history").copied
        assert versions(railway) == good
        # What others build on the tables stays, from here on.
        ask(railway, 'CREATE OR REPLACE VIEW theirs AS SELECT email FROM "user"')
    assert ask(railway, "SELECT count(*) > 0 FROM theirs") == [(True,)]


@BOTH_WAYS
def test_all_is_copied_as_it_was_at_one_moment(
    target: Target, twin: Twin, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    railway = twin(target)
    load(target, FIRST)
    begin = StoredRows.begin

    def begin_late(*arguments: Any) -> None:
        begin(*arguments)
        ask(target, "DELETE FROM usage")

    monkeypatch.setattr(StoredRows, "begin", begin_late)
    assert migrate(target, railway, how).copied
    assert {name: len(rows) for name, rows in versions(railway).items()} == COUNTS


def test_a_source_that_goes_away_is_told_and_nothing_is_changed(
    local: Target, railway: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(railway, FIRST)
    before = places(railway)
    another_session = Snapshot.another_session

    @contextmanager
    def lost_session(state: Snapshot) -> Iterator[Connection]:
        with another_session(state) as session:
            ask(local, f"SELECT pg_terminate_backend({session.info.backend_pid}, 10000)")
            yield session

    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "another_session", lost_session)
        with pytest.raises(Exception, match=r".") as failure:
            migrate(local, railway)
    assert "check that the server in LOCAL_DATABASE_URL is up" in explain(failure.value, TARGET)
    assert places(railway) == before
    assert migrate(local, railway).copied
    assert versions(railway) == versions(local)


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        ("one job copied, 2", "current rows"),
        ("published, not committed", "with history"),
        ("committed, dlt knows nothing of it", "current rows"),
        ("committed, dlt knows nothing of it", "with history"),
    ],
)
def test_a_migration_that_was_killed_is_completed_by_the_next(
    local: Target, railway: Target, moment: str, how: str
) -> None:
    load(railway, FIRST)
    before = versions(railway)
    details = {
        "source": asdict(local),
        "target": asdict(railway),
        "working_dir": str(WORKING_DIR),
        "history": how == "with history",
    }
    process = [sys.executable, "-m", "subscriptions.tests.load.dying_migration"]
    killed = subprocess.run(
        [*process, moment, json.dumps(details)], cwd=settings.BASE_DIR, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    committed = moment.startswith("committed")
    assert versions(railway) == (versions(local) if committed else before)
    assert migrate(local, railway, how).copied is not committed
    assert versions(railway) == versions(local)
    there = recorded(railway)
    assert there is not None
    assert there.finished
    left = r"SELECT count(*) FROM pg_namespace WHERE nspname ~ ('^' || current_schema() || '_')"
    assert ask(railway, left) == [(0,)]
