"""Filters: each comparison of each column against the rows themselves, and nothing but values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import pytest
from django import forms
from django.test import Client

from subscriptions.tests.histories import History

from .test_viewsets import LISTS, each_list, stored

loaded = pytest.mark.usefixtures("dataset", "db")

COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "": operator.eq,
    "__gte": operator.ge,
    "__lte": operator.le,
    "__gt": operator.gt,
    "__lt": operator.lt,
}
TEXTS: Final = {
    "user_id": "text",
    **dict.fromkeys("subscription_id usage_id first_name last_name email".split(), "text"),
    **dict.fromkeys("plan_name max_users payment_method status region".split(), "text"),
    "referral_source": "text",
}


def found(client: Client, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
    response = client.get(f"/{path}", query)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()[path]
    return rows


@loaded
@each_list
def test_each_column_and_comparison(api: Client, path: str) -> None:
    rows = stored(path)
    middle = rows[len(rows) // 2]
    for column in LISTS[path][1].split():
        if column == "features":
            assert api.get(f"/{path}?features=x").status_code == 400
            continue
        value = next(row[column] for row in [middle, *rows] if row[column] is not None)
        for suffix, compare in COMPARISONS.items():
            query = {f"{column}{suffix}": str(value)}
            if suffix and column in TEXTS:
                assert api.get(f"/{path}", query).status_code == 400
                continue
            expected = [
                row for row in rows if row[column] is not None and compare(row[column], value)
            ]
            assert found(api, path, query) == expected, query
        several = {row[column] for row in rows[:3]} - {None}
        query = {f"{column}__in": ",".join(map(str, several))}
        assert found(api, path, query) == [row for row in rows if row[column] in several]


@loaded
def test_null(api: Client) -> None:
    rows = stored("subscriptions")
    for column in ("end_date", "payment_method"):
        for text, null in (("true", True), ("false", False)):
            expected = [row for row in rows if (row[column] is None) == null]
            assert expected
            assert found(api, "subscriptions", {f"{column}__isnull": text}) == expected
    assert api.get("/subscriptions?start_date__isnull=true").status_code == 400


@loaded
def test_all_of_them_at_once_in_every_format(api: Client) -> None:
    query = {"plan_id__in": "2,3", "signup_date__gte": "2026-01-01", "region": "Asia"}
    expected = [
        row
        for row in stored("users")
        if row["plan_id"] in {2, 3}
        and row["signup_date"] >= "2026-01-01"
        and row["region"] == "Asia"
    ]
    assert found(api, "users", query) == expected
    for format_ in ("ndjson", "csv"):
        lines = api.get("/users", query | {"format": format_}).text.splitlines()
        assert len(lines) == len(expected) + (format_ == "csv")
    page = api.get("/users", query | {"size": "3"}).json()
    assert page["users"] == expected[:3]
    assert page["total"] == len(expected)


def test_as_of(api: Client, lived: History) -> None:
    known = lived.known("subscription", lived.days[1])
    for query, expected in (
        ({"status": "Active"}, [row for row in known if row["status"] == "Active"]),
        (
            {"subscription_id": known[3]["subscription_id"], "user_id": known[3]["user_id"]},
            [known[3]],
        ),
    ):
        assert found(api, "subscriptions", query | {"as_of": str(lived.days[1])}) == expected


HUGE: Final = "9" * 5000
JUNK: Final = {
    "plan_id": [
        "",
        "x",
        "1.0",
        "1e1",
        " 1",
        "+1",
        "٣",
        "2147483649",
        HUGE,
        "-",
        "0x1",
        "1\0",
        "1'",
    ],
    "plan_id__in": ["", ",", "1,", "1,,2", "1,x", "1,99999999999", "1 2"],
    "plan_id__gte": ["", "null", "NaN", HUGE],
    "signup_date": ["", "2026-1-1", "2026-02-30", "10000-01-01", "0000-01-01", "today", "20260101"],
    "signup_date__lt": ["", "2026-01-01T00:00:00", "2026-01-01\0", HUGE],
    "email": ["", "\0", "a\0b", "x" * 501, HUGE],
    "user_id__in": ["", "a,,b", "\0"],
    "region": ["", "europe", "Mars", "\0", "North America,Asia", "<script>"],
    "region__in": ["", "Asia,Mars"],
}


@pytest.mark.parametrize("world", ["dataset", "no_dataset"])
@pytest.mark.parametrize("name", JUNK)
def test_junk(api: Client, name: str, world: str, request: pytest.FixtureRequest, db: None) -> None:
    request.getfixturevalue(world)
    for value in JUNK[name]:
        response = api.get("/users", {name: value})
        assert response.status_code == 400, value
        error = response.json()["error"]
        assert f'"{name}"' in error
        assert len(error) < 200
        assert not value.strip() or len(value) < 4 or value not in error
        assert api.head("/users", {name: value}).status_code == 400
        assert api.get("/users", {name: value}, headers={"accept": "text/html"}).status_code == 400


@loaded
@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("usages", "storage_used_mb__gt", ["", "1e999", "inf", "nan", "1,5", ".5", "5.", HUGE]),
        ("plans", "monthly_fee", ["", "1e2", "20,00", "$20", "--1", HUGE]),
        ("subscriptions", "end_date__isnull", ["", "1", "yes", "True", "null"]),
    ],
)
def test_other_kinds_of_junk(api: Client, path: str, name: str, values: list[str]) -> None:
    for value in values:
        response = api.get(f"/{path}", {name: value})
        assert response.status_code == 400, value
        assert f'"{name}"' in response.json()["error"]


@loaded
def test_the_largest_values_that_there_are(api: Client) -> None:
    for name, value in (
        ("plan_id", "2147483647"),
        ("plan_id__in", ",".join(["-2147483648"] * 1000)),
        ("signup_date__gt", "9999-12-31"),
        ("email", "x" * 500),
    ):
        assert found(api, "users", {name: value}) == []
    assert found(api, "plans", {"monthly_fee__gt": "9" * 20 + "." + "9" * 20}) == []
    assert found(api, "usages", {"storage_used_mb__gt": "1e308"}) == []


@loaded
def test_no_filter_is_made_for_a_request(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[object] = []

    def copy(field: forms.Field, _memo: object) -> forms.Field:
        copied.append(field)
        return field

    monkeypatch.setattr(forms.Field, "__deepcopy__", copy)
    for continents in ("Asia", "Europe,Asia"):  # one after the other, by the same filter
        rows = found(api, "users", {"region__in": continents, "plan_id__gte": "2"})
        assert {row["region"] for row in rows} == set(continents.split(","))
    assert copied == []


@loaded
def test_choices_are_named(api: Client) -> None:
    assert api.get("/subscriptions?status=active").json()["error"] == (
        'The query parameter "status" must be one of Active, Inactive.'
    )
