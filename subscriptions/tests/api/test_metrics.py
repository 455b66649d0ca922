"""`/metrics/...`: the marts as lists, and what they refuse."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from subscriptions.api.metrics import METRICS, MISSING, name_of
from subscriptions.marts import CustomerLifetime, TransformReceipt

from .conftest import HTML

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dataset")]

MARTS = f'"{settings.DATASET_NAME}_marts"'


def stored(path: str) -> tuple[list[str], list[Any]]:
    """A mart's columns, and its rows in the order of its key, by plain SQL."""
    viewset = METRICS[path]
    table = viewset.queryset.model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY {', '.join(viewset.orderings.usual)}")
        columns = [column.name for column in cursor.description]
        return columns, cursor.fetchall()


def stored_columns(path: str) -> tuple[str, ...]:
    return tuple(METRICS[path].serializer_class.Meta.fields)


@pytest.mark.parametrize("path", METRICS)
def test_a_mart_is_a_list(path: str, api: Client) -> None:
    columns, rows = stored(path)
    assert rows
    answer = api.get(f"/metrics/{path}").json()
    assert list(answer) == [name_of(path)]
    listed = answer[name_of(path)]
    assert list(listed[0]) == columns
    assert len(listed) == len(rows)
    text = b"".join(api.get(f"/metrics/{path}?format=csv")).decode()
    records = list(csv.reader(io.StringIO(text)))
    assert records == [columns, *([("" if v is None else str(v)) for v in row] for row in rows)]
    assert "<table" in api.get(f"/metrics/{path}", headers={"Accept": HTML}).text


def test_the_index_leads_to_each(api: Client) -> None:
    links = api.get("/metrics").json()["links"]
    assert list(links) == list(METRICS)
    assert all(api.get(link + "?size=1").status_code == 200 for link in links.values())


def test_credentials_are_asked_for(client: Client) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics/mrr").status_code == 401


def test_filters_and_order(api: Client) -> None:
    rows = api.get("/metrics/mrr?month=2026-10&region=Europe&ordering=-mrr").json()["mrr"]
    assert {(row["month"], row["region"]) for row in rows} == {("2026-10-01", "Europe")}
    assert [row["mrr"] for row in rows] == sorted((row["mrr"] for row in rows), reverse=True)
    same = api.get("/metrics/mrr?month=2026-10-01&region=Europe&ordering=-mrr").json()["mrr"]
    assert same == rows


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("mrr?month=2031-01", 'The query parameter "month" names what the marts do not have'),
        ("mrr?month=2026-10-02", "must be a month (YYYY-MM, or its first day)"),
        ("mrr?plan_id=99", "one of 1, 2, 3, 4, 5"),
        ("mrr?plan_name__in=Basic,Silver", "one of Basic, Enterprise, Free, Premium, Ultimate"),
        ("mrr?region=Mars", "must be one of North America"),
        ("lifetimes?state=dead", "must be one of free, active, churned"),
        ("cohorts?cohort_month=1999-01", '"cohort_month" names what the marts do not have'),
        ("churn?as_of=2026-01-01", 'Unknown query parameter "as_of"'),
        ("churn?search=x", 'Unknown query parameter "search"'),
        ("lifetimes?ordering=last_name", "cannot be ordered by"),
    ],
)
def test_what_there_is_not_is_refused(query: str, says: str, api: Client) -> None:
    refused = api.get(f"/metrics/{query}")
    assert refused.status_code == 400
    assert says in refused.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        "customers?",
        "lifetimes?",
        "lifetimes?ordering=-revenue&",
        "lifetimes?ordering=-churned_on,tenure_days&region=Asia&",
    ],
)
def test_a_cursor_walks_from_end_to_end(query: str, api: Client) -> None:
    key = query.partition("?")[0]
    whole = api.get(f"/metrics/{query}").json()[key]
    walked, address = [], f"/metrics/{query}cursor=&size=70"
    while address:
        answer = api.get(address).json()
        walked += answer[key]
        address = answer["next"]
    assert len(whole) > 70
    assert walked == whole


def test_the_best_customers_come_first(api: Client) -> None:
    whole = api.get("/metrics/lifetimes").json()["lifetimes"]
    for column in ("revenue", "tenure_days"):
        best = sorted(whole, key=lambda row: (-row[column], row["user_id"]))
        page = api.get(f"/metrics/lifetimes?ordering=-{column}&page=2&size=100").json()
        assert page["lifetimes"] == best[100:200]
        assert api.get(f"/metrics/lifetimes?ordering=-{column}").json()["lifetimes"] == best


def test_pages(api: Client) -> None:
    page = api.get("/metrics/lifetimes?page=2&size=50").json()
    assert page["total"] == CustomerLifetime.objects.count()
    assert len(page["lifetimes"]) == 50


def test_the_tag_is_that_of_the_transform(api: Client) -> None:
    first = api.get("/metrics/churn")
    tag = {"If-None-Match": first["ETag"]}
    assert api.get("/metrics/churn", headers=tag).status_code == 304
    newest = TransformReceipt._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {newest} SET built_at = built_at + interval '1 second'")
    again = api.get("/metrics/churn", headers=tag)
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


def test_a_mart_that_plain_dbt_has_built_has_another_tag(api: Client) -> None:
    first = api.get("/metrics/churn")
    with connection.cursor() as cursor:  # as dbt does, and without a receipt where it is one mart
        cursor.execute(f"ALTER TABLE {MARTS}.churn_monthly RENAME TO churn_monthly__dbt_backup")
        cursor.execute(
            f"CREATE TABLE {MARTS}.churn_monthly AS SELECT * FROM {MARTS}.churn_monthly__dbt_backup"
        )
    again = api.get("/metrics/churn", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


def test_a_mart_that_is_gone_says_what_to_run(api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {MARTS}.churn_monthly")
    assert api.get("/metrics/churn").json() == {"error": MISSING}


def test_large_numbers_are_found_and_walked(api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {MARTS}.usage_daily SET actions = actions + 5000000000")
    query = "/metrics/usage?fields=actions&ordering=-actions&actions__gte=5000000000"
    whole = api.get(query).json()["usage"]
    walked, address = [], f"{query}&cursor=&size=1000"
    while address:
        answer = api.get(address).json()
        walked += answer["usage"]
        address = answer["next"]
    assert len(whole) > 1000
    assert walked == whole
    beyond = api.get("/metrics/usage?actions=9223372036854775808")
    assert beyond.status_code == 400
    assert beyond.json()["error"].endswith("to 9223372036854775807.")


def rename_basic(name: str, *tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"UPDATE {table} SET plan_name = %s WHERE plan_name = 'Basic'", [name])


def test_a_plan_may_have_a_comma(api: Client) -> None:
    rename_basic("Pro, yearly", f"{MARTS}.mrr_monthly", f"{MARTS}.customer_monthly")
    rows = api.get("/metrics/mrr?plan_name=Pro,%20yearly").json()["mrr"]
    assert {row["plan_name"] for row in rows} == {"Pro, yearly"}


def test_plans_are_those_of_the_marts_whatever_is_loaded_since(api: Client) -> None:
    rename_basic("Starter", f'"{settings.DATASET_NAME}".plan')
    assert api.get("/metrics/mrr?plan_name=Basic").json()["mrr"]
    unknown = api.get("/metrics/mrr?plan_name=Starter")
    assert unknown.status_code == 400
    assert "one of Basic, Enterprise, Free, Premium, Ultimate" in unknown.json()["error"]
    rename_basic("Starter", f"{MARTS}.usage_daily")  # which plain dbt has built, and no other
    assert api.get("/metrics/usage?plan_name=Starter").json()["usage"]
    assert api.get("/metrics/mrr?plan_name=Starter").status_code == 400


def test_a_plan_that_a_transform_adds_is_known_at_once(api: Client) -> None:
    assert api.get("/metrics/lifetimes?plan_id=99").status_code == 400
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {MARTS}.customer_monthly SET plan_id = 99 WHERE plan_id = 5")
    assert api.get("/metrics/lifetimes?plan_id=99").status_code == 200


@pytest.mark.parametrize("path", [path for path in METRICS if "plan_id" in stored_columns(path)])
def test_each_plan_may_be_asked_for_of_each_mart(path: str, api: Client) -> None:
    answer = api.get(f"/metrics/{path}?plan_id=1")
    assert answer.status_code == 200
    assert bool(answer.json()[name_of(path)]) == (path not in {"mrr", "mrr-movements"})


def test_a_mart_that_was_built_alone_cannot_tell_which_plans_there_are(api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {MARTS}.customer_monthly")
    assert api.get("/metrics/usage?plan_id=1").json() == {"error": MISSING}


def test_an_empty_company_has_no_months_and_no_plans(api: Client) -> None:
    with connection.cursor() as cursor:
        for mart in ("churn_monthly", "customer_monthly"):
            cursor.execute(f"DELETE FROM {MARTS}.{mart}")
    for query in ("churn?month=2026-10", "customers?plan_name=Basic"):
        refused = api.get(f"/metrics/{query}")
        assert refused.status_code == 400
        assert refused.json()["error"].endswith("do not have: the company has no users yet.")


@pytest.mark.parametrize("path", METRICS)
def test_before_the_transform_it_says_what_to_run(path: str, api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SCHEMA {MARTS} RENAME TO away")
    missing = api.get(f"/metrics/{path}")
    assert missing.status_code == 404
    assert missing.json() == {"error": MISSING}
