"""A record's history as its page tells it: when, which field, from what to what."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from subscriptions.admin.timeline import timeline
from subscriptions.models import Plan, Subscription, User
from subscriptions.tests.admin.conftest import record, stored_twice
from subscriptions.tests.histories import History

Told = list[tuple[str, str, list[tuple[Any, Any, Any]]]]


def told(row: object, limit: int = 10) -> Told:
    return [
        (
            f"{moment.day:%Y-%m-%d}",
            moment.title,
            [(change.field, change.before, change.after) for change in moment.changes],
        )
        for moment in timeline(row, limit)
    ]


def test_a_price(lived: History, superuser: Client) -> None:
    plan = Plan.objects.get(pk=3)
    fees = [
        next(row for row in lived.known("plan", day) if row["plan_id"] == 3)["monthly_fee"]
        for day in lived.days
    ]
    assert fees[1] < fees[2] == fees[3]
    change = ("monthly fee", f"{fees[1]:.2f}", f"{fees[2]:.2f}")
    assert told(plan) == [
        ("2026-02-01", "Changed", [change]),
        ("2025-06-01", "First seen", []),
    ]
    page = superuser.get(record(plan)).text
    assert f"Monthly fee</span> <del>{change[1]}</del> → <ins>{change[2]}</ins>" in page


def test_every_user(lived: History) -> None:
    names = {plan.pk: plan.plan_name for plan in Plan.objects.all()}
    words = {"plan_id": "plan", "email": "e-mail"}
    changed = set()
    for user in User.objects.all():
        states = lived.versions("user", user.pk)
        expected: Told = [(str(states[0][0]), "First seen", [])]
        for (_, old), (day, new) in pairwise(states):
            assert old
            assert new
            columns = [column for column in old if old[column] != new[column]]
            changed |= {*columns}
            differences = [
                (
                    words.get(column, column),
                    names.get(old[column], old[column]),
                    names.get(new[column], new[column]),
                )
                for column in columns
            ]
            expected.insert(0, (str(day), "Changed", differences))
        assert [(d, t, sorted(c)) for d, t, c in told(user)] == [
            (d, t, sorted(c)) for d, t, c in expected
        ]
    assert changed == {"plan_id", "email", "region"}


@pytest.mark.usefixtures("lived")
def test_an_end_where_there_was_none() -> None:
    ended = Subscription.objects.filter(plan_id=1).exclude(end_date=None)
    subscription = next(row for row in ended if len(told(row)) > 1)
    [_, _, changes] = told(subscription)[0]
    assert ("end date", "none", str(subscription.end_date)) in changes
    assert ("status", "Active", "Inactive") in changes


def test_gone_for_a_while(interrupted: History) -> None:
    key = interrupted.known("user", date(2026, 1, 1))[0]["user_id"]
    assert [(day, title) for day, title, _ in told(User.objects.get(pk=key))] == [
        ("2026-03-01", "Back in the data"),
        ("2026-02-01", "No longer in the data"),
        ("2026-01-01", "First seen"),
    ]


@pytest.mark.usefixtures("interrupted")
def test_the_oldest_moment_shown_is_not_taken_for_the_first() -> None:
    user = User.objects.all()[0]
    assert told(user, limit=1) == told(user)[:1]
    assert told(user, limit=2) == told(user)[:2]


@pytest.mark.usefixtures("lived")
def test_loaded_again() -> None:
    stored_twice(Plan)
    plan = Plan.objects.filter(pk=1)[0]
    assert [title for _, title, _ in told(plan)] == ["Loaded again, unchanged", "First seen"]
