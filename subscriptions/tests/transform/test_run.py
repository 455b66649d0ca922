"""One run: what it leaves, from what has changed and anew, and where it does not begin."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.target import Target
from subscriptions.tests.transform.conftest import Load, Transform, rows, schemas
from subscriptions.transform.errors import TransformError
from subscriptions.transform.marts import schema_of


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
