"""One run: what it leaves, from what has changed and anew, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform import project
from subscriptions.transform.errors import TransformError
from subscriptions.transform.marts import FLOWS, MARTS, RECEIPT, schema_of, staged_schema_of
from subscriptions.transform.run import Transformed, run

Load = Callable[..., None]
Transform = Callable[..., Transformed]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def dataset_name() -> str:
    """The dataset's, by which dbt knows the project as parsed."""
    return TRANSFORMED


@pytest.fixture
def load(target: Target) -> Load:
    """Load the test's own dataset."""

    def one(**named: object) -> None:
        request = Request(**named)  # type: ignore[arg-type]
        pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)

    return one


@pytest.fixture
def transform(target: Target) -> Transform:
    """Transform it."""
    return lambda **named: run(target, lambda _line: None, **named)


@pytest.fixture
def session(target: Target) -> Any:
    """A session beside both."""
    with target.connect("test") as opened:
        yield opened


def rows(session: psycopg.Connection[Any], target: Target) -> Rows:
    """All that is in service, but for the receipts."""
    marts = {name: f"{schema_of(target.dataset)}.{name}" for name in (FLOWS, *MARTS)}
    return {
        name: sorted(session.execute(f"SELECT * FROM {mart}".encode()).fetchall(), key=repr)
        for name, mart in marts.items()
    }


def schemas(session: psycopg.Connection[Any], target: Target) -> set[str]:
    found = session.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (target.dataset,)
    )
    return {name for (name,) in found.fetchall()}


def test_what_has_changed_gives_what_everything_gives(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=150, seed=3, epoch=date(2025, 6, 1), as_of=date(2026, 1, 28))
    assert transform().full_refresh
    # Within a month, over its end, and over months, with prices and regions that change.
    for advance in ("1d", "5d", "4m"):
        load(advance=advance)
        gone_on = transform()
        assert (gone_on.built, gone_on.full_refresh) == (True, False)
    partly = rows(session, target)
    assert transform(full_refresh=True).full_refresh
    assert rows(session, target) == partly
    assert not transform().built
    assert schemas(session, target) == {target.dataset, schema_of(target.dataset)}


def test_what_cannot_be_gone_on_from_is_built_anew(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=60, as_of=date(2026, 3, 1))
    transform()
    session.execute(f"DELETE FROM {target.dataset}.subscription WHERE plan_id = 3".encode())
    load(as_of=date(2026, 3, 2))
    assert transform().full_refresh  # the rows are back, and are of days before
    load(as_of=date(2026, 3, 5), write_disposition="merge")
    assert transform().full_refresh
    load(as_of=date(2026, 3, 5), write_disposition="append")
    assert transform().full_refresh
    load(as_of=date(2026, 3, 6))
    assert transform().full_refresh  # which has cleared the copies away
    load(as_of=date(2026, 3, 7))
    assert not transform().full_refresh


def test_after_a_repair_everything_is_built_anew(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=40, as_of=date(2026, 3, 1))
    transform()
    session.execute(f"SET search_path = {target.dataset}".encode())
    for damage in ("subscription SET plan_id = 5", "plan SET monthly_fee = 99"):
        session.execute(f"UPDATE {damage} WHERE plan_id = 3 AND valid_to IS NULL".encode())
        load(advance="1d")  # closes versions that the marts were not built of
        assert transform().full_refresh
    load(advance="1d")
    assert not transform().full_refresh


def test_a_row_that_a_load_of_the_same_day_removes_is_in_no_mart(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=40, as_of=date(2026, 3, 1))
    transform()
    before = rows(session, target)
    session.execute(f"SET search_path = {target.dataset}".encode())
    session.execute(
        b"""
        INSERT INTO subscription
        SELECT (jsonb_populate_record(other, jsonb_build_object(
            'subscription_id', 'by hand', '_dlt_id', 'by hand',
            'start_date', start_date - 300, 'end_date', start_date - 270
        ))).* FROM subscription AS other WHERE plan_id = 4 LIMIT 1
        """
    )
    transform(full_refresh=True)
    assert rows(session, target) != before
    load(as_of=date(2026, 3, 1))
    transform()
    assert rows(session, target) == before


def test_marts_that_do_not_fit_any_more_are_built_anew(
    load: Load,
    transform: Transform,
    target: Target,
    session: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(users=40, as_of=date(2026, 3, 1))
    transform()
    session.execute(f"SET search_path = {schema_of(target.dataset)}".encode())
    for change in (
        f"UPDATE {FLOWS} SET new_cents = 1",  # which a test finds
        "DROP TABLE usage_daily",
        # Of this one a build that goes on makes only the rows that may differ.
        "ALTER TABLE customer_lifetime ADD theirs int",
    ):
        session.execute(change.encode())
        load(advance="1d")
        assert transform().full_refresh
    assert len(rows(session, target)["customer_lifetime"]) >= 40
    load(advance="1d")
    assert not transform().full_refresh
    for name, value in project.variables(target).items():
        monkeypatch.setenv(name, value)
    assert project.invoke(target, ["run", "--select", "int_calendar", "--quiet"]).success
    assert transform().full_refresh  # whatever plain dbt has left there
    assert not transform().built
    session.execute(f"UPDATE {RECEIPT} SET definitions = definitions - 1".encode())
    assert transform().full_refresh  # of the same load, as an earlier release understood it


def test_a_failing_test_leaves_the_marts_as_they_are(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=40, as_of=date(2026, 3, 1))
    transform()
    before = rows(session, target)
    damaged = f"UPDATE {target.dataset}.subscription SET end_date = end_date + 400"
    session.execute(f"{damaged} WHERE plan_id > 1".encode())
    fails = r"^The test subscriptions_follow_each_other fails for [1-9].* stay in service\."
    with pytest.raises(TransformError, match=fails):
        transform(full_refresh=True)
    assert rows(session, target) == before
    assert staged_schema_of(target.dataset) not in schemas(session, target)


def test_what_others_have_built_on_a_mart_stays(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
    load(users=40, as_of=date(2026, 3, 1))
    transform()
    marts = schema_of(target.dataset)
    session.execute(
        f"CREATE VIEW {marts}.theirs AS SELECT sum(mrr) FROM {marts}.mrr_monthly".encode()
    )
    session.execute(f"GRANT SELECT ON {marts}.mrr_monthly TO PUBLIC".encode())
    ((before,),) = session.execute(f"SELECT * FROM {marts}.theirs".encode()).fetchall()
    with target.connect("test") as reader, reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute(f"SELECT * FROM {marts}.churn_monthly".encode())
        load(advance="1m")
        transform()
        # Who reads sees the marts of one transform, and keeps nobody from the next.
        assert reader.execute(f"SELECT * FROM {marts}.theirs".encode()).fetchone() == (before,)
    ((after,),) = session.execute(f"SELECT * FROM {marts}.theirs".encode()).fetchall()
    assert after > before
    granted = session.execute(
        "SELECT relacl::text FROM pg_class WHERE oid = %s::regclass", (f"{marts}.mrr_monthly",)
    ).fetchone()
    assert granted is not None
    assert "=r/" in granted[0]
    # What is no mart is made anew.
    for view in ("one", "other"):
        on_flows = f"CREATE VIEW {marts}.{view} AS SELECT count(*) FROM {marts}.{FLOWS}"
        session.execute(on_flows.encode())
    named = rf"^Each transform makes {FLOWS} anew.* \(view {marts}.one depends .*; view .*\): drop "
    with pytest.raises(TransformError, match=named):
        transform(full_refresh=True)
    assert session.execute(f"SELECT * FROM {marts}.theirs".encode()).fetchone() == (after,)


def test_before_the_first_load_it_says_what_to_run(transform: Transform) -> None:
    with pytest.raises(TransformError, match=r"run manage\.py load_faker_data"):
        transform()


def test_one_at_a_time(load: Load, transform: Transform, target: Target) -> None:
    load(users=5, as_of=date(2026, 3, 1))
    with load_lock(target), pytest.raises(LoadError, match="Another load of"):
        transform()


def test_a_company_without_users_has_empty_marts(load: Load, transform: Transform) -> None:
    load(users=1, seed=514, epoch=date(2026, 11, 28), as_of=date(2024, 8, 7))
    assert set(transform().rows.values()) == {0}
