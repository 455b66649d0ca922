"""Tokens in the admin: made, shown once, seen by their owner and superusers, revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User as Account
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from access import tokens
from access.models import Token
from access.tests.conftest import bearer

pytestmark = pytest.mark.django_db

LIST = "/admin/access/token/"


@pytest.fixture(autouse=True)
def fresh_content_types() -> None:
    """Django remembers their ids, which are others once a test has flushed the database."""
    ContentType.objects.clear_cache()


def make(client: Client, **form: Any) -> Any:
    return client.post(f"{LIST}add/", {"name": "Nightly report", "days": 30} | form)


def test_made_and_shown_once(signed_in: Client, owner: Account) -> None:
    assert signed_in.get(f"{LIST}add/").status_code == 200
    shown = make(signed_in)
    assert shown.status_code == 200
    [text] = set(re.findall("elt_[A-Za-z0-9_-]{43}", shown.text))
    assert "no-store" in shown["Cache-Control"]
    assert text not in str(shown.cookies)
    token = Token.objects.get()
    assert (token.name, token.owner) == ("Nightly report", owner)
    assert (token.expires - token.created).days == 30
    assert Client().get("/", headers=bearer(text)).status_code == 200
    for page in (LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/", "/admin/"):
        again = signed_in.get(page)
        assert again.status_code == 200, page
        assert text not in again.text
        assert token.digest not in again.text


@pytest.mark.parametrize("wrong", [{"name": ""}, {"days": 0}, {"days": 9999}, {"days": "x"}])
def test_what_cannot_be_made(signed_in: Client, wrong: dict[str, Any]) -> None:
    answer = make(signed_in, **wrong)
    assert answer.status_code == 200
    assert "elt_" not in answer.text
    assert not Token.objects.exists()


def test_the_list_says_what_there_is_to_know(signed_in: Client, owner: Account) -> None:
    token, text = tokens.make("Nightly report", owner, 30)
    Client().get("/", headers=bearer(text))
    page = signed_in.get(LIST).text
    for shown in ("Nightly report", "owner", f"{token.prefix}…", "active"):
        assert shown in page
    token.refresh_from_db()
    assert token.last_used is not None
    for moment in (token.created, token.expires, token.last_used):
        assert f"{timezone.localtime(moment):%Y-%m-%d}" in page


def test_each_sees_their_own_and_superusers_all(signed_in: Client, owner: Account) -> None:
    other = Account.objects.create(username="root", is_staff=True, is_superuser=True)
    tokens.make("Mine", owner, 30)
    theirs, text = tokens.make("Theirs", other, 30)
    page = signed_in.get(LIST).text
    assert "Mine" in page
    assert "Theirs" not in page
    assert signed_in.get(f"{LIST}{theirs.pk}/change/").status_code == 302
    revoke(signed_in, theirs)
    assert Client().get("/", headers=bearer(text)).status_code == 200
    root = Client()
    root.force_login(other)
    page = root.get(LIST).text
    assert "Mine" in page
    assert "Theirs" in page


def revoke(client: Client, token: Token) -> Any:
    form = {"action": "revoke", "_selected_action": token.pk}
    return client.post(LIST, form, follow=True)


def test_revoked(signed_in: Client, owner: Account) -> None:
    token, text = tokens.make("Nightly report", owner, 30)
    assert "Revoked 1 token." in revoke(signed_in, token).text
    assert Client().get("/", headers=bearer(text)).status_code == 401
    first = Token.objects.get().revoked
    assert "Revoked 0 tokens." in revoke(signed_in, token).text
    assert Token.objects.get().revoked == first
    assert "revoked" in signed_in.get(LIST).text


def test_nothing_else_can_be_done_to_one(signed_in: Client, owner: Account) -> None:
    token, _ = tokens.make("Nightly report", owner, 30)
    change = signed_in.post(f"{LIST}{token.pk}/change/", {"name": "Another"})
    assert change.status_code == 403
    assert signed_in.post(f"{LIST}{token.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in signed_in.get(LIST).text
    assert Token.objects.get().name == "Nightly report"


def test_an_account_with_tokens_can_be_deleted(owner: Account) -> None:
    tokens.make("Nightly report", owner, 30)
    root = Client()
    root.force_login(Account.objects.create(username="root", is_staff=True, is_superuser=True))
    answer = root.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not Token.objects.exists()
