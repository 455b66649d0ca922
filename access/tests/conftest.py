"""What the tests of access share: a staff account, and the API's credentials."""

from __future__ import annotations

from base64 import b64encode

import pytest
from django.contrib.auth.models import User as Account
from django.test import Client

from access import failures

RIGHT = {"username": "analyst", "password": "correct horse & battery"}


def basic(username: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def bearer(text: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {text}"}


def another_process() -> None:
    """Forget all that this process knows, as a worker that has just been started."""
    failures.ThisProcess.picture = failures.Picture()


@pytest.fixture
def owner(db: None) -> Account:
    """A staff account that may do nothing in particular."""
    return Account.objects.create(username="owner", is_staff=True)


@pytest.fixture
def signed_in(owner: Account) -> Client:
    """Its session."""
    client = Client()
    client.force_login(owner)
    return client
