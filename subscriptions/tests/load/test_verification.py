"""Loads find what was changed by hand, and `verify` says so without repairing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from subscriptions.load import comparison
from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target
from subscriptions.load.verification import verify
from subscriptions.tests.load.conftest import Run
from subscriptions.tests.load.trouble import DAY

Query = Callable[..., list[tuple[Any, ...]]]

# What somebody may do to a table, and to which.
TAMPERING = {
    "changed": ("user", "UPDATE \"user\" SET region = 'Mars' WHERE user_id = (%s)"),
    "deleted": ("usage", "DELETE FROM usage WHERE usage_id = (%s)"),
    "added": (
        "subscription",
        """
        INSERT INTO subscription SELECT (s).* FROM (
            SELECT jsonb_populate_record(
                s, jsonb_build_object('_dlt_id', 'new', 'subscription_id', 'ffffffff')) AS s
            FROM subscription AS s WHERE subscription_id = (%s)) AS one
        """,
    ),
    "doubled": (
        "usage",
        """
        INSERT INTO usage SELECT (s).* FROM (
            SELECT jsonb_populate_record(s, jsonb_build_object('_dlt_id', 'new')) AS s
            FROM usage AS s WHERE usage_id = (%s)) AS one
        """,
    ),
    "price": ("plan", "UPDATE plan SET monthly_fee = 21 WHERE plan_id = 2 AND (%s) IS NOT NULL"),
}


def wrong(target: Target) -> list[str]:
    return [result.table for result in verify(target) if not result.right]


@pytest.mark.parametrize("kind", TAMPERING)
def test_what_is_changed_by_hand_is_found_and_repaired(
    run: Run, query: Query, target: Target, kind: str
) -> None:
    run(users=30)
    assert wrong(target) == []
    table, sql = TAMPERING[kind]
    key = f"{table}_id"
    rows = f'SELECT {key}, xmin, ctid FROM "{table}" ORDER BY 1'
    before = query(rows)
    query(sql.replace("(%s)", f'(SELECT min({key}) FROM "{table}")'))
    assert wrong(target) == [table]
    changes = run().receipt.changes
    assert [name for name, counts in changes.items() if any(counts.values())] == [table]
    assert wrong(target) == []
    # All other rows are where they were.
    assert len(set(before) - set(query(rows))) <= 1


def test_only_the_rows_of_differing_buckets_are_staged(
    run: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(users=300)
    query('DELETE FROM "user" WHERE user_id = (SELECT min(user_id) FROM "user")')
    found = []
    compare = comparison.compare

    def watched(*arguments: Any) -> comparison.Comparison:
        found.append(compare(*arguments))
        return found[-1]

    monkeypatch.setattr(comparison, "compare", watched)
    run()
    (compared,) = found
    chosen = {
        name: len(s) if isinstance(s, np.ndarray) else None
        for name, s in compared.selections.items()
    }
    assert chosen == {"plan": 0, "user": 1, "subscription": 0, "usage": 0}
    assert set(compared.unchanged) == {"plan", "subscription", "usage"}


def test_after_an_append_the_receipt_is_verified_alone(run: Run, target: Target) -> None:
    run(users=30)
    run(write_disposition="append")
    assert {result.made for result in verify(target)} == {None}
    assert wrong(target) == []


def test_there_has_to_be_a_load_to_verify(target: Target) -> None:
    with pytest.raises(LoadError, match="load it first"):
        verify(target)


def test_a_receipt_of_an_older_release_is_read(run: Run, query: Query, target: Target) -> None:
    run(users=30)
    query("ALTER TABLE _load_receipt DROP COLUMN stored, DROP COLUMN version")
    with pytest.raises(LoadError, match="left no checksums"):
        verify(target)
    query("DELETE FROM _dlt_version")
    assert run().receipt.as_of == DAY
    assert wrong(target) == []
