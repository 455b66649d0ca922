"""No page of the admin takes longer because the tables are larger, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User as Account
from django.db.models import Model, Q, QuerySet
from django.test import Client, RequestFactory

from subscriptions.admin import stretch
from subscriptions.admin.display import url
from subscriptions.models import (
    DltLoad,
    Plan,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)
from subscriptions.tests.admin.conftest import MODELS, Queries, first, record, results
from subscriptions.tests.admin.plans import growing

pytestmark = pytest.mark.django_db

DAYS = ("2026-02-01", "2026-02-02")
# What each list can be asked: of each filter nothing, something frequent, or something rare.
ASKED: dict[type[Model], dict[str, tuple[str, ...]]] = {
    User: {
        "plan": ("", "5"),
        "region": ("", "Oceania"),
        "signup_date_from": ("", "2024-08-01", "2027-01-01"),
        "q": ("", "s", "Smith", "John Smith", "usr@nobody"),
    },
    Subscription: {
        "status": ("", "Active", "Inactive"),
        "payment_method": ("", "paypal"),
        "end_date_to": ("", "2026-11-01"),
        "q": ("", "nobody"),
    },
    Usage: {
        "plan": ("", "5"),
        "usage_date_from": ("", "2026-01-01"),
        "user": ("", "nobody"),
        "q": ("", "nobody"),
    },
    UserVersion: {"validity": ("", "closed"), "valid_from_from": ("", *DAYS), "q": ("", "x")},
    SubscriptionVersion: {"validity": ("", "closed"), "current": ("", "x")},
    UsageVersion: {"validity": ("", "current", "closed"), "current": ("", "x")},
    Plan: {"q": ("", "prem")},
    DltLoad: {"q": ("", "x")},
}


def addresses(model: type[Model]) -> Iterator[str]:
    """A list in each of its orders, and with everything that it can be asked for."""
    admin = site.get_model_admin(model)
    columns = [*admin.list_display]
    offered = [columns.index(name) for name in admin.sortable_by or ()]
    orders = ["", *(f"{sign}{number}" for number in offered for sign in ("", "-"))]
    wanted = [
        dict(zip(ASKED[model], values, strict=True)) for values in product(*ASKED[model].values())
    ]
    # All orders with the bare list, and then one after the other.
    for asked, order in [({}, order) for order in orders] + [*zip(wanted, cycle(orders))]:
        query = {name: value for name, value in {**asked, "o": order}.items() if value}
        yield f"{url(model)}?{urlencode(query)}"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches so short that the tests' tables are long beside them."""
    monkeypatch.setattr(stretch, "LOOKED_AT", 60)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("model", ASKED)
def test_no_list_grows_with_its_table(
    admin: Client, queries: Queries, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.get_model_admin(model), "list_per_page", 2)
    with growing() as complaints:
        for address in addresses(model):
            # A probe for each index that may lead there, the stretch, the page, its related rows.
            assert len(queries(address)) <= 8, address
            assert not complaints, f"{address}: {complaints[0]}"
        further = admin.get(url(model)).context["cl"].further
        if further:
            assert len(queries(f"{url(model)}{further}")) <= 8
    assert not complaints


@pytest.mark.parametrize("model", MODELS)
def test_no_record_grows_with_its_table(admin: Client, model: type[Model]) -> None:
    row = first(model)
    with growing() as complaints:
        assert admin.get(record(row)).status_code == 200
        assert admin.get(url(model, "history", row.pk)).status_code == 200
    assert not complaints


def test_the_first_page_does_not_grow(admin: Client) -> None:
    with growing() as complaints:
        admin.get("/admin/")
    # What is counted is limited; in which order it is read does not matter.
    assert all("LIMIT 10001" in complaint for complaint in complaints)


MISTAKES: list[Callable[[], Any]] = [
    lambda: list(User.objects.values_list("region").distinct()),
    lambda: list(User.objects.values_list("plan_id").distinct()),
    lambda: User.objects.filter(plan_id=3).count(),
    Usage.objects.count,
    lambda: list(User.objects.filter(email__contains="smith")[:50]),
    lambda: list(User.objects.filter(email__icontains="smith").order_by("email")[:50]),
    lambda: list(User.objects.order_by("region")[:50]),
    lambda: (
        list(User.objects.order_by("plan_id", "email")[:50].values_list("region"))
        and list(User.objects.order_by("region", "plan_id")[:50])
    ),
    lambda: list(Usage.objects.order_by("plan_id", "usage_id")[:50]),
    lambda: list(User.objects.filter(region="Oceania").order_by("-signup_date")[:50]),
    lambda: list(Subscription.objects.filter(status="Inactive").order_by("-start_date")[:50]),
    lambda: list(UserVersion.objects.order_by("-valid_from")[:50]),
    lambda: list(UsageVersion.objects.filter(user_id="x")[:50]),
    lambda: list(Usage.objects.select_related("plan").order_by("plan__plan_name")[:50]),
    lambda: list(Subscription.objects.filter(Q(user_id="x") | Q(payment_method="paypal"))[:50]),
]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_judge_knows_what_grows(mistake: Callable[[], Any]) -> None:
    with growing() as complaints:
        mistake()
    assert complaints


@pytest.mark.usefixtures("admin")
def test_the_judge_knows_what_does_not() -> None:
    row = first(Usage)
    with growing() as complaints:
        list(Usage.objects.order_by("-usage_date", "-usage_id")[:50])
        list(Usage.objects.filter(user_id=row.user_id).order_by("-usage_date")[:5])
        list(Usage.objects.filter(usage_date__gte=row.usage_date).order_by("usage_date")[:50])
        list(User.objects.in_bulk([row.user_id]))
    assert not complaints


def walk(model: type[Model], query: dict[str, str]) -> list[Any]:
    """Every row of a list, from stretch to stretch and from page to page."""
    rows: list[Any] = []
    address = f"?{urlencode(query)}"
    account = Account.objects.create(username="walker", is_staff=True, is_superuser=True)

    def seen(address: str) -> Any:
        request = RequestFactory().get(f"/{address}")
        request.user = account
        return site.get_model_admin(model).get_changelist_instance(request)

    while True:
        listed = seen(address)
        for number in range(1, listed.paginator.num_pages + 1):
            rows += seen(f"{address}&p={number}").result_list
        if not listed.further:
            return rows
        address = listed.further


WALKS: list[tuple[type[Model], dict[str, str], QuerySet[Any]]] = [
    (User, {}, User.objects.order_by("-signup_date", "-user_id")),
    (User, {"o": "0"}, User.objects.order_by("last_name", "-signup_date", "-user_id")),
    (User, {"o": "4.0"}, User.objects.order_by("signup_date", "last_name", "-user_id")),
    (
        User,
        {"region": "Oceania", "o": "5"},
        User.objects.filter(region="Oceania").order_by("user_id"),
    ),
    (
        User,
        {"q": "j"},
        User.objects.filter(Q(email__startswith="j") | Q(last_name__startswith="J")).order_by(
            "-signup_date", "-user_id"
        ),
    ),
    (
        Subscription,
        {"status": "Inactive"},
        Subscription.objects.filter(status="Inactive").order_by("-end_date", "-subscription_id"),
    ),
    (UserVersion, {}, UserVersion.objects.order_by("current_id", "-valid_from", "-dlt_id")),
]


@pytest.mark.usefixtures("dataset")
@pytest.mark.parametrize(("model", "query", "expected"), WALKS)
def test_looking_further_shows_each_row_once_and_in_order(
    model: type[Model],
    query: dict[str, str],
    expected: QuerySet[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stretch, "LOOKED_AT", 330)
    monkeypatch.setattr(site.get_model_admin(model), "list_per_page", 200)
    rows = walk(model, query)
    assert len(rows) > 10
    assert [row.pk for row in rows] == [row.pk for row in expected]


@pytest.mark.usefixtures("short")
def test_a_list_says_how_far_it_looked(admin: Client) -> None:
    text = admin.get(url(User, region="Oceania")).content.decode()
    assert "among the 60 looked at" in text
    assert "Look further" in text
    assert "From the start" not in text
    response = admin.get(f"{url(User)}{admin.get(url(User)).context['cl'].further}")
    assert "From the start" in response.content.decode()


@pytest.mark.usefixtures("short")
def test_a_list_that_found_nothing_yet_says_so(admin: Client) -> None:
    text = admin.get(url(Subscription, plan=1, payment_method="paypal")).content.decode()
    assert "Nothing found so far" in text
    assert "None of the 60 subscriptions that were looked at" in text


def test_where_an_index_leads_there_everything_is_looked_at(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "LOOKED_AT", 100)
    user = User.objects.order_by("signup_date")[0]
    assert results(admin.get(url(User, q=user.user_id))) == [user]
    response = admin.get(url(User, signup_date_to=user.signup_date, o=0, region=user.region))
    assert user in results(response)
    assert not response.context["cl"].further


def test_dates_that_are_asked_for_give_the_order(admin: Client) -> None:
    rows = results(admin.get(url(Subscription, end_date_to="2026-02-28")))
    assert rows == sorted(rows, key=lambda row: (row.end_date, row.pk), reverse=True)
