"""Migrations that are refused, with a sentence and before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from subscriptions.extract import Company
from subscriptions.load.errors import LoadError
from subscriptions.load.lock import load_lock
from subscriptions.load.migration.ends import refuse_same
from subscriptions.load.target import Target
from subscriptions.tests.load.both_ends import (
    COMPANY,
    COUNTS,
    FIRST,
    THIRD,
    ask,
    load,
    migrate,
    places,
    recorded,
    versions,
)
from subscriptions.tests.load.conftest import Twin

BOTH_WAYS = pytest.mark.parametrize("how", ["current rows", "with history"])


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
    local: Target, railway: Target, how: str
) -> None:
    others = {
        "is as of 2026-08-20, the source as of 2026-07-15": COMPANY,
        "holds the company of seed 5, 40 users": Company(seed=5, users=40, epoch=FIRST),
    }
    for says, company in others.items():
        load(railway, THIRD, "replace", company)
        before = places(railway)
        with pytest.raises(LoadError, match=says):
            migrate(local, railway, how)
        assert places(railway) == before


def test_a_load_at_either_end_is_in_the_way(local: Target, railway: Target) -> None:
    for name, end in (("source", local), ("target", railway)):
        with load_lock(end), pytest.raises(LoadError, match=f"At the {name}: Another load of"):
            migrate(local, railway)
    assert migrate(local, railway).copied


def test_a_dataset_is_not_copied_onto_itself(local: Target) -> None:
    same = replace(local, parameters={**local.parameters, "connect_timeout": 3})
    with pytest.raises(LoadError, match="lead to the same database"):
        migrate(local, same)
    refuse_same(local, replace(local, parameters={**local.parameters, "dbname": "template1"}))
