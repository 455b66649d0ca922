"""The file of a list: exactly its rows, streamed, for those who may see it, without formulas."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.db import DatabaseError, connection
from django.db.models import Model, QuerySet
from django.test import Client

from elt_site.turns import Places
from subscriptions.admin import stretch
from subscriptions.admin.display import url
from subscriptions.api import lines, slots
from subscriptions.models import (
    DltLoad,
    Plan,
    Subscription,
    SubscriptionVersion,
    User,
    UserVersion,
)
from subscriptions.tests.admin.conftest import MODELS

pytestmark = pytest.mark.django_db


def body(response: Any) -> str:
    """All of a streamed answer."""
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response.streaming_content).decode()


def records(response: Any) -> list[dict[str, str]]:
    """The file's records by the header's names."""
    return list(csv.DictReader(body(response).splitlines()))


EXPORTED: list[tuple[type[Model], dict[str, Any], QuerySet[Any]]] = [
    (User, {}, User.objects.order_by("-signup_date", "-user_id")),
    (User, {"o": "-5"}, User.objects.order_by("-user_id")),
    (
        User,
        {"region": ["Asia", "Africa"], "q": "j", "o": "5", "after": "ignored"},
        User.objects.filter(region__in=["Asia", "Africa"])
        .filter(email__startswith="j")
        .union(User.objects.filter(region__in=["Asia", "Africa"], last_name__startswith="J"))
        .order_by("user_id"),
    ),
    (
        Subscription,
        {"status": "Inactive", "end_date_to": "2026-06-30"},
        Subscription.objects.filter(status="Inactive", end_date__lte="2026-06-30").order_by(
            "-end_date", "-subscription_id"
        ),
    ),
    (User, {"region": "Asia", "q": "nobody"}, User.objects.none()),
]


@pytest.mark.parametrize(("model", "query", "expected"), EXPORTED)
def test_the_file_holds_the_whole_list(
    admin: Client,
    model: type[Model],
    query: dict[str, Any],
    expected: QuerySet[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stretch, "LOOKED_AT", 20)
    query = {name: value for name, value in query.items() if value != "ignored"}
    found = records(admin.get(url(model, "export"), query))
    key = str(model._meta.pk.name)
    assert [record[key] for record in found] == [row.pk for row in expected]


@pytest.mark.parametrize("model", MODELS)
def test_every_list_leads_to_its_file(admin: Client, model: type[Model]) -> None:
    page = admin.get(url(model, q="")).content.decode()
    assert f'href="{url(model, "export")}?' in page
    response = admin.get(url(model, "export"))
    name = str(model._meta.verbose_name_plural).replace(" ", "-")
    assert response["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert response["Content-Type"].startswith("text/csv")
    assert "no-store" in response["Cache-Control"]
    found = records(response)
    assert len(found) == model._default_manager.count()
    assert not any(column.startswith("_") for column in found[0])


def test_the_columns_and_values(admin: Client) -> None:
    user = User.objects.order_by("-signup_date", "-user_id")[0]
    [record] = records(admin.get(url(User, "export", q=user.user_id)))
    assert list(record) == [
        "user_id",
        "first_name",
        "last_name",
        "email",
        "signup_date",
        "plan_id",
        "region",
        "referral_source",
        "valid_from",
        "valid_to",
    ]
    assert record["email"] == user.email
    assert record["plan_id"] == str(user.plan_id)
    assert record["signup_date"] == str(user.signup_date)
    assert record["valid_to"] == ""


def test_versions_have_the_key_of_their_record(admin: Client) -> None:
    version = SubscriptionVersion.objects.all()[0]
    [record] = records(admin.get(url(SubscriptionVersion, "export", q=version.current_id)))
    assert record["subscription_id"] == version.current_id
    assert record["user_id"] == version.user_id


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(admin: Client, formula: str) -> None:
    user = User.objects.order_by("user_id")[0]
    table = UserVersion._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET first_name = %s WHERE user_id = %s", [formula, user.user_id]
        )
    text = body(admin.get(url(User, "export", q=user.user_id)))
    assert f'''"'{formula}"''' in text


def test_who_may_not_see_the_list_gets_no_file(dataset: object, client: Client) -> None:
    response = client.get(url(User, "export"))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    reader = Account.objects.create(username="reader", is_staff=True)
    reader.user_permissions.add(
        Permission.objects.get(codename="view_plan", content_type__app_label="subscriptions")
    )
    client.force_login(reader)
    assert client.get(url(User, "export")).status_code == 403
    assert len(records(client.get(url(Plan, "export")))) == Plan.objects.count()


@pytest.mark.parametrize("query", ["region=Atlantis", "no_such=1", "o=99", "p=99", "plan=%00"])
def test_a_senseless_address_gives_the_list_and_a_message(admin: Client, query: str) -> None:
    response = admin.get(f"{url(User, 'export')}?{query}", follow=True)
    assert response.redirect_chain[-1][0] == url(User)
    assert "This list has no such page, order or filter" in response.content.decode()


def test_a_file_that_breaks_is_not_whole(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 100)
    response: Any = admin.get(url(User, "export"))
    pieces = iter(response.streaming_content)
    assert next(pieces)
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SELECT 1 / 0")  # aborts the transaction that the stream is in
    with pytest.raises(DatabaseError):
        list(pieces)
    connection.set_rollback(True)


def test_a_busy_server_says_so(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "places", Places(0))
    response = admin.get(url(User, "export"))
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "try again" in response.content.decode()


@pytest.mark.usefixtures("no_dataset")
def test_before_the_first_load_there_is_no_file(superuser: Client) -> None:
    response = superuser.get(url(DltLoad, "export"), follow=True)
    assert response.status_code == 200
    assert "No data yet" in response.content.decode()
