"""A dataset copied between two servers: what arrives there, what stays, and what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from elt_site.environment import read_database
from subscriptions.extract import Company
from subscriptions.load import pipeline, receipt
from subscriptions.load.checks.run import examine
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.migration import Migration, Result
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Load
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.clusters import Cluster
from subscriptions.tests.load.conftest import WORKING_DIR

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 7, 15), date(2026, 8, 20)
COMPANY = Company(seed=4, users=40, epoch=FIRST)
COUNTS = {"plan": 5, "user": 40, "subscription": 69, "usage": 200}
BOTH_WAYS = pytest.mark.parametrize("how", ["current rows", "with history"])

Twin = Callable[[Target], Target]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """A source that was loaded on two days, and that no test changes."""
    with django_db_blocker.unblock():
        source = replace(Target.from_settings(), dataset="migrated", pipeline="migrated")
    load(source, FIRST)
    load(source, SECOND)
    yield source
    ask(source, "DROP SCHEMA migrated CASCADE")


@pytest.fixture
def twin(other_server: Cluster) -> Iterator[Twin]:
    """The dataset of the same name on the other server; what is there is dropped afterwards."""
    database = Target.of(read_database(other_server.url()))
    twins = []

    def of(source: Target) -> Target:
        twins.append(replace(database, dataset=source.dataset, pipeline=source.pipeline))
        return twins[-1]

    yield of
    for end in twins:
        ask(end, f"DROP SCHEMA IF EXISTS {end.dataset}, {end.dataset}_staging CASCADE")


@pytest.fixture
def railway(lived: Target, twin: Twin) -> Target:
    """Where the source that has lived is copied to."""
    return twin(lived)


def migrate(source: Target, railway: Target, how: str = "current rows") -> Result:
    """Copy a dataset to the other server."""
    history = how == "with history"
    result = Migration(source, railway, WORKING_DIR, lambda _line: None, history=history).run()
    assert all(table.agree for table in result.tables)
    return result


def load(
    end: Target, day: date, disposition: Disposition | None = None, company: Company = COMPANY
) -> None:
    """Load the company on a day, under one disposition for all tables or the default ones."""
    dispositions = {t.name: disposition or t.disposition for t in TABLES}
    definite = Load(company, day, dispositions, workers=1, started_at=datetime.now(UTC))
    pipeline.execute(end, definite, WORKING_DIR, lambda _line: None)


def ask(end: Target, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL in an end's dataset; returns the rows, if any."""
    with end.connect("test") as session:
        session.execute(f"SET search_path = {end.dataset}")
        cursor = session.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def versions(end: Target, *more: str) -> Rows:
    """All versions of all tables with their dates, in one order at both ends."""
    return {
        table.name: sorted(
            ask(end, f"SELECT {', '.join((*table.columns, 'valid_from', 'valid_to', *more))}"
                     f' FROM "{table.name}"'),
            key=str,
        )
        for table in TABLES
    }  # fmt: skip


def places(end: Target) -> Rows:
    """Where every row lies, those of the loads' notes included, and which transaction wrote it."""
    names = [*(table.name for table in TABLES), "_load_receipt", "_dlt_loads"]
    return {n: ask(end, f'SELECT ctid, xmin::text FROM "{n}" ORDER BY ctid') for n in names}


def recorded(end: Target) -> Receipt | None:
    """The receipt of an end's last load."""
    with end.connect("test") as session:
        return receipt.latest(session, end.dataset)


def is_sound(end: Target) -> bool:
    """Whether it passes all checks, and is what its company is."""
    told: list[object] = []
    _, findings = examine(end, told.append, told.append)
    assert [finding for finding in findings if finding.violations] == []
    return all(table.right for table in verify(end, workers=1))


def test_rows_and_company_arrive(lived: Target, railway: Target) -> None:
    result = migrate(lived, railway)
    assert result.copied
    assert [table.table for table in result.tables] == list(COUNTS)
    assert all(table.target.rows >= COUNTS[table.table] for table in result.tables)
    here, there = recorded(lived), recorded(railway)
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
def test_a_second_run_touches_no_row(lived: Target, railway: Target, how: str) -> None:
    assert migrate(lived, railway, how).copied
    before = places(railway)
    assert not migrate(lived, railway, how).copied
    assert places(railway) == before


def test_the_target_keeps_a_history_of_its_own(target: Target, twin: Twin) -> None:
    railway = twin(target)
    for day in (FIRST, SECOND):
        load(target, day)
        migrate(target, railway)
    assert versions(railway) == versions(target)
    assert ask(railway, 'SELECT count(valid_to) > 0 FROM "user"') == [(True,)]


def test_with_history_all_versions_arrive_and_loads_go_on(lived: Target, railway: Target) -> None:
    migrate(lived, railway)
    assert versions(railway) != versions(lived)
    migrate(lived, railway, "with history")
    assert versions(railway, "_dlt_id") == versions(lived, "_dlt_id")
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
        ask(target, f"UPDATE _load_receipt SET as_of = '{day}'")
        assert migrate(target, railway, how).receipt.as_of == day
    assert all(places(railway)[table.name] == before[table.name] for table in TABLES)


def test_current_rows_that_differ_are_mended_and_no_others(lived: Target, railway: Target) -> None:
    migrate(lived, railway)
    good, before = versions(railway), places(railway)
    ask(railway, "DELETE FROM usage WHERE usage_id = (SELECT min(usage_id) FROM usage)")
    ask(railway, "UPDATE plan SET monthly_fee = 21 WHERE plan_id = 2")
    assert migrate(lived, railway).copied
    assert versions(railway) == good
    touched = {
        table.name: len({*before[table.name]} - {*places(railway)[table.name]}) for table in TABLES
    }
    assert touched == {"plan": 1, "user": 0, "subscription": 0, "usage": 1}


def test_versions_that_differ_are_mended(lived: Target, railway: Target) -> None:
    migrate(lived, railway, "with history")
    good = versions(railway)
    for damage in (
        "UPDATE \"user\" SET valid_to = valid_to + interval '1 day' WHERE valid_to IS NOT NULL",
        "UPDATE plan SET valid_from = valid_from - interval '1 day' WHERE plan_id = 2",
        "DELETE FROM subscription WHERE valid_to IS NOT NULL",
    ):
        ask(railway, damage)
        assert versions(railway) != good
        assert migrate(lived, railway, "with history").copied
        assert versions(railway) == good


def test_copies_of_an_append_are_refused_but_part_of_a_history(target: Target, twin: Twin) -> None:
    railway = twin(target)
    load(target, FIRST, "append")
    load(target, FIRST, "append")
    with pytest.raises(LoadError, match="rows of plan, user, subscription, usage more than once"):
        migrate(target, railway)
    assert recorded(railway) is None
    migrate(target, railway, "with history")
    assert versions(railway, "_dlt_id") == versions(target, "_dlt_id")
    there = recorded(railway)
    assert there is not None
    assert there.rows == COUNTS


# What somebody may have done to the source, what says so, and how it is undone.
SPOILED = (
    ('ALTER TABLE "user" ALTER plan_id TYPE bigint', "user.plan_id is of the type bigint",
     'ALTER TABLE "user" ALTER plan_id TYPE integer'),
    ("ALTER TABLE usage RENAME api_calls TO calls", "usage has no column api_calls",
     "ALTER TABLE usage RENAME calls TO api_calls"),
    ("ALTER TABLE plan RENAME TO plans", "plan has no column plan_id",
     "ALTER TABLE plans RENAME TO plan"),
    ("DELETE FROM _load_receipt", "There is no load_test_", "SELECT"),
)  # fmt: skip


def test_a_source_that_is_not_as_loads_leave_it_is_refused(target: Target, twin: Twin) -> None:
    railway = twin(target)
    load(target, FIRST)
    ask(target, "DROP VIEW user_current")
    for damage, says, undo in SPOILED:
        ask(target, damage)
        with pytest.raises(LoadError, match=says):
            migrate(target, railway)
        ask(target, undo)
    assert recorded(railway) is None


@BOTH_WAYS
def test_another_company_or_a_later_day_at_the_target_stays(
    lived: Target, railway: Target, how: str
) -> None:
    others = {
        "is as of 2026-08-20, the source as of 2026-07-15": COMPANY,
        "holds the company of seed 5, 40 users": Company(seed=5, users=40, epoch=FIRST),
    }
    for says, company in others.items():
        load(railway, THIRD, "replace", company)
        before = places(railway)
        with pytest.raises(LoadError, match=says):
            migrate(lived, railway, how)
        assert places(railway) == before


def test_a_load_at_either_end_is_in_the_way(lived: Target, railway: Target) -> None:
    for name, end in (("source", lived), ("target", railway)):
        with load_lock(end), pytest.raises(LoadError, match=f"At the {name}: Another load of"):
            migrate(lived, railway)
    assert migrate(lived, railway).copied


def test_a_dataset_is_not_copied_onto_itself(lived: Target) -> None:
    same = replace(lived, parameters={**lived.parameters, "connect_timeout": 3})
    with pytest.raises(LoadError, match="lead to the same database"):
        migrate(lived, same)


@BOTH_WAYS
@pytest.mark.parametrize(
    "moment",
    ["one job copied, 2", "published, not committed", "committed, dlt knows nothing of it"],
)
def test_a_migration_that_was_killed_is_completed_by_the_next(
    lived: Target, railway: Target, moment: str, how: str
) -> None:
    load(railway, FIRST)
    before = versions(railway)
    details = {
        "source": asdict(lived),
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
    assert versions(railway) == (versions(lived) if committed else before)
    assert migrate(lived, railway, how).copied is not committed
    assert versions(railway) == versions(lived)
    there = recorded(railway)
    assert there is not None
    assert there.finished
    left = r"SELECT count(*) FROM pg_namespace WHERE nspname ~ ('^' || current_schema() || '_')"
    assert ask(railway, left) == [(0,)]
