"""Who gets in: credentials absent, wrong and right, by URL, header and session, and mixed."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from access.models import Failure

from .conftest import HTML, basic, credentials

pytestmark = pytest.mark.usefixtures("dataset", "db")

PROTECTED = ("/", "/users", "/plans", "/subscriptions", "/usages")
RIGHT = basic("analyst", "correct horse & battery")
WRONG = basic("analyst", "wrong")


@pytest.mark.parametrize("path", PROTECTED)
def test_absent(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 401
    assert response.json() == {"error": "Authentication credentials were not provided."}
    assert response["WWW-Authenticate"].startswith('Basic realm="')


@pytest.mark.parametrize("path", PROTECTED)
def test_browsers_are_asked_to_prompt(client: Client, path: str) -> None:
    response = client.get(path, headers={"accept": HTML})
    assert response.status_code == 401
    assert response["Content-Type"].startswith("text/html")
    assert response["WWW-Authenticate"].startswith('Basic realm="')


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("format_", ["json", "api"])
def test_right(path: str, format_: str, client: Client, staff: Client) -> None:
    assert client.get(path, credentials() | {"format": format_}).status_code == 200
    by_header = client.get(path, {"format": format_}, headers={"authorization": RIGHT})
    assert by_header.status_code == 200
    assert staff.get(path, {"format": format_}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "username=analyst&password=wrong",
        "username=wrong&password=correct+horse+%26+battery",
        "username=analyst",
        "password=correct+horse+%26+battery",
        "username=&password=",
        "username=analyst&password=",
        "username=analyst&username=analyst&password=correct+horse+%26+battery",
        "username=analyst&password=correct+horse+%26+battery&password=wrong",
        "username=analyst&password=correct+horse+%26+batter",
        "username=ANALYST&password=correct+horse+%26+battery",
        "username=analyst&password=correct horse & battery",
        "username=%00&password=%00",
        "username=%FF%FE&password=%ED%A0%80",
        "username=%F0%9F%90%B4&password=p%C3%A4ss",
        "username=analyst&password=" + "x" * 100_000,
    ],
)
def test_wrong_in_the_url(client: Client, query: str) -> None:
    response = client.get(f"/users?{query}")
    assert response.status_code == 401
    assert list(response.json()) == ["error"]
    assert "battery" not in response.text
    assert response["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header",
    [
        WRONG,
        basic("wrong", "correct horse & battery"),
        basic("", ""),
        basic("\0", "\0"),
        basic("анализ", "пароль"),
        "Basic",
        "Basic !!!",
        "Basic YQ==",
        "Basic /v8=",
        "Basic a b",
        "Bearer token",
        RIGHT.replace("Basic", "Digest"),
        f"{RIGHT},{RIGHT}",
    ],
)
def test_wrong_in_the_header(client: Client, header: str) -> None:
    response = client.get("/users", headers={"authorization": header})
    assert response.status_code == 401
    assert list(response.json()) == ["error"]
    assert response["WWW-Authenticate"].startswith("Basic")


def test_an_empty_header_is_an_absent_one(client: Client) -> None:
    assert client.get("/users", credentials(), headers={"authorization": ""}).status_code == 200


def test_scheme_is_case_insensitive(client: Client) -> None:
    header = RIGHT.replace("Basic", "basic")
    assert client.get("/plans", headers={"authorization": header}).status_code == 200


def test_credentials_of_any_script(client: Client, settings: LazySettings) -> None:
    settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD = "жанна", "pässwörd 🐴"
    assert client.get("/plans", credentials()).status_code == 200
    header = {"authorization": basic("жанна", "pässwörd 🐴")}
    assert client.get("/plans", headers=header).status_code == 200
    assert client.get("/plans", credentials() | {"password": "passwörd 🐴"}).status_code == 401


def test_credentials_that_no_text_can_hold(client: Client, settings: LazySettings) -> None:
    settings.BASIC_AUTH_PASSWORD = "\udcff"  # how Python reads an undecodable variable
    assert client.get("/plans?username=analyst&password=x").status_code == 401


def test_both_are_compared_whichever_is_wrong(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return given == expected

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert client.get("/users?username=wrong&password=wrong").status_code == 401
    assert compared == [b"wrong", b"wrong"]


def test_one_wrong_credential_spoils_the_others(client: Client, staff: Client) -> None:
    wrong = credentials() | {"password": "wrong"}
    assert client.get("/users", credentials(), headers={"authorization": WRONG}).status_code == 401
    assert client.get("/users", wrong, headers={"authorization": RIGHT}).status_code == 401
    assert staff.get("/users", wrong).status_code == 401
    assert staff.get("/users", headers={"authorization": WRONG}).status_code == 401
    assert staff.get("/users?username=analyst").status_code == 401
    unknown = {"authorization": "Bearer token"}
    assert client.get("/users", credentials(), headers=unknown).status_code == 401


def test_several_right_credentials(staff: Client) -> None:
    response = staff.get("/users", credentials(), headers={"authorization": RIGHT})
    assert response.status_code == 200


@pytest.mark.parametrize("path", PROTECTED)
def test_signed_in_but_not_staff(stranger: Client, path: str) -> None:
    response = stranger.get(path)
    assert response.status_code == 403
    assert response.json() == {"error": "You are signed in as a user who is not staff."}
    assert "WWW-Authenticate" not in response


def test_not_staff_but_with_the_credentials(stranger: Client) -> None:
    assert stranger.get("/users", credentials()).status_code == 200


def test_a_session_that_is_over_is_an_absent_credential(staff: Client) -> None:
    User.objects.update(is_active=False)
    assert staff.get("/users").status_code == 401
    assert staff.get("/users", credentials()).status_code == 200


def test_a_users_own_password_is_not_the_apis(client: Client) -> None:
    User.objects.create_superuser("root", password="roots own")
    assert client.get("/users", {"username": "root", "password": "roots own"}).status_code == 401
    header = {"authorization": basic("root", "roots own")}
    assert client.get("/users", headers=header).status_code == 401


@pytest.mark.parametrize("path", ["/check-tables", "/healthz"])
def test_open_paths_ask_nobody(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"authorization": WRONG}).status_code == 200
    assert client.get(path, {"username": "analyst", "password": "wrong"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/users", "/plans/3"])
@pytest.mark.parametrize("format_", ["json", "api"])
def test_credentials_in_the_url_can_be_turned_off(
    client: Client, settings: LazySettings, path: str, format_: str
) -> None:
    settings.QUERY_CREDENTIALS = False
    wrong = credentials() | {"password": "hunter2"}
    for given in (credentials(), wrong, {"username": "analyst"}, {"password": "hunter2"}):
        for headers in ({}, {"authorization": RIGHT}):
            refused = client.get(path, given | {"format": format_}, headers=headers)
            assert refused.status_code == 400
            assert "send them in the Authorization header" in refused.text
            assert "hunter2" not in refused.text
            assert "horse" not in refused.text
    assert not Failure.objects.exists()
    assert client.get(path, headers={"authorization": RIGHT}).status_code == 200
    assert client.get(path).status_code == 401


def test_the_tables_names_can_be_protected(
    client: Client, staff: Client, stranger: Client, settings: LazySettings
) -> None:
    settings.PROTECT_CHECK_TABLES = True
    assert client.get("/check-tables").status_code == 401
    assert client.get("/check-tables", headers={"authorization": WRONG}).status_code == 401
    assert stranger.get("/check-tables").status_code == 403
    assert staff.get("/check-tables").status_code == 200
    right = client.get("/check-tables", credentials())
    assert right.json() == {"tables": ["plan", "subscription", "usage", "user"]}
    assert client.get("/healthz").status_code == 200
