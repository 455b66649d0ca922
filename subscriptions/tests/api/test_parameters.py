"""Query parameters: what is unknown or makes no sense is refused by name."""

from __future__ import annotations

import pytest
from django.test import Client

from .conftest import credentials

pytestmark = pytest.mark.usefixtures("dataset", "db")


@pytest.mark.parametrize("path", ["/", "/users", "/plans", "/subscriptions", "/usages"])
def test_unknown_parameter(api: Client, path: str) -> None:
    response = api.get(path, {"pagee": "2"})
    assert response.status_code == 400
    takes = (
        "format, password, username."
        if path == "/"
        else "as_of, count, cursor, fields, format, ordering, page, password, search, size, "
        "username, or a column's name to filter by."
    )
    assert response.json()["error"] == f'Unknown query parameter "pagee": use {takes}'


def test_unknown_comparison(api: Client) -> None:
    error = api.get("/users?plan_id__like=2").json()["error"]
    assert error.endswith(
        "plan_id, plan_id__gt, plan_id__gte, plan_id__in, plan_id__lt, plan_id__lte."
    )


def test_unknown_parameter_without_authentication(client: Client) -> None:
    assert client.get("/users?junk=1").status_code == 401
    response = client.get("/check-tables?junk=1")
    assert response.status_code == 400
    assert '"junk"' in response.json()["error"]


def test_lists_have_pages_and_nothing_else_has(api: Client) -> None:
    assert api.get("/users?page=1").status_code == 200
    assert '"page"' in api.get("/?page=1").json()["error"]


@pytest.mark.parametrize("method", ["head", "options", "get"])
def test_each_method_checks(api: Client, method: str) -> None:
    assert getattr(api, method)("/users?junk=1").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "%00=1",
        "%FF%FE=1",
        "=1",
        "a'b=1",
        "%3Cscript%3E=1",
        "x" * 100_000 + "=1",
        "page[]=1",
        "junk",
        "&&&;;;=",
        "page=1&page=2",
        "format=json&format=json",
        "format=",
        "format=xml",
        "page=",
        "&".join(f"p{number}=1" for number in range(2000)),
    ],
)
def test_junk(api: Client, query: str) -> None:
    response = api.get(f"/users?{query}")
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert len(response.content) < 300


def test_a_value_is_never_repeated(api: Client) -> None:
    assert "s3cret" not in api.get("/users?passwrod=s3cret").text
    assert "s3cret" not in api.get("/users?page=s3cret").text
    assert "s3cret" not in api.get("/users?format=s3cret").text


def test_a_torn_password_is_never_repeated(client: Client) -> None:
    for path in ("/check-tables", "/users"):
        for accept in ("application/json", "text/html"):
            response = client.get(
                f"{path}?username=analyst&password=fish&chips", headers={"accept": accept}
            )
            assert response.status_code in {400, 401}
            assert "chips" not in response.text


def test_credentials_and_format_are_known_everywhere(client: Client) -> None:
    for path in ("/", "/users", "/check-tables"):
        assert client.get(path, credentials() | {"format": "json"}).status_code == 200
