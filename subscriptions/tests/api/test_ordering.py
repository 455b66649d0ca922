"""Order: as Python sorts, key and copies last; null is more than everything."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.test import Client

from subscriptions.api.row_viewsets import RowViewSet
from subscriptions.api.viewsets import SubscriptionViewSet, UsageViewSet, UserViewSet
from subscriptions.tests.histories import History

from .conftest import plans_of
from .test_pagination import grown
from .test_viewsets import LISTS, duplicate, each_list, stored

loaded = pytest.mark.usefixtures("dataset", "db")

ORDERINGS: Final = {
    "users": ["signup_date", "-signup_date,plan_id", "last_name,-first_name", "-email", "-user_id"],
    "plans": ["-monthly_fee", "max_users,-plan_id", "plan_name"],
    "subscriptions": ["end_date", "-end_date,status", "user_id,-payment_method", "-start_date"],
    "usages": ["usage_date,-storage_used_mb", "user_id,-usage_date", "-usage_date"],
}


def ordered(rows: list[dict[str, Any]], ordering: str) -> list[dict[str, Any]]:
    """Sorted by one column after the other, the last one first: the slow and obvious way."""
    for name in reversed(ordering.split(",")):
        column = name.lstrip("-")
        rows = sorted(
            rows,
            key=lambda row, column=column: (row[column] is None, row[column] or 0),  # type: ignore[misc]
            reverse=name.startswith("-"),
        )
    return rows


@loaded
@each_list
def test_order(api: Client, path: str) -> None:
    for ordering in ORDERINGS[path]:
        expected = ordered(stored(path), ordering)
        assert api.get(f"/{path}", {"ordering": ordering}).json()[path] == expected
        page = api.get(f"/{path}", {"ordering": ordering, "page": "2", "size": "3"}).json()[path]
        assert page == expected[3:6]


@loaded
def test_copies_do_not_change_places_between_pages(api: Client) -> None:
    duplicate("users")
    whole = api.get("/users?ordering=-signup_date").json()["users"]
    pages = [
        row
        for page in range(1, 5)
        for row in api.get(f"/users?ordering=-signup_date&size=500&page={page}").json()["users"]
    ]
    assert pages == whole
    assert len(whole) == 2000


def test_as_of(api: Client, lived: History) -> None:
    known = lived.known("user", lived.days[1])
    answer = api.get(f"/users?as_of={lived.days[1]}&ordering=-signup_date,email").json()
    assert answer["users"] == ordered(known, "-signup_date,email")


@loaded
@pytest.mark.parametrize(
    ("path", "ordering", "told"),
    [
        ("users", "region", "begin with one of user_id, email, last_name, signup_date"),
        ("users", "nonsense", '"nonsense"'),
        ("users", "signup_date,nonsense", "go on with one of user_id, first_name"),
        ("users", "", "begin with"),
        ("users", "signup_date,", "go on with"),
        ("users", "--signup_date", '"-signup_date"'),
        ("users", "+signup_date", "begin with"),
        ("users", "signup_date,-signup_date", "twice"),
        ("users", "user__plan", "begin with"),
        ("users", "?", "begin with"),
        ("users", "x" * 100_000, "begin with"),
        ("users", "user_id\0", "begin with"),
        ("plans", "features", "begin with one of plan_id, plan_name, monthly_fee, max_users"),
        ("usages", "api_calls", "begin with one of usage_id, user_id, usage_date"),
    ],
)
def test_junk(api: Client, path: str, ordering: str, told: str) -> None:
    response = api.get(f"/{path}", {"ordering": ordering})
    assert response.status_code == 400
    assert told in response.json()["error"] or "-signup" in told
    assert len(response.content) < 300
    assert api.head(f"/{path}", {"ordering": ordering}).status_code == 400


@loaded
@pytest.mark.parametrize("path", [path for path in LISTS if path != "plans"])
def test_each_leading_column_has_an_index(api: Client, path: str) -> None:
    grown(5_000_000)
    views: dict[str, type[RowViewSet[Any]]] = {
        "users": UserViewSet,
        "subscriptions": SubscriptionViewSet,
        "usages": UsageViewSet,
    }
    for column in views[path].orderings.first:
        for sign in ("", "-"):
            query = {"ordering": f"{sign}{column}", "size": "5"}
            for plan in plans_of(lambda query=query: api.get(f"/{path}", query)):  # type: ignore[misc]
                assert "Seq Scan" not in plan
                assert "Index" in plan
