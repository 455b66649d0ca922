"""Every record's page: its facts, what belongs to it, and that nobody can change it."""

from __future__ import annotations

from html import escape

import pytest
from django.db import connection
from django.db.models import Count, Model
from django.test import Client

from subscriptions.admin.display import url
from subscriptions.admin.excerpts import SHOWN
from subscriptions.models import (
    DltLoad,
    Plan,
    Subscription,
    Usage,
    User,
    UserVersion,
)
from subscriptions.tests.admin.conftest import (
    CURRENT,
    MODELS,
    VERSIONS,
    Queries,
    first,
    record,
    results,
    stored_twice,
)

pytestmark = pytest.mark.django_db


def busiest() -> User:
    """The user with the most subscriptions."""
    return User.objects.annotate(n=Count("subscriptions")).order_by("-n", "user_id")[0]


@pytest.mark.parametrize("model", MODELS)
def test_each_page_opens_and_names_its_record(admin: Client, model: type[Model]) -> None:
    row = first(model)
    response = admin.get(record(row))
    assert response.status_code == 200
    text = response.content.decode()
    assert escape(str(row)) in text
    assert str(row.pk) in text


@pytest.mark.parametrize("model", MODELS)
def test_a_page_takes_few_queries(queries: Queries, model: type[Model]) -> None:
    statements = queries(record(first(model)))
    assert len(statements) <= 10
    assert all(" LIMIT " in sql or " IN (" in sql for sql in statements)


def test_a_user_shows_what_belongs_to_it(admin: Client) -> None:
    user = busiest()
    text = admin.get(record(user)).content.decode()
    for subscription in user.subscriptions.order_by("-start_date")[:SHOWN]:
        assert record(subscription) in text
    for usage in user.usages.order_by("-usage_date")[:SHOWN]:
        assert record(usage) in text
    assert url(Subscription, user=user.pk) in text
    assert url(Usage, user=user.pk) in text
    assert url(UserVersion, current=user.pk) in text
    assert record(user.plan) in text


def test_a_subscription_shows_the_usage_of_its_term(admin: Client) -> None:
    subscription = busiest().subscriptions.exclude(end_date=None).order_by("start_date")[0]
    covered = Usage.objects.filter(
        user=subscription.user,
        usage_date__range=(subscription.start_date, subscription.end_date),
    )
    response = admin.get(record(subscription))
    assert record(subscription.user) in response.content.decode()
    [section] = response.context["sections"]
    assert len(section.rows) == min(covered.count(), SHOWN)
    assert set(results(admin.get(section.more))) == set(covered)


def test_a_record_without_usage_says_so(admin: Client) -> None:
    user = User.objects.filter(usages=None)[0]
    assert "Nothing yet." in admin.get(record(user)).content.decode()


def test_a_load_tells_what_it_did(admin: Client) -> None:
    load = DltLoad.objects.get()
    text = admin.get(record(load)).content.decode()
    assert "1,000 users on 2026-11-23, seed 42" in text
    assert "merge: usage" in text
    assert '<td class="number">1,717</td>' in text


def test_a_load_without_a_receipt_is_shown(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {DltLoad.receipt.related.related_model._meta.db_table}")
    assert admin.get(url(DltLoad)).status_code == 200
    assert admin.get(record(DltLoad.objects.get())).status_code == 200
    assert admin.get("/admin/").status_code == 200


def test_history_tells_when_which_field_and_from_what_to_what(admin: Client) -> None:
    user = busiest()
    table = UserVersion._meta.db_table
    columns = "user_id, first_name, last_name, signup_date, referral_source, _dlt_load_id"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET valid_to = '2026-12-01' WHERE user_id = %s", [user.pk])
        cursor.execute(
            f"INSERT INTO {table} ({columns}, email, plan_id, region, valid_from, _dlt_id)"
            f" SELECT {columns}, 'new@example.com', 1, 'Asia', '2026-12-01', 'later'"
            f" FROM {table} WHERE user_id = %s",
            [user.pk],
        )
    response = admin.get(record(User.objects.get(pk=user.pk)))
    newest, oldest = response.context["timeline"]
    assert (oldest.title, oldest.day.date().isoformat()) == ("First seen", "2026-11-23")
    assert (newest.title, newest.day.date().isoformat()) == ("Changed", "2026-12-01")
    changed = {change.field: (change.before, change.after) for change in newest.changes}
    assert changed["e-mail"] == (user.email, "new@example.com")
    assert changed.get("plan", ("", "Free")) == (str(user.plan), "Free") or user.plan_id == 1
    assert "new@example.com" in response.content.decode()
    versions = results(admin.get(url(UserVersion, current=user.pk)))
    assert versions[0].pk == "later"


@pytest.mark.parametrize("model", VERSIONS)
def test_a_version_outlives_its_record(admin: Client, model: type[Model]) -> None:
    with connection.cursor() as cursor:
        for each in VERSIONS:
            cursor.execute(f"UPDATE {each._meta.db_table} SET valid_to = '2026-12-01'")
    row = first(model)
    assert str(row.current_id) in admin.get(record(row)).content.decode()
    assert admin.get(url(model)).status_code == 200


@pytest.mark.parametrize("model", CURRENT)
def test_after_an_append_a_key_that_is_current_twice_is_shown(
    admin: Client, model: type[Model]
) -> None:
    for each in CURRENT:
        stored_twice(each)
    response = admin.get(record(first(model)))
    assert response.status_code == 200
    assert "Loaded again, unchanged" in response.content.decode()
    assert admin.get("/admin/").status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", ["nobody", "99999999999999999999", "_00", "é", "a" * 500])
def test_an_unknown_key_leads_back_with_a_message(
    admin: Client, model: type[Model], key: str
) -> None:
    response = admin.get(url(model, "change", "KEY").replace("KEY", key), follow=True)
    assert response.status_code == 200
    assert response.redirect_chain == [("/admin/", 302)]
    assert "Perhaps it was deleted?" in response.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_changes_or_deletes(admin: Client, model: type[Model]) -> None:
    row = first(model)
    before = model._default_manager.count()
    for page in (record(row), url(model, "add"), url(model, "delete", row.pk)):
        assert admin.post(page, {"post": "yes", "plan_name": "x"}).status_code == 403
    assert admin.get(url(model, "add")).status_code == 403
    assert admin.get(url(model, "delete", row.pk)).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "index": 0, "post": "yes"}
    admin.post(url(model), action)
    assert model._default_manager.count() == before
    text = admin.get(url(model)).content.decode() + admin.get(record(row)).content.decode()
    assert "/add/" not in text
    assert "_save" not in text


def test_plans_are_linked_from_the_price_list(admin: Client) -> None:
    assert record(Plan.objects.get(pk=3)) in admin.get(url(Plan)).content.decode()
