"""A run on what an earlier one left in service: what it makes anew, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.tests.transform.conftest import Load, Transform, rows, schemas
from subscriptions.transform import project
from subscriptions.transform.errors import TransformError
from subscriptions.transform.marts import FLOWS, RECEIPT, schema_of, staged_schema_of


@pytest.fixture(scope="module")
def target(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """One dataset for all, each of whom goes on with it."""
    with django_db_blocker.unblock():
        own = replace(Target.from_settings(), dataset=TRANSFORMED, pipeline=TRANSFORMED)
    request = Request(users=40, as_of=date(2026, 3, 1))
    pipeline.run(own, request, settings.LOCAL_DIR / "dlt", lambda _line: None)
    yield own
    schemas = f"{own.dataset}, {schema_of(own.dataset)}, {staged_schema_of(own.dataset)}"
    with own.connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {schemas} CASCADE".encode())


@pytest.fixture
def transform(transform: Transform) -> Transform:
    """Transform it; when a test begins, the marts are of its last load."""
    transform()
    return transform


def test_after_a_repair_everything_is_built_anew(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
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
    load(as_of=transform().as_of)
    transform()
    assert rows(session, target) == before


def test_marts_that_do_not_fit_any_more_are_built_anew(
    load: Load,
    transform: Transform,
    target: Target,
    session: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.execute(f"SET search_path = {schema_of(target.dataset)}".encode())
    for change in (
        f"UPDATE {FLOWS} SET new_cents = 1",  # which a test finds
        "DROP TABLE usage_daily",
        f"ALTER TABLE {RECEIPT} RENAME greatest TO was",
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
    before = rows(session, target)
    session.execute(f"SET search_path = {target.dataset}".encode())
    fails = r"^The test subscriptions_follow_each_other fails for [1-9].* stay in service\."
    for damage, mending in (
        (
            "UPDATE subscription SET end_date = end_date + 400 WHERE plan_id > 1",
            "UPDATE subscription SET end_date = end_date - 400 WHERE plan_id > 1",
        ),
        (
            "CREATE TABLE fees AS TABLE plan; UPDATE plan SET monthly_fee = NULL WHERE plan_id = 2",
            """
                UPDATE plan SET monthly_fee = fees.monthly_fee FROM fees
                WHERE fees._dlt_id = plan._dlt_id;
                DROP TABLE fees
            """,
        ),
    ):
        session.execute(damage.encode())
        with pytest.raises(TransformError, match=fails):
            transform(full_refresh=True)
        session.execute(mending.encode())
    assert rows(session, target) == before
    assert staged_schema_of(target.dataset) not in schemas(session, target)


def test_what_others_have_built_on_a_mart_stays(
    load: Load, transform: Transform, target: Target, session: psycopg.Connection[Any]
) -> None:
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
    session.execute(f"DROP VIEW {marts}.theirs, {marts}.one, {marts}.other".encode())
