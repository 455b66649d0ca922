"""The admin's sign-in: its failures and the API's are the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User as Account
from django.test import Client
from pytest_django.fixtures import Settings

from access.tests.conftest import RIGHT, another_process

pytestmark = pytest.mark.django_db

OWN = "a password of one's own"


@pytest.fixture(autouse=True)
def keeper(settings: Settings) -> None:
    """An account with a password, and limits that are soon reached."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUTH_FAILURES_PER_ADDRESS, settings.AUTH_FAILURES_PER_NAME = 3, 5
    Account.objects.create_superuser("keeper", password=OWN)
    Account.objects.create_user("stranger", password=OWN)


def sign_in(username: str, password: str, address: str = "127.0.0.1") -> Any:
    """Send the form."""
    form = {"username": username, "password": password, "next": "/admin/"}
    return Client(REMOTE_ADDR=address).post("/admin/login/", form)


def is_refusal(response: Any) -> bool:
    """429 with the form, which says how long to wait."""
    assert response.status_code == 429
    wait = int(response["Retry-After"])
    assert f"Too many failed attempts to sign in: try again in {wait} seconds." in response.text
    assert 'name="password"' in response.text
    return True


def test_right() -> None:
    assert sign_in("keeper", OWN).status_code == 302


def test_wrong_passwords_are_refused_after_a_few_and_right_ones_too() -> None:
    for _ in range(3):
        assert sign_in("keeper", "guess").status_code == 200
    assert is_refusal(sign_in("keeper", "guess"))
    assert is_refusal(sign_in("keeper", OWN))
    another_process()
    assert is_refusal(sign_in("keeper", OWN))
    assert sign_in("keeper", OWN, "192.0.2.1").status_code == 302


def test_a_name_is_refused_from_everywhere() -> None:
    for number in range(5):
        assert sign_in("keeper", "guess", f"192.0.2.{number}").status_code == 200
    assert is_refusal(sign_in("keeper", OWN))


def test_the_api_counts_the_same() -> None:
    assert sign_in("keeper", "guess").status_code == 200
    for _ in range(2):
        assert Client().get("/users", RIGHT | {"password": "guess"}).status_code == 401
    assert is_refusal(sign_in("keeper", OWN))
    assert Client().get("/users", RIGHT).status_code == 429


def test_an_account_that_is_not_staff_fails_as_well() -> None:
    for _ in range(3):
        assert sign_in("stranger", OWN).status_code == 200
    assert is_refusal(sign_in("keeper", OWN))


def test_an_incomplete_form_is_no_failure() -> None:
    for _ in range(4):
        assert sign_in("keeper", "").status_code == 200
    assert sign_in("keeper", OWN).status_code == 302
