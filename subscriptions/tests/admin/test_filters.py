"""Every filter: the rows it keeps, and a message instead of an error for a senseless one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.admin import site
from django.db.models import Model
from django.test import Client

from subscriptions.admin import filters
from subscriptions.admin.display import url
from subscriptions.models import (
    Plan,
    PlanVersion,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)
from subscriptions.tests.admin.conftest import MODELS, first, results

pytestmark = pytest.mark.django_db

FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
KEPT: list[tuple[type[Model], dict[str, object], Callable[[Any], bool]]] = [
    (User, {"plan": 3}, lambda row: row.plan_id == 3),
    (User, {"plan": [1, 5]}, lambda row: row.plan_id in {1, 5}),
    (User, {"region": "Asia"}, lambda row: row.region == "Asia"),
    (User, {"region": ["Asia", "Africa"]}, lambda row: row.region in {"Asia", "Africa"}),
    (User, {"referral_source": "paid ads"}, lambda row: row.referral_source == "paid ads"),
    (
        User,
        {"signup_date_from": "2026-02-01", "signup_date_to": "2026-02-28"},
        lambda row: FEBRUARY[0] <= row.signup_date <= FEBRUARY[1],
    ),
    (Subscription, {"status": "Active"}, lambda row: row.status == "Active"),
    (Subscription, {"payment_method": "paypal"}, lambda row: row.payment_method == "paypal"),
    (Subscription, {"plan": 2}, lambda row: row.plan_id == 2),
    (Subscription, {"start_date_from": "2026-02-01"}, lambda row: row.start_date >= FEBRUARY[0]),
    (
        Subscription,
        {"end_date_to": "2026-02-28"},
        lambda row: bool(row.end_date) and row.end_date <= FEBRUARY[1],
    ),
    (Usage, {"plan": 4}, lambda row: row.plan_id == 4),
    (Usage, {"usage_date_to": "2026-02-28"}, lambda row: row.usage_date <= FEBRUARY[1]),
    (UserVersion, {"validity": "current"}, lambda row: row.valid_to is None),
    (UserVersion, {"valid_from_from": "2026-11-23", "valid_from_to": "2026-11-23"}, bool),
]


@pytest.mark.parametrize(("model", "query", "fits"), KEPT)
def test_each_filter_keeps_what_fits(
    admin: Client, model: type[Model], query: dict[str, Any], fits: Callable[[Any], bool]
) -> None:
    response = admin.get(url(model), query)
    assert response.status_code == 200
    assert results(response)
    assert all(fits(row) for row in results(response))
    expected = sum(map(fits, model._default_manager.all()))
    assert response.context["cl"].result_count == expected


def test_closed_versions_alone(admin: Client) -> None:
    assert results(admin.get(url(UserVersion, validity="closed"))) == []
    both = admin.get(url(UserVersion), {"validity": ["current", "closed"]})
    assert both.context["cl"].result_count == UserVersion.objects.count()


@pytest.mark.parametrize("model", [Subscription, Usage, SubscriptionVersion, UsageVersion])
def test_what_belongs_to_one_user(admin: Client, model: type[Model]) -> None:
    user = first(model).user_id
    rows = results(admin.get(url(model, user=user)))
    assert len(rows) == model._default_manager.filter(user=user).count()
    assert {row.user_id for row in rows} == {user}


@pytest.mark.parametrize("model", [UserVersion, PlanVersion, SubscriptionVersion, UsageVersion])
def test_the_versions_of_one_record(admin: Client, model: type[Model]) -> None:
    row = first(model)
    assert results(admin.get(url(model, current=row.current_id))) == [row]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("model", "field", "choices"),
    [
        (User, "region", filters.REGIONS),
        (User, "referral_source", filters.REFERRAL_SOURCES),
        (Subscription, "payment_method", filters.PAYMENT_METHODS),
        (Subscription, "status", filters.STATUSES),
    ],
)
def test_the_fixed_choices_are_those_of_the_data(
    model: type[Model], field: str, choices: tuple[str, ...]
) -> None:
    assert set(model._default_manager.values_list(field, flat=True)) - {None} == set(choices)


def test_plans_are_offered_by_name(admin: Client) -> None:
    text = admin.get(url(User)).content.decode()
    assert all(str(plan) in text for plan in Plan.objects.all())


@pytest.mark.parametrize(
    "query",
    [
        "region=Atlantis",
        "plan=99",
        "plan=1&plan=junk",
        "plan=%00",
        "signup_date_from=yesterday",
        "signup_date_to=2026-02-31",
        "signup_date_from=%00",
        "signup_date_to=9999-12-31",
        "no_such_field=1",
        "plan__no_such_field=1",
        "plan__features__contains=x",
        "user_id__regex=(((",
        "user_id__exact=%00",
        "email__contains=a",
        "signup_date__year=x",
        "valid_from__gte=junk",
        "p=0",
        "p=-1",
        "p=99999999999999999999",
        "_to_field=email",
        "e=1",
        "e=1&region=Atlantis",
    ],
)
def test_a_senseless_filter_gives_the_list_and_a_message(admin: Client, query: str) -> None:
    response = admin.get(f"{url(User)}?{query}", follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[-1][0] == url(User)
    assert "This list has no such page or filter" in response.content.decode()


@pytest.mark.parametrize(
    "query", ["user=%00", "user=nobody", "current=x", "p=junk", "all=1", "_facets=1", "_popup=1"]
)
def test_no_parameter_fails(admin: Client, query: str) -> None:
    for model in MODELS:
        response = admin.get(f"{url(model)}?{query}", follow=True)
        assert response.status_code == 200


def test_every_list_has_a_search_and_a_hint() -> None:
    for model in MODELS:
        assert site.get_model_admin(model).search_help_text
