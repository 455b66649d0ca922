"""A record's history: every version once, and what each changed, against a slow and obvious way."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from subscriptions.tests.histories import History, Row

from .conftest import credentials, plans_of
from .test_details import HOSTILE, NOUNS, key_of
from .test_viewsets import LISTS, duplicate, loaded, stored

HISTORIES = [path for path in LISTS if path != "usages"]
each_history = pytest.mark.parametrize("path", HISTORIES)


def midnight(day: date) -> str:
    return f"{day}T00:00:00Z"


def expected(history: History, table: str, key: Any) -> list[dict[str, Any]]:
    """Each state that is not nothing, with the state before it and the one after it."""
    states = history.versions(table, key)
    entries: list[dict[str, Any]] = []
    before: Row | None = None
    for place, (day, row) in enumerate(states):
        following = states[place + 1] if place + 1 < len(states) else None
        if row is None:
            continue
        entries.append(
            {
                "valid_from": midnight(day),
                "valid_to": midnight(following[0]) if following else None,
                "began": "appeared"
                if before is None
                else ("changed" if states[place - 1][1] else "returned"),
                "ended": ("superseded" if following[1] else "disappeared") if following else None,
                "changes": {
                    column: {"from": before[column], "to": row[column]}
                    for column in row
                    if before and before[column] != row[column]
                },
                "row": row,
            }
        )
        before = row
    return entries


@each_history
def test_every_history(api: Client, lived: History, path: str) -> None:
    table, key = LISTS[path][0], key_of(path)
    lengths = set()
    for row in lived.known(table, lived.days[-1])[:150]:
        answer = api.get(f"/{path}/{row[key]}/history").json()
        assert list(answer) == ["history"]
        assert answer["history"] == expected(lived, table, row[key])
        assert " ".join(answer["history"][0]["row"]) == LISTS[path][1]
        lengths.add(len(answer["history"]))
    assert max(lengths) >= 2


@pytest.mark.usefixtures("lived")
def test_what_a_price_did(api: Client) -> None:
    first, second, *_ = api.get("/plans/3/history").json()["history"]
    assert list(first) == ["valid_from", "valid_to", "began", "ended", "changes", "row"]
    assert first["row"]["monthly_fee"] == 35
    assert second["valid_from"] == first["valid_to"] == "2026-02-01T00:00:00Z"
    assert second["changes"] == {"monthly_fee": {"from": 35, "to": second["row"]["monthly_fee"]}}


@each_history
def test_a_gap(api: Client, interrupted: History, path: str) -> None:
    table, key = LISTS[path][0], key_of(path)
    for day in interrupted.days[:2]:
        for row in interrupted.known(table, day):
            answer = api.get(f"/{path}/{row[key]}/history").json()["history"]
            assert answer == expected(interrupted, table, row[key])


def test_a_user_who_was_gone_and_one_who_is(api: Client, interrupted: History) -> None:
    [came_back, *_] = interrupted.known("user", date(2026, 1, 1))
    [gone, *_] = interrupted.known("user", date(2026, 2, 1))
    versions = api.get(f"/users/{came_back['user_id']}/history").json()["history"]
    assert [(v["began"], v["ended"]) for v in versions] == [
        ("appeared", "disappeared"),
        ("returned", None),
    ]
    [only] = api.get(f"/users/{gone['user_id']}/history").json()["history"]
    assert (only["began"], only["ended"]) == ("appeared", "disappeared")
    assert api.get(f"/users/{gone['user_id']}").status_code == 404


@loaded
@each_history
def test_after_an_append(api: Client, path: str) -> None:
    duplicate(path)
    row = stored(path)[-1]
    versions = api.get(f"/{path}/{row[key_of(path)]}/history").json()["history"]
    assert [(v["began"], v["ended"], v["changes"]) for v in versions] == [
        ("appeared", None, {}),
        ("repeated", None, {}),
    ]


@loaded
@each_history
def test_no_such_row(api: Client, path: str) -> None:
    for key in HOSTILE:
        response = api.get(f"/{path}/{key}/history")
        assert response.status_code == 404, key
        assert response.json() == {
            "error": f"There is no {NOUNS[path]} with this id, now or earlier."
        }


@loaded
def test_usage_has_no_history(api: Client) -> None:
    key = stored("usages")[0]["usage_id"]
    response = api.get(f"/usages/{key}/history")
    assert response.status_code == 404
    assert response.json() == {"error": "There is nothing at this path."}


@pytest.mark.usefixtures("no_dataset")
@each_history
def test_before_the_first_load(api: Client, path: str) -> None:
    key = "1" if path == "plans" else "00000000"
    assert api.get(f"/{path}/{key}/history").status_code == 404


@loaded
@each_history
def test_slash_credentials_and_methods(
    api: Client, client: Client, stranger: Client, path: str
) -> None:
    address = f"/{path}/{stored(path)[0][key_of(path)]}/history"
    assert api.get(address).content == api.get(f"{address}/").content
    assert client.get(address).status_code == 401
    assert stranger.get(address).status_code == 403
    assert client.get(address, credentials()).status_code == 200
    assert api.post(address).status_code == 405
    assert api.options(address).json()["name"] == f"{NOUNS[path].capitalize()} history"
    assert api.get(f"{address}?page=1").status_code == 400


@loaded
@each_history
def test_cost(api: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    address = f"/{path}/{stored(path)[0][key_of(path)]}/history"
    with django_assert_num_queries(2):  # the last load besides
        api.get(address)
    [plan] = plans_of(lambda: api.get(address))
    assert "Index Scan" in plan or path == "plans"
