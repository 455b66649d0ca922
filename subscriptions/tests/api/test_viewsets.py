"""The four lists: exactly what PostgreSQL holds, in one query, whatever state it is in."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from .conftest import credentials, plans_of

# The contract, letter by letter: path, table, keys of an object.
LISTS: Final = {
    "users": (
        "user",
        "user_id first_name last_name email signup_date plan_id region referral_source",
    ),
    "plans": ("plan", "plan_id plan_name monthly_fee max_users features"),
    "subscriptions": (
        "subscription",
        "subscription_id user_id plan_id start_date end_date payment_method status",
    ),
    "usages": (
        "usage",
        (
            "usage_id user_id plan_id usage_date actions_performed storage_used_mb api_calls "
            "active_minutes"
        ),
    ),
}
ROWS: Final = {"users": 1000, "plans": 5, "subscriptions": 1717, "usages": 5000}
each_list = pytest.mark.parametrize("path", LISTS)
loaded = pytest.mark.usefixtures("dataset", "db")


def table(path: str) -> str:
    return f'"{settings.DATASET_NAME}"."{LISTS[path][0]}"'


def stored(path: str) -> list[dict[str, Any]]:
    """The current rows as PostgreSQL itself writes them, by key and then by row."""
    columns = LISTS[path][1].split()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT to_json(listed)::text FROM {table(path)} AS stored, "
            f"LATERAL (SELECT stored.{', stored.'.join(columns)}) AS listed "
            f"WHERE valid_to IS NULL ORDER BY stored.{columns[0]}, _dlt_id"
        )
        return [json.loads(row) for (row,) in cursor.fetchall()]


def duplicate(path: str) -> None:
    """Store every row once more, as an append does."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table(path)} SELECT (jsonb_populate_record(stored, "
            f"jsonb_build_object('_dlt_id', _dlt_id || '-again'))).* FROM {table(path)} AS stored"
        )


@loaded
@each_list
def test_whole_list(api: Client, path: str) -> None:
    response = api.get(f"/{path}")
    answer = response.json()
    assert response["Content-Type"] == "application/json"
    assert list(answer) == [path]
    assert answer[path] == stored(path)
    assert len(answer[path]) == ROWS[path]
    assert {" ".join(row) for row in answer[path]} == {LISTS[path][1]}


@loaded
def test_types_of_a_plan(api: Client) -> None:
    text = api.get("/plans").text
    assert '"plan_id":2,"plan_name":"Basic","monthly_fee":20.00,"max_users":"10"' in text
    plans = json.loads(text)["plans"]
    assert [plan["monthly_fee"] for plan in plans] == [0, 20, 35, 70, 100]
    assert all(isinstance(feature, str) for plan in plans for feature in plan["features"])


@loaded
def test_what_is_absent_is_null(api: Client) -> None:
    free = [row for row in api.get("/subscriptions").json()["subscriptions"] if row["plan_id"] == 1]
    assert free
    assert all(row["payment_method"] is None for row in free)


@loaded
@each_list
def test_only_current_versions(api: Client, path: str) -> None:
    with connection.cursor() as cursor:
        key = LISTS[path][1].split()[0]
        cursor.execute(
            f"UPDATE {table(path)} SET valid_to = valid_from WHERE {key} = "
            f"(SELECT min({key}) FROM {table(path)})"
        )
    assert len(api.get(f"/{path}").json()[path]) == ROWS[path] - 1


@loaded
@each_list
def test_duplicates_are_all_listed(api: Client, person: Client, path: str) -> None:
    duplicate(path)
    rows = api.get(f"/{path}").json()[path]
    assert rows == stored(path)
    assert len(rows) == 2 * ROWS[path]
    assert person.get(f"/{path}").status_code == 200


@loaded
@each_list
def test_queries(
    api: Client,
    person: Client,
    path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(2):  # the last load, and the rows
        api.get(f"/{path}")
    with django_assert_num_queries(2):
        Client().get(f"/{path}", credentials())
    with django_assert_num_queries(3):  # how many there are, and a page of them
        person.get(f"/{path}")


@loaded
def test_queries_of_a_session(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):  # the session and its user besides
        staff.get("/users")


@loaded
def test_no_query_without_credentials(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/users")
    # The failure is counted, and no row is read.
    assert plans_of(lambda: client.get("/users?username=analyst&password=wrong")) == []


@pytest.mark.usefixtures("no_dataset")
@each_list
def test_before_the_first_load(api: Client, path: str) -> None:
    response = api.get(f"/{path}")
    assert response.status_code == 200
    assert response.json() == {path: []}


@pytest.mark.usefixtures("no_dataset")
@each_list
def test_before_the_first_load_for_a_person(person: Client, path: str) -> None:
    response = person.get(f"/{path}")
    assert response.status_code == 200
    assert "No rows yet" in response.text


@pytest.mark.usefixtures("no_dataset")
def test_before_the_first_load_by_session(staff: Client) -> None:
    assert User.objects.exists()
    assert staff.get("/users").json() == {"users": []}


@loaded
@pytest.mark.parametrize("path", ["/plans", "/plans?format=csv", "/plans/1", "/plans/1/history"])
def test_a_missing_table_is_an_error_and_no_empty_list(api: Client, path: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table('plans')} CASCADE")
    api.raise_request_exception = False
    assert api.get(path).status_code == 500


@loaded
def test_a_missing_column_is_an_error_and_no_empty_list(api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table('plans')} DROP COLUMN plan_name CASCADE")
        cursor.execute(
            f'CREATE VIEW "{settings.DATASET_NAME}".plan_current AS SELECT * FROM {table("plans")}'
        )
    api.raise_request_exception = False
    assert api.get("/plans").status_code == 500


@loaded
@each_list
def test_head_and_options(api: Client, path: str) -> None:
    head = api.head(f"/{path}")
    assert head.get("Content-Length") in {None, api.get(f"/{path}").get("Content-Length")}
    assert head.status_code == 200
    assert not list(head.streaming_content)  # type: ignore[attr-defined]
    assert head["Content-Type"] == "application/json"
    options = api.options(f"/{path}")
    assert options.status_code == 200
    assert options.json()["name"] == path.capitalize()
    assert options["Allow"] == "GET, HEAD, OPTIONS"
    assert Client().options(f"/{path}").status_code == 401


@loaded
@each_list
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_nothing_is_ever_written(api: Client, path: str, method: str) -> None:
    response = getattr(api, method)(f"/{path}")
    assert response.status_code == 405
    assert response.json() == {"error": f'Method "{method.upper()}" not allowed.'}
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@loaded
@each_list
def test_headers(api: Client, path: str) -> None:
    for client in (api, Client()):
        response = client.get(f"/{path}")
        assert response["Cache-Control"] == "private"
        assert response["Referrer-Policy"] == "no-referrer"
        assert {"Accept", "Authorization", "Cookie"} <= set(response["Vary"].split(", "))
