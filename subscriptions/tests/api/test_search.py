"""Search: whole keys and beginnings, in any case, by an index."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from .conftest import plans_of
from .test_pagination import grown
from .test_viewsets import stored

pytestmark = pytest.mark.usefixtures("dataset", "db")


def found(client: Client, path: str, term: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/{path}", {"search": term}).json()[path]
    return rows


@pytest.mark.parametrize("change", [str, str.lower, str.upper, str.swapcase])
@pytest.mark.parametrize("length", [1, 2, 4, 50])
def test_users_by_the_beginnings_of_names_and_addresses(
    api: Client, change: Any, length: int
) -> None:
    rows = stored("users")
    for row in (rows[7], rows[400]):
        for column in ("last_name", "email"):
            term = change(row[column][:length])
            expected = [
                each
                for each in rows
                if each["last_name"].lower().startswith(term.lower())
                or each["email"].lower().startswith(term.lower())
            ]
            assert row in expected
            assert found(api, "users", term) == expected


def test_users_by_key_and_by_both_names(api: Client) -> None:
    row = stored("users")[9]
    assert found(api, "users", row["user_id"].upper()) == [row]
    for term in (
        f"{row['first_name']} {row['last_name']}",
        f"{row['first_name']} {row['last_name'][:2]}",
    ):
        assert row in found(api, "users", term.lower())
        assert row in found(api, "users", f"  {term.upper()} ")
    assert found(api, "users", f"nobody {row['last_name']}") == []


def test_the_others(api: Client) -> None:
    assert [row["plan_id"] for row in found(api, "plans", "REM")] == [3]
    assert [row["plan_id"] for row in found(api, "plans", "5")] == [5]
    for path, key in (("subscriptions", "subscription_id"), ("usages", "usage_id")):
        rows = stored(path)
        assert found(api, path, rows[3][key]) == [rows[3]]
        user = rows[3]["user_id"]
        assert found(api, path, user) == [row for row in rows if row["user_id"] == user]


def test_nothing_is_a_pattern(api: Client) -> None:
    for term in ("%", "_", "a%", "\\", "'", '"', "x" * 500, "ß", "İ", "😀", "ﬃ"):
        assert found(api, "users", term) == []
    everything = api.get("/users").json()
    assert api.get("/users?search=").json() == api.get("/users?search=%20").json() == everything


def test_junk(api: Client) -> None:
    for term in ("\0", "a\0", "x" * 501, "x" * 100_000):
        response = api.get("/users", {"search": term})
        assert response.status_code == 400
        assert '"search"' in response.json()["error"]
        assert len(response.content) < 200


@pytest.mark.parametrize("path", ["users", "subscriptions", "usages"])
def test_an_index_finds_them(api: Client, path: str) -> None:
    grown(5_000_000)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datlocprovider = 'b' OR datcollate IN ('C', 'POSIX') FROM pg_database "
            "WHERE datname = current_database()"
        )
        if path == "users" and not cursor.fetchone()[0]:
            pytest.skip("the start of a text is found by an index under collation C alone")
        # As dear as millions of rows would be to look at, of which there are a thousand.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL cpu_tuple_cost = 10")
    for term in ("smit", "0a1b2c3d", "sean smi"):
        [*_, plan] = plans_of(lambda term=term: api.get(f"/{path}", {"search": term, "size": "5"}))  # type: ignore[misc]
        assert "Seq Scan" not in plan
        assert "BitmapOr" in plan
