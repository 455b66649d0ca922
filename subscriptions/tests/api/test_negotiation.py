"""Formats: JSON for programs, a page for browsers, and `?format=` above both."""

from __future__ import annotations

import pytest
from django.test import Client

from .conftest import HTML

pytestmark = pytest.mark.usefixtures("dataset", "db")


@pytest.mark.parametrize("path", ["/", "/plans", "/check-tables"])
@pytest.mark.parametrize(
    ("accept", "format_", "answer"),
    [
        (None, None, "application/json"),
        ("*/*", None, "application/json"),
        ("application/json", None, "application/json"),
        (HTML, None, "text/html; charset=utf-8"),
        (HTML, "json", "application/json"),
        ("text/html", "json", "application/json"),
        ("*/*", "api", "text/html; charset=utf-8"),
        ("text/csv", "json", "application/json"),
    ],
)
def test_format(
    api: Client, path: str, accept: str | None, format_: str | None, answer: str
) -> None:
    headers = {"accept": accept} if accept else {}
    response = api.get(path, {"format": format_} if format_ else {}, headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == answer


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        ("application/json; q=0.9, text/csv", "text/csv"),
        ("application/json;q=0, */*;q=0.1", "application/x-ndjson"),
        ("text/*;q=0.8, application/*;q=0.5", "text/csv"),
        ("Application/JSON; indent=4; q=1, text/html;q=0.9", "application/json"),
    ],
)
def test_what_a_client_likes_better(api: Client, accept: str, answer: str) -> None:
    response = api.get("/plans", headers={"accept": accept})
    assert response["Content-Type"].split(";")[0] == answer


def test_nothing_else_changes_the_bytes_under_a_tag(api: Client) -> None:
    plain = api.get("/plans/1")
    indented = api.get("/plans/1", headers={"accept": "application/json; indent=4"})
    assert indented["ETag"] == plain["ETag"]
    assert indented.content == plain.content


@pytest.mark.parametrize(
    "accept",
    ["image/png", "application/json;q=0", "image/png, text/plain;q=0.5", "nonsense", ","],
)
def test_not_acceptable(api: Client, accept: str) -> None:
    response = api.get("/users", headers={"accept": accept})
    assert response.status_code == 406
    assert list(response.json()) == ["error"]


def test_unknown_format(api: Client) -> None:
    response = api.get("/users?format=xml")
    assert response.status_code == 400
    assert response.json() == {
        "error": "Unknown format: use json, ndjson, csv, csv-safe, parquet or api."
    }
