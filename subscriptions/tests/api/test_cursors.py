"""Cursors: from end to end each row once, in every order, with copies, nulls, filters and days."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client

from subscriptions.api.cursors import read, write
from subscriptions.api.ordering import By
from subscriptions.models import User
from subscriptions.tests.histories import History

from .conftest import plans_of
from .test_ordering import ORDERINGS
from .test_pagination import grown, links
from .test_viewsets import duplicate, each_list, table

loaded = pytest.mark.usefixtures("dataset", "db")


def pages(client: Client, path: str, **query: str | int) -> Iterator[list[dict[str, Any]]]:
    """The pages of a walk from end to end, by its links."""
    response = client.get(f"/{path}", {"cursor": "", **query})
    while True:
        answer = response.json()
        assert list(answer) == [path, "next", "size"]
        assert links(response["Link"]).get("next") == answer["next"]
        yield answer[path]
        if answer["next"] is None:
            return
        response = client.get(answer["next"])


def walk(client: Client, path: str, **query: str | int) -> list[dict[str, Any]]:
    return [row for page in pages(client, path, **query) for row in page]


@loaded
@each_list
def test_the_walk_is_the_list(api: Client, path: str) -> None:
    few = len(api.get(f"/{path}").json()[path]) < 100
    for ordering in ["", *ORDERINGS[path]]:
        query = {"ordering": ordering} if ordering else {}
        whole = api.get(f"/{path}", query).json()[path]
        size = 2 if few else 331
        walked = list(pages(api, path, size=size, **query))
        assert [row for page in walked for row in page] == whole
        assert {len(page) for page in walked[:-1]} == {size}  # none is shorter on the way


@loaded
@pytest.mark.parametrize("ordering", ["end_date", "-end_date", "end_date,-payment_method"])
@pytest.mark.parametrize("size", [3, 7, 100])
def test_nulls(api: Client, ordering: str, size: int) -> None:
    query = {"status": "Active", "start_date__gte": "2026-11-01", "ordering": ordering}
    whole = api.get("/subscriptions", query).json()["subscriptions"]
    assert {row["end_date"] is None for row in whole} == {True, False}
    assert walk(api, "subscriptions", size=size, **query) == whole


@loaded
def test_nothing_but_nulls_and_none_of_them(api: Client) -> None:
    for null in ("true", "false"):
        query = {"end_date__isnull": null, "ordering": "end_date"}
        whole = api.get("/subscriptions", query).json()["subscriptions"]
        assert walk(api, "subscriptions", size=200, **query) == whole


@loaded
def test_copies_are_never_split(api: Client) -> None:
    duplicate("subscriptions")
    for ordering in ("subscription_id", "-end_date"):
        whole = api.get("/subscriptions", {"ordering": ordering}).json()["subscriptions"]
        walked = list(pages(api, "subscriptions", size=301, ordering=ordering))
        assert [row for page in walked for row in page] == whole
        assert len(whole) == 2 * 1717
        for page in walked:
            assert all(page.count(row) == 2 for row in (page[0], page[-1]))


@loaded
def test_filters_columns_and_formats(api: Client) -> None:
    query = {"region": "Asia", "ordering": "-signup_date", "fields": "email", "size": "20"}
    whole = api.get("/users", {**query, "size": "1000"}).json()["users"]
    assert walk(api, "users", **query) == whole
    found, address = [], "/users?" + "&".join(f"{k}={v}" for k, v in query.items()) + "&cursor="
    while address:
        response = api.get(f"{address}&format=csv" if "format" not in address else address)
        found += response.text.splitlines()[1:]
        address = links(response["Link"]).get("next", "")
    assert found == [f'"{row["email"]}"' for row in whole]


@each_list
def test_as_of(api: Client, lived: History, path: str) -> None:
    for ordering in ORDERINGS[path]:
        query = {"as_of": str(lived.days[1]), "ordering": ordering}
        whole = api.get(f"/{path}", query).json()[path]
        assert walk(api, path, size=max(2, len(whole) // 7), **query) == whole


@loaded
def test_large_tables_with_filters(api: Client) -> None:
    """Rows that are sorted before any is given, and rows that an index leads to."""
    whole = api.get("/usages?plan_id=5&ordering=-usage_date").json()["usages"]
    for rows in (5_000, 5_000_000):
        grown(rows)
        assert walk(api, "usages", plan_id=5, ordering="-usage_date", size=80) == whole


@loaded
def test_the_place_is_what_remains(api: Client) -> None:
    """A swap gives rows new ids, and rows come and go; what stays is seen once."""
    query = {"ordering": "-signup_date", "size": "100"}
    before = api.get("/users?ordering=-signup_date").json()["users"]
    seen = []
    for number, page in enumerate(pages(api, "users", **query)):
        seen += page
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table('users')} SET _dlt_id = md5(_dlt_id || random())")
            gone = [row["user_id"] for row in before[number * 83 : number * 83 + 5]]
            cursor.execute(f"DELETE FROM {table('users')} WHERE user_id = ANY(%s)", [gone])
    after = api.get("/users?ordering=-signup_date").json()["users"]
    assert len(after) < len(before) - 40
    assert all(seen.count(row) == 1 for row in after)
    assert all(seen.count(row) <= 1 for row in before)


@loaded
def test_an_index_leads_to_the_place(api: Client) -> None:
    grown(5_000_000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for path, ordering, condition in (
        ("users", "user_id", "user_id"),
        ("users", "signup_date", "signup_date >="),
        ("users", "-signup_date,plan_id", "signup_date <="),
        ("usages", "usage_date", "usage_date >="),
        ("subscriptions", "end_date", "end_date >="),
    ):
        query = {"ordering": ordering, "size": "5"}
        further = api.get(f"/{path}", {"cursor": "", **query}).json()["next"]
        plans = plans_of(lambda further=further: api.get(further))  # type: ignore[misc]
        assert len(plans) == 2
        for plan in plans:
            [*_, led] = [line for line in plan.splitlines() if "Index Cond" in line]
            assert condition in led.replace("(user_id)::text", "user_id")
            assert "Seq Scan" not in plan


@loaded
def test_of_an_empty_list(api: Client) -> None:
    assert api.get("/users?cursor=&user_id=0&size=5").json() == {
        "users": [],
        "next": None,
        "size": 5,
    }


@pytest.mark.usefixtures("no_dataset")
def test_before_the_first_load(api: Client) -> None:
    assert api.get("/users?cursor=").json() == {"users": [], "next": None, "size": 50}


def token(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return urlsafe_b64encode(text.encode(errors="surrogatepass")).decode().rstrip("=")


BY_DAY: Final = (By("signup_date"), By("user_id"))
JUNK: Final = [
    "x",
    "!!!!",
    "AAAA",
    "ü",
    "\0",
    "a b",
    "=" * 8,
    "x" * 100_000,
    token("[" * 2000),
    token("{}"),
    token("null"),
    token("1e999"),
    token([]),
    token(["user signup_date,user_id"]),
    token(["user user_id", ["00000000"]]),
    token(["plan signup_date,user_id", ["2026-01-01", "00000000"]]),
    token(["user -signup_date,user_id", ["2026-01-01", "00000000"]]),
    *(
        token(["user signup_date,user_id", values])
        for values in (
            [],
            ["2026-01-01"],
            ["2026-01-01", "00000000", "x"],
            [None, "00000000"],
            ["2026-01-01", None],
            ["2026-13-01", "00000000"],
            ["20000-01-01", "00000000"],
            ["2026-01-01", 5],
            ["2026-01-01", ["x"]],
            ["2026-01-01", {"x": 1}],
            ["2026-01-01", "a\0b"],
            ["2026-01-01", "\ud800"],
            {"a": 1, "b": 2},
            "ab",
        )
    ),
]


@loaded
@pytest.mark.parametrize("cursor", JUNK)
def test_junk(api: Client, cursor: str) -> None:
    for method in ("get", "head"):
        query = {"cursor": cursor, "ordering": "signup_date"}
        response = getattr(api, method)("/users", query)
        assert response.status_code == 400
    error = api.get("/users", query).json()["error"]
    assert '"cursor"' in error
    assert len(error) < 200


@loaded
def test_of_another_list_or_order(api: Client) -> None:
    further = api.get("/users?cursor=&size=5").json()["next"]
    cursor = parse_qs(urlsplit(further).query)["cursor"][0]
    assert api.get(f"/users?cursor={cursor}").status_code == 200
    for other in (f"/subscriptions?cursor={cursor}", f"/users?cursor={cursor}&ordering=-user_id"):
        assert api.get(other).status_code == 400


@pytest.mark.parametrize("text", ["", "x" * 600, "ü€😀", "' OR 1=1", "%", '"\\'])
def test_tokens_hold_whatever_a_row_may_hold(text: str) -> None:
    order = (By("last_name"), By("user_id"))
    cursor = write(User, order, (text, "00000000"))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read(cursor, User, order) == (text, "00000000")
