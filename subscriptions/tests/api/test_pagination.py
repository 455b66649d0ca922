"""Pages: for people always, for programs on demand, and between them every row once."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from subscriptions.models import LoadReceipt

from .conftest import credentials
from .test_viewsets import duplicate

pytestmark = pytest.mark.usefixtures("dataset", "db")
FACTS = ("total", "page", "size", "pages", "count")


def facts(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer[name] for name in FACTS)


def links(header: str) -> dict[str, str]:
    """Addresses by relation, as RFC 8288 has them."""
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="([^"]*)"', header)}


def grown(rows: int) -> None:
    """Let the receipt say that every table has so many rows."""
    stored = {
        name: {"rows": rows, "closed": 0} for name in ("user", "plan", "subscription", "usage")
    }
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {LoadReceipt._meta.db_table} SET stored = %s", [json.dumps(stored)])


def test_programs_get_the_whole_list_unless_they_ask(api: Client) -> None:
    response = api.get("/users")
    assert list(response.json()) == ["users"]
    assert "Link" not in response
    answer = api.get("/users?page=20").json()
    assert list(answer) == ["users", *FACTS]
    assert facts(answer) == (1000, 20, 50, 20, "exact")


@pytest.mark.parametrize("chosen", ["json", "csv", "parquet"])
def test_rows_and_their_number_are_of_one_moment(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries, chosen: str
) -> None:
    queries = ("", "&plan_id=1", "&plan_id__in=77", "&search=s")
    whole = [len(api.get(f"/users?{query[1:]}").json()["users"]) for query in queries]
    grown(1_000_000)
    for query, total in zip(queries, whole, strict=True):
        # The last load, what the planner makes of filters, and all the rest.
        with django_assert_num_queries(3 if query else 2):
            response = api.get(f"/users?page=1&count=exact&format={chosen}{query}")
        if chosen == "json":
            assert response.json()["total"] == total
            assert len(response.json()["users"]) == min(50, total)
    head = api.head("/users?page=2&count=exact")
    assert head["Link"] == api.get("/users?page=2&count=exact")["Link"]


def test_pages_add_up_to_the_list(api: Client) -> None:
    duplicate("plans")
    for path, size in (("plans", 3), ("subscriptions", 500)):
        pages = api.get(f"/{path}?size={size}").json()["pages"]
        rows = [
            row
            for page in range(1, pages + 1)
            for row in api.get(f"/{path}?page={page}&size={size}").json()[path]
        ]
        assert rows == api.get(f"/{path}").json()[path]


def test_size_alone_is_the_first_page(api: Client) -> None:
    assert facts(api.get("/users?size=1000").json()) == (1000, 1, 1000, 1, "exact")
    assert len(api.get("/users?size=7").json()["users"]) == 7


@pytest.mark.parametrize(
    "number", ["0", "-1", "abc", "1.5", "", " 1", "٣", "last", "1e3", "9" * 50]
)
def test_junk(api: Client, number: str) -> None:
    for accept in ("application/json", "text/html"):
        response = api.get("/users", {"page": number}, headers={"accept": accept})
        assert response.status_code == 400
        assert "must be a number from 1 on" in response.text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *((f"size={size}", "size") for size in ("0", "1001", "-1", "", "5.0", "٣", "9" * 50)),
        ("page=1&count=all", "count"),
        ("page=1&count=", "count"),
        ("count=exact", "count"),
        ("cursor=&page=1", "page"),
        ("cursor=&count=none", "count"),
    ],
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_what_makes_no_sense(api: Client, query: str, name: str, method: str) -> None:
    response = getattr(api, method)(f"/users?{query}")
    assert response.status_code == 400
    if method == "get":
        assert f'"{name}"' in response.json()["error"]


def test_beyond_the_end(api: Client, person: Client) -> None:
    for client in (api, person):
        for query in ("page=21", "page=999999999", "page=21&count=none", "page=21&count=estimated"):
            response = client.get(f"/users?{query}")
            assert response.status_code == 404
            assert f"There is no page {query.split('&')[0][5:]}." in response.text


def test_pages_reach_ten_thousand_rows_deep(api: Client) -> None:
    grown(5_000_000)
    assert api.get("/users?page=20&size=50").status_code == 200
    response = api.get("/users?page=201&size=50")
    assert response.status_code == 400
    assert '"cursor"' in response.json()["error"]


def test_large_tables_are_not_counted(api: Client) -> None:
    grown(5_000_000)
    assert facts(api.get("/users?page=2").json()) == (5_000_000, 2, 50, 100_000, "estimated")
    assert facts(api.get("/users?page=2&count=exact").json()) == (1000, 2, 50, 20, "exact")
    assert facts(api.get("/users?page=2&count=none").json()) == (None, 2, 50, None, "none")
    # On the last page the number is known, however it came to be.
    assert facts(api.get("/users?page=20").json()) == (1000, 20, 50, 20, "exact")


def test_of_filtered_rows_the_planner_tells(api: Client) -> None:
    grown(5_000_000)
    asian = len(api.get("/users?region=Asia&page=1&size=1000").json()["users"])
    assert facts(api.get("/users?region=Asia&page=1&size=5").json())[0::4] == (asian, "exact")
    with connection.cursor() as cursor:  # the planner takes what it finds there for the truth
        cursor.execute("UPDATE pg_class SET reltuples = reltuples * 1e6 WHERE relname = 'user'")
    response = api.get("/users?region=Asia&page=1&size=5")
    total, *_, kind = facts(response.json())
    assert kind == "estimated"
    assert total > 100_000
    assert "ETag" not in response  # statistics change without a load
    assert "ETag" in api.get("/users?page=1")


def test_links(api: Client) -> None:
    query = "/users?region=Asia&size=10"
    pages = api.get(query).json()["pages"]
    assert pages > 2
    assert links(api.get(f"{query}&page=2")["Link"]) == {
        "first": f"{query}&page=1",
        "prev": f"{query}&page=1",
        "next": f"{query}&page=3",
        "last": f"{query}&page={pages}",
    }
    last = api.get(f"{query}&page={pages}&format=csv")
    assert set(links(last["Link"])) == {"first", "prev", "last"}
    assert "format=csv" in last["Link"]
    assert set(links(api.get("/users?page=1&count=none")["Link"])) == {"first", "next"}
    assert api.head(f"{query}&page=2")["Link"] == api.get(f"{query}&page=2")["Link"]


def test_links_hold_no_credentials(client: Client) -> None:
    for query in ({"page": "2"}, {"cursor": "", "size": "5"}):
        for format_ in ("json", "csv", "api"):
            asked = credentials() | query | {"format": format_}
            response = client.get("/users", asked)
            assert response.status_code == HTTPStatus.OK
            for told in (response["Link"], response.text):
                assert "horse" not in told
                assert "password=" not in told
                assert "username=" not in told


@pytest.mark.usefixtures("no_dataset")
@pytest.mark.parametrize("query", ["page=1", "page=1&region=Asia&search=x&ordering=-email"])
def test_before_the_first_load(api: Client, query: str) -> None:
    answer = api.get(f"/users?{query}").json()
    assert answer["users"] == []
    assert facts(answer) == (0, 1, 50, 1, "exact")


def test_the_last_page_in_reach_does_not_look_like_the_end(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.api.pagination.DEEPEST", 100)
    response = api.get("/users?page=2&size=50&format=csv")
    [following] = re.findall(r'<([^>]*)>; rel="next"', response["Link"])
    answer = api.get(following)
    assert answer.status_code == 400
    assert '"cursor"' in answer.json()["error"]
