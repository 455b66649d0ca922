"""Pages: for people always, for programs on demand, and between them every row once."""

from __future__ import annotations

import pytest
from django.test import Client

from .test_viewsets import duplicate

pytestmark = pytest.mark.usefixtures("dataset", "db")


def test_programs_get_the_whole_list_unless_they_ask(api: Client) -> None:
    assert list(api.get("/users").json()) == ["users"]
    answer = api.get("/users?page=20").json()
    assert list(answer) == ["users", "total", "page", "size", "pages"]
    assert {key: answer[key] for key in ("total", "page", "size", "pages")} == {
        "total": 1000,
        "page": 20,
        "size": 50,
        "pages": 20,
    }


def test_pages_add_up_to_the_list(api: Client) -> None:
    duplicate("plans")
    for path in ("plans", "subscriptions"):
        pages = api.get(f"/{path}?page=1").json()["pages"]
        rows = [
            row
            for page in range(1, pages + 1)
            for row in api.get(f"/{path}?page={page}").json()[path]
        ]
        assert rows == api.get(f"/{path}").json()[path]


@pytest.mark.parametrize(
    "number", ["0", "-1", "abc", "1.5", "", " 1", "٣", "last", "1e3", "9" * 50]
)
def test_junk(api: Client, number: str) -> None:
    for accept in ("application/json", "text/html"):
        response = api.get("/users", {"page": number}, headers={"accept": accept})
        assert response.status_code == 400
        assert "must be a number from 1 on" in response.text


def test_beyond_the_end(api: Client, person: Client) -> None:
    for client in (api, person):
        response = client.get("/users?page=21")
        assert response.status_code == 404
        assert "There is no page 21." in response.text


@pytest.mark.usefixtures("no_dataset")
def test_before_the_first_load(api: Client) -> None:
    assert api.get("/users?page=1").json() == {
        "users": [],
        "total": 0,
        "page": 1,
        "size": 50,
        "pages": 1,
    }
