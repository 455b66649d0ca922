"""ETags: what the client has is confirmed without a look at the tables, and never wrongly."""

from __future__ import annotations

from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.models import LoadReceipt

from .conftest import basic, credentials
from .test_viewsets import duplicate

pytestmark = pytest.mark.usefixtures("dataset", "db")

PATHS: Final = [
    "/users",
    "/usages?page=2",
    "/plans/1",
    "/plans/1/history",
    "/users?as_of=2026-11-23",
]
each_path = pytest.mark.parametrize("path", PATHS)


@each_path
def test_not_modified(api: Client, path: str) -> None:
    tag = api.get(path)["ETag"]
    with CaptureQueriesContext(connection) as captured:
        response = api.get(path, headers={"if-none-match": tag})
    assert response.status_code == 304
    assert response.content == b""
    assert response["ETag"] == tag
    assert response["Cache-Control"] == "private"
    assert "Authorization" in response["Vary"]
    assert len(captured) == 1
    assert "_load_receipt" in captured[0]["sql"]


@each_path
def test_another_tag(api: Client, path: str) -> None:
    for tag in ('"another"', "nonsense", '""'):
        assert api.get(path, headers={"if-none-match": tag}).status_code == 200


@each_path
def test_only_after_authentication(api: Client, client: Client, path: str) -> None:
    tag = api.get(path)["ETag"]
    wrong = basic("analyst", "wrong")
    assert client.get(path, headers={"if-none-match": tag}).status_code == 401
    assert (
        client.get(path, headers={"if-none-match": tag, "authorization": wrong}).status_code == 401
    )


@each_path
def test_another_load(api: Client, path: str) -> None:
    tag = api.get(path)["ETag"]
    receipt = LoadReceipt.objects.get()
    receipt.load_id, receipt.dlt_id = "9999999999.0", "another"
    assert receipt.published_at
    receipt.published_at = receipt.published_at.replace(year=2999)
    receipt.save(force_insert=True)
    response = api.get(path, headers={"if-none-match": tag})
    assert response.status_code == 200
    assert response["ETag"] != tag


def test_whose_credentials_they_are_does_not_matter(api: Client, client: Client) -> None:
    assert api.get("/users")["ETag"] == client.get("/users", credentials())["ETag"]
    assert api.get("/users/")["ETag"] == api.get("/users")["ETag"]


def test_everything_else_does(api: Client) -> None:
    asked = [
        ("/users", {}),
        ("/plans", {}),
        ("/users?page=1", {}),
        ("/users?page=2", {}),
        ("/users?as_of=2026-11-23", {}),
        ("/users?format=csv", {}),
        ("/users?format=csv-safe", {}),
        ("/users", {"accept": "application/x-ndjson"}),
        ("/users", {"accept-encoding": "gzip"}),
        ("/users", {"accept-encoding": "zstd"}),
    ]
    tags = [api.get(path, headers=headers)["ETag"] for path, headers in asked]
    assert len(set(tags)) == len(tags)
    assert all(tag.startswith('"') for tag in tags)  # strong


def test_the_order_of_parameters_does_not(api: Client) -> None:
    tags = {
        api.get(f"/users?{query}")["ETag"] for query in ("page=2&format=json", "format=json&page=2")
    }
    assert len(tags) == 1


def test_errors_have_none(api: Client) -> None:
    for path in ("/users?page=0", "/users/00000000", "/plans/99/history"):
        assert "ETag" not in api.get(path)


def test_what_is_not_there_is_not_unmodified(api: Client) -> None:
    for path, status in (("/users/00000000", 404), ("/users?as_of=1999-01-01", 400)):
        assert api.get(path, headers={"if-none-match": "*"}).status_code == status


def test_a_page_for_people_has_none(person: Client) -> None:
    assert "ETag" not in person.get("/users")


@pytest.mark.usefixtures("no_dataset")
def test_none_before_the_first_load(api: Client) -> None:
    assert "ETag" not in api.get("/users")


def test_the_same_bytes(api: Client) -> None:
    """As a strong ETag promises, by every coding, though an append leaves copies of each key."""
    duplicate("plans")
    for coding in ("identity", "gzip", "zstd"):
        answers = {api.get("/plans", headers={"accept-encoding": coding}).content for _ in range(3)}
        assert len(answers) == 1


def test_a_receipt_without_what_was_stored(api: Client) -> None:
    """As releases before 0.1 left it: the rows are streamed, since nobody knows how many."""
    LoadReceipt.objects.update(stored=None)
    response = api.get("/users")
    assert response.streaming
    assert b"".join(response).count(b'"user_id"') == 1000
