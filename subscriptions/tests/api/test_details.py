"""One row by its key: exactly what the list has, and a plain 404 for whatever else is asked."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from subscriptions.tests.histories import LIVED, History

from .conftest import credentials, plans_of
from .test_viewsets import LISTS, duplicate, each_list, loaded, stored, table

NOUNS = {
    "users": "user",
    "plans": "plan",
    "subscriptions": "subscription",
    "usages": "usage record",
}


def key_of(path: str) -> str:
    return LISTS[path][1].split()[0]


def last(path: str) -> dict[str, Any]:
    return stored(path)[-1]


@loaded
@each_list
def test_one_row(api: Client, path: str) -> None:
    row = last(path)
    response = api.get(f"/{path}/{row[key_of(path)]}")
    assert response["Content-Type"] == "application/json"
    assert response.json() == row
    assert " ".join(response.json()) == LISTS[path][1]


@loaded
@each_list
def test_every_row_has_its_address(api: Client, path: str) -> None:
    for row in stored(path)[:100]:
        assert api.get(f"/{path}/{row[key_of(path)]}").json() == row


@each_list
@pytest.mark.parametrize("day", [LIVED.days[0], date(2026, 1, 31), date(2026, 2, 1)], ids=str)
def test_one_row_as_of_a_day(api: Client, lived: History, path: str, day: date) -> None:
    for row in lived.known(LISTS[path][0], day)[:50]:
        assert api.get(f"/{path}/{row[key_of(path)]}?as_of={day}").json() == row


@pytest.mark.usefixtures("lived")
def test_a_row_that_was_not_yet_known(api: Client) -> None:
    late = next(row for row in stored("users") if row["signup_date"] > "2026-02-01")
    address = f"/users/{late['user_id']}"
    response = api.get(f"{address}?as_of=2026-02-01")
    assert response.status_code == 404
    assert response.json() == {"error": "There is no user with this id as of 2026-02-01."}
    assert api.get(address).json() == late


def test_a_row_that_is_gone(api: Client, interrupted: History) -> None:
    [gone, *_] = interrupted.known("user", date(2026, 2, 1))
    address = f"/users/{gone['user_id']}"
    assert api.get(address).status_code == 404
    assert api.get(f"{address}?as_of=2026-02-28").json() == gone


@loaded
@each_list
def test_slash_and_head(api: Client, path: str) -> None:
    address = f"/{path}/{last(path)[key_of(path)]}"
    without, with_slash, head = api.get(address), api.get(f"{address}/"), api.head(address)
    assert without.status_code == with_slash.status_code == head.status_code == 200
    assert without.content == with_slash.content
    assert head.content == b""


HOSTILE = [
    "0",
    "6",
    "-1",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9999999999",
    "9" * 5000,
    "1.0",
    "1e0",
    "+1",
    "01",
    "1 ",
    "1_0",
    "٣",
    "0x1",
    "null",
    "zzz",
    "1%0A",
    "%00",
    "00000000%00",
    "1%00",
    "%FF%FE",
    "%F0%9F%92%A9",
    "00000000",
    "0000000",
    "000000000",
    "ABCDEF01",
    "abcdefgh",
    "'--",
    "%25s",
    "a" * 100_000,
    "..;",
    "1.json",
    "<script>",
]


@loaded
@each_list
def test_no_such_row(api: Client, person: Client, client: Client, path: str) -> None:
    for key in HOSTILE:
        for suffix in ("", "/", "?as_of=2026-11-23"):
            response = api.get(f"/{path}/{key}{suffix}")
            assert response.status_code == 404, key
            as_of = " as of 2026-11-23" if "as_of" in suffix else ""
            assert response.json() == {"error": f"There is no {NOUNS[path]} with this id{as_of}."}
        page = person.get(f"/{path}/{key}")
        assert page.status_code == 404
        assert "There is no " in page.text
        assert "<script>" not in page.text
        assert client.get(f"/{path}/{key}").status_code == 401


@pytest.mark.usefixtures("no_dataset")
@each_list
@pytest.mark.parametrize("suffix", ["", "?as_of=2026-02-01"])
def test_before_the_first_load(api: Client, path: str, suffix: str) -> None:
    key = "1" if path == "plans" else "00000000"
    assert api.get(f"/{path}/{key}{suffix}").status_code == 404


@loaded
@each_list
def test_after_an_append_the_newest(api: Client, path: str) -> None:
    duplicate(path)
    key, column = key_of(path), LISTS[path][1].split()[-1]
    row = last(path)
    value: Any
    value, newer = {"features": ("[]", []), "active_minutes": (7, 7)}.get(column, ("?", "?"))
    later = {"valid_from": "'2026-11-24'", "_dlt_load_id": "'9' || _dlt_load_id"}
    for (name, moved), copy in product(later.items(), ("min", "max")):
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT as_appended")
            cursor.execute(
                f"UPDATE {table(path)} SET {column} = %s, {name} = {moved} WHERE _dlt_id = "
                f"(SELECT {copy}(_dlt_id) FROM {table(path)} WHERE {key} = %s)",
                [value, row[key]],
            )
            answer = api.get(f"/{path}/{row[key]}").json()
            assert answer == row | {column: newer}
            assert answer == api.get(f"/{path}/{row[key]}?as_of=2026-11-24").json()
            cursor.execute("ROLLBACK TO SAVEPOINT as_appended")


@loaded
@each_list
def test_who_may_ask(client: Client, stranger: Client, staff: Client, path: str) -> None:
    address = f"/{path}/{last(path)[key_of(path)]}"
    refused = client.get(address)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Basic")
    assert client.get(address, credentials() | {"password": "wrong"}).status_code == 401
    assert stranger.get(address).status_code == 403
    assert staff.get(address).status_code == client.get(address, credentials()).status_code == 200


@loaded
@each_list
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_nothing_is_ever_written(api: Client, path: str, method: str) -> None:
    response = getattr(api, method)(f"/{path}/{last(path)[key_of(path)]}")
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@loaded
@each_list
def test_parameters(api: Client, path: str) -> None:
    address = f"/{path}/{last(path)[key_of(path)]}"
    for method in ("get", "head", "options"):
        assert getattr(api, method)(f"{address}?page=1").status_code == 400
        assert getattr(api, method)(f"{address}?format=json").status_code == 200
    assert api.get(f"{address}?page=1").json() == {
        "error": 'Unknown query parameter "page": use as_of, fields, format, password, username.'
    }


@loaded
@each_list
def test_cost(api: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    address = f"/{path}/{last(path)[key_of(path)]}"
    with django_assert_num_queries(2):  # the last load, and the row
        api.get(address)
    with django_assert_num_queries(3):  # where history begins besides
        api.get(f"{address}?as_of=2026-11-23")
    with django_assert_num_queries(1):  # cannot be a key: the last load alone
        api.get(f"/{path}/x")
    for plan in plans_of(lambda: (api.get(address), api.get(f"{address}?as_of=2026-11-23"))):
        assert "Limit" in plan or "Aggregate" in plan
        assert "Index Scan" in plan or " on plan " in plan  # of the four, the one that stays small
