"""Every filter: the rows it keeps, and a message instead of an error for a senseless one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.admin import site
from django.db.models import Model
from django.test import Client

from subscriptions import fixed_values
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


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of two rows: whether a list bears a query, a page full of them says no better."""
    for model in MODELS:
        monkeypatch.setattr(site.get_model_admin(model), "list_per_page", 2)


def test_closed_versions_alone(admin: Client) -> None:
    assert results(admin.get(url(UserVersion, validity="closed"))) == []
    both = admin.get(url(UserVersion), {"validity": ["current", "closed"]})
    assert both.context["cl"].result_count == UserVersion.objects.count()


@pytest.mark.parametrize("model", [Subscription, Usage])
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
        (User, "region", fixed_values.REGIONS),
        (User, "referral_source", fixed_values.REFERRAL_SOURCES),
        (Subscription, "payment_method", fixed_values.PAYMENT_METHODS),
        (Subscription, "status", fixed_values.STATUSES),
    ],
)
def test_the_fixed_choices_are_those_of_the_data(
    model: type[Model], field: str, choices: tuple[str, ...]
) -> None:
    assert set(model._default_manager.values_list(field, flat=True)) - {None} == set(choices)


def test_plans_are_offered_by_name(admin: Client) -> None:
    text = admin.get(url(User)).content.decode()
    assert all(str(plan) in text for plan in Plan.objects.all())


SENSELESS = (
    f"q={'x' * 501}",
    "no_such_field=1",
    "plan__no_such_field=1",
    "plan__features__contains=x",
    "user_id__regex=(((",
    "user_id__exact=%00",
    "email__contains=a",
    "signup_date__year=x",
    "valid_from__gte=junk",
    "%00=1",
    "p=0",
    "p=-1",
    "p=abc",
    "p=",
    "p=%00",
    "p=99999999999999999999",
    f"p={'9' * 5000}",
    "p=1&p=x",
    "o=99",
    "o=-99",
    "o=junk",
    "o=1.junk",
    "o=%00",
    f"o={'9' * 5000}",
    "after=nobody",
    "after=%00",
    "after=%FF",
    f"after={'x' * 100_000}",
    "_to_field=email",
    "e=1",
    "e=1&region=Atlantis",
)
SENSELESS_FOR: dict[type[Model], tuple[str, ...]] = {
    User: (
        "region=Atlantis",
        "region=Asia&region=Atlantis",
        "region=%FF%FE",
        f"region={'x' * 100_000}",
        "plan=99",
        "plan=1&plan=junk",
        "plan=1'",
        "plan=%00",
        "plan=99999999999999999999",
        "signup_date_from=yesterday",
        "signup_date_to=2026-02-31",
        "signup_date_from=%00",
        "signup_date_from=x'",
        "signup_date_to=9999-12-31",
        f"signup_date_from={'1' * 100_000}",
        "o=1",  # the plan's column, whose order no index has
        "o=2",
    ),
    Subscription: ("status=Maybe", "payment_method=cash", "end_date_from=x", "user=%00", "o=4"),
    Usage: ("usage_date_to=x", "region=Asia", "o=4"),
    UserVersion: ("validity=open", "valid_from_from=x", "current=%00", "o=0"),
    PlanVersion: ("current=x", "current=1'", f"current={'9' * 5000}"),
}
BAD = [
    *((User, query) for query in SENSELESS),
    *((model, query) for model, queries in SENSELESS_FOR.items() for query in queries),
]


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize(("model", "query"), BAD, ids=lambda value: str(value)[-40:])
def test_a_senseless_filter_gives_the_list_and_a_message(
    admin: Client, model: type[Model], query: str
) -> None:
    response = admin.get(f"{url(model)}?{query}", follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[-1][0] == url(model)
    assert "This list has no such page, order or filter" in response.content.decode()


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize("query", SENSELESS)
def test_every_list_bears_them(admin: Client, query: str) -> None:
    for model in MODELS:
        assert bears(admin, model, query), model


def bears(admin: Client, model: type[Model], query: str) -> bool:
    """Whether a list answers, or sends on: to itself, or to what is one of SENSELESS as well."""
    response = admin.get(f"{url(model)}?{query}")
    onward = {url(model), f"{url(model)}?e=1"}
    return response.status_code == 200 or response.headers["Location"] in onward


@pytest.mark.parametrize("page", ["auth/user", "auth/group", "access/token"])
@pytest.mark.parametrize(
    "query",
    [
        "p=abc",
        "is_staff__exact=x",
        "username__regex=(((",
        "username=%00",
        "password__startswith=pbkdf2",
        "digest__startswith=0",
        "owner__password__startswith=pbkdf2",
        f"q={'+x' * 251}",
        "no_such_field=1",
        "e=1",
    ],
)
def test_the_lists_of_accounts_bear_them(superuser: Client, page: str, query: str) -> None:
    response = superuser.get(f"/admin/{page}/?{query}", follow=True)
    assert response.status_code == 200
    assert "This list has no such page, order or filter" in response.content.decode()


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize(
    "query",
    [
        "user=nobody",
        "current=99999999999999999999",
        f"user={'x' * 100_000}",
        f"q={'x' * 500}",
        "q=%FF",
        "q=%00",
        "q=a&q=b",
        "q=%25%5F%5C",
        "all=1",
        "_facets=1",
        "_popup=1",
        "signup_date_from=",
        "region=",
    ],
)
def test_no_parameter_fails(admin: Client, query: str) -> None:
    for model in MODELS:
        assert bears(admin, model, query), model


def test_every_list_has_a_search_and_a_hint() -> None:
    for model in MODELS:
        assert site.get_model_admin(model).search_help_text
