"""The paths that list no rows: the overview and the tables."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from .conftest import credentials

loaded = pytest.mark.usefixtures("dataset", "db")


@loaded
def test_root(api: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        answer = api.get("/").json()
    assert list(answer) == ["message", "links"]
    assert answer["links"] == {
        "users": "http://testserver/users",
        "plans": "http://testserver/plans",
        "subscriptions": "http://testserver/subscriptions",
        "usages": "http://testserver/usages",
        "metrics": "http://testserver/metrics",
        "check-tables": "http://testserver/check-tables",
        "docs": "http://testserver/docs",
        "admin": "http://testserver/admin/",
    }


@loaded
def test_each_link_of_the_root_answers(api: Client) -> None:
    for url in api.get("/").json()["links"].values():
        assert api.get(url, follow=True).status_code == 200


@loaded
def test_root_links_hold_no_credentials(client: Client) -> None:
    assert "horse" not in client.get("/", credentials()).text


@pytest.mark.usefixtures("no_dataset")
def test_root_before_the_first_load(api: Client) -> None:
    assert api.get("/").status_code == 200


@loaded
def test_check_tables(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        response = client.get("/check-tables")
    assert response.json() == {"tables": ["plan", "subscription", "usage", "user"]}


@loaded
def test_check_tables_tells_what_the_database_has(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{settings.DATASET_NAME}".invoice ()')
        cursor.execute(f'CREATE TABLE "{settings.DATASET_NAME}"._private ()')
        cursor.execute(f'CREATE VIEW "{settings.DATASET_NAME}".looks AS SELECT 1 AS x')
        cursor.execute(f'ALTER TABLE "{settings.DATASET_NAME}".usage RENAME TO "Usage"')
    assert client.get("/check-tables").json() == {
        "tables": ["Usage", "invoice", "plan", "subscription", "user"]
    }


@pytest.mark.usefixtures("no_dataset")
def test_check_tables_before_the_first_load(client: Client) -> None:
    assert client.get("/check-tables").json() == {"tables": []}
