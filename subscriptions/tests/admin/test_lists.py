"""Every list: its rows, its links, search, paging, and what it asks of the database."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.db.models import Model
from django.test import Client
from django.utils.html import escape

from subscriptions.admin import stretch
from subscriptions.admin.display import url
from subscriptions.models import (
    DltLoad,
    Plan,
    Subscription,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)
from subscriptions.tests.admin.conftest import (
    CURRENT,
    MODELS,
    Queries,
    first,
    record,
    results,
    stored_twice,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", MODELS)
def test_each_list_shows_its_rows_and_their_number(admin: Client, model: type[Model]) -> None:
    response = admin.get(url(model))
    assert response.status_code == 200
    count = model._default_manager.count()
    rows = results(response)
    assert len(rows) == min(count, 50)
    text = response.content.decode()
    assert record(rows[0]) in text
    names = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
    assert f"{count}\n    {names}" in text


@pytest.mark.parametrize("model", [Subscription, Usage])
def test_rows_lead_to_their_user_and_their_plan(admin: Client, model: type[Model]) -> None:
    response = admin.get(url(model))
    text = response.content.decode()
    for row in results(response)[:5]:
        assert f'href="{record(row.user)}" class="record-link">{escape(row.user)}</a>' in text
        assert f'href="{record(row.plan)}"' in text


def test_plans_lead_to_their_users_and_subscriptions(admin: Client) -> None:
    text = admin.get(url(Plan)).content.decode()
    assert url(User, plan=3) in text
    assert all(user.plan_id == 3 for user in results(admin.get(url(User, plan=3))))


@pytest.mark.parametrize("model", MODELS)
def test_queries_do_not_grow_with_the_rows_shown(
    queries: Queries, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = queries(url(model))
    monkeypatch.setattr(django_admin.site.get_model_admin(model), "list_per_page", 2)
    few = queries(url(model))
    assert len(few) == len(many) <= 6


@pytest.mark.parametrize("model", [User, Subscription, Usage, UserVersion, UsageVersion])
def test_no_query_reads_a_whole_table(queries: Queries, model: type[Model]) -> None:
    for statement in queries(url(model)):
        assert " LIMIT " in statement or " IN (" in statement
        assert " JOIN " not in statement
        assert "DISTINCT" not in statement


def test_counting_stops_where_nobody_pages(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretch, "LOOKED_AT", 120)
    text = admin.get(url(Usage)).content.decode()
    assert "over 120" in text
    assert "?p=3" in text
    assert "?p=4" not in text


@pytest.mark.parametrize(
    "spell",
    [
        lambda user: user.user_id,
        lambda user: f" {user.user_id.upper()} ",
        lambda user: user.email,
        lambda user: user.email[:8].upper(),
        lambda user: user.last_name,
        lambda user: user.last_name.lower()[:4],
        lambda user: f"{user.first_name} {user.last_name}",
        lambda user: f"{user.first_name} {user.last_name}".lower(),
    ],
)
def test_users_are_found_as_people_type(admin: Client, spell: object) -> None:
    user = User.objects.filter(first_name="Jonathan").order_by("user_id")[0]
    term = spell(user)  # type: ignore[operator]
    found = results(admin.get(url(User, q=term)))
    assert user in found
    assert len(found) < 30


@pytest.mark.parametrize("model", [Subscription, Usage, UserVersion, UsageVersion])
def test_records_are_found_by_their_id(admin: Client, model: type[Model]) -> None:
    row = first(model)
    key = row.current_id if hasattr(row, "current_id") else row.pk
    assert results(admin.get(url(model, q=key))) == [row]


@pytest.mark.parametrize("model", [Subscription, Usage])
def test_records_are_found_by_their_user(admin: Client, model: type[Model]) -> None:
    user = first(model).user_id
    assert {row.user_id for row in results(admin.get(url(model, q=user)))} == {user}


def test_loads_and_plans_are_found(admin: Client) -> None:
    load = DltLoad.objects.get()
    assert results(admin.get(url(DltLoad, q=load.pk))) == [load]
    assert [str(plan) for plan in results(admin.get(url(Plan, q="prem")))] == ["Premium"]


def test_nothing_found_says_so(admin: Client) -> None:
    text = admin.get(url(User, q="nobody at all")).content.decode()
    assert "Nothing found" in text
    assert "Create a new item" not in text


@pytest.mark.parametrize("term", ["\0", "%", "'", "a" * 500, "🙂", '"unbalanced', "  "])
def test_no_search_fails(admin: Client, term: str) -> None:
    for model in MODELS:
        assert admin.get(url(model, q=term)).status_code == 200


@pytest.mark.parametrize("model", CURRENT)
def test_after_an_append_lists_show_every_row(admin: Client, model: type[Model]) -> None:
    before = model._default_manager.count()
    for each in CURRENT:
        stored_twice(each)
    response = admin.get(url(model))
    assert response.status_code == 200
    assert response.context["cl"].result_count == min(2 * before, stretch.LOOKED_AT)


@pytest.mark.parametrize("order", ["1", "-1", "1.2.3", "-99", "junk", ""])
def test_any_order_answers(admin: Client, order: str) -> None:
    for model in MODELS:
        assert admin.get(url(model, o=order), follow=True).status_code == 200
