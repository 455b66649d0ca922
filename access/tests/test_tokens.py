"""Personal tokens: who gets in by them, for how long, and what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User as Account
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access import tokens
from access.models import Token
from access.tests.conftest import RIGHT, basic, bearer

pytestmark = pytest.mark.django_db


def ask(text: str, query: dict[str, str] | None = None) -> Any:
    return Client().get("/", query, headers=bearer(text))


@pytest.fixture
def made(owner: Account) -> tuple[Token, str]:
    return tokens.make("Nightly report", owner, 90)


def test_form_and_life(owner: Account, made: tuple[Token, str]) -> None:
    token, text = made
    assert re.fullmatch("elt_[A-Za-z0-9_-]{43}", text)
    assert text.startswith(token.prefix)
    assert len(token.prefix) == 8
    assert token.expires - token.created == timedelta(days=90)
    assert tokens.make("Another", owner, 90)[1] != text


def test_it_reads_in_its_owners_name(made: tuple[Token, str]) -> None:
    page = Client().get("/", headers=bearer(made[1]) | {"accept": "text/html"})
    assert page.status_code == 200
    assert "Signed in as <b>owner</b>" in page.content.decode()


def test_the_scheme_is_case_insensitive(made: tuple[Token, str]) -> None:
    assert Client().get("/", headers={"authorization": f"bearer {made[1]}"}).status_code == 200


def test_it_only_reads(made: tuple[Token, str]) -> None:
    client = Client(headers=bearer(made[1]))
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)("/users").status_code == 405
    assert client.get("/admin/").status_code == 302  # to the sign-in


def test_nothing_stored_gives_it_away(made: tuple[Token, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(access_token)::text FROM access_token")
        [(stored,)] = cursor.fetchall()
    assert made[1][8:] not in stored
    assert re.search('"digest": "[0-9a-f]{64}"', stored)


CHANGES: dict[str, Callable[[], object]] = {
    "expired": lambda: Token.objects.update(expires=timezone.now()),
    "revoked": lambda: tokens.revoke(Token.objects.all()),
    "of nobody active": lambda: Account.objects.update(is_active=False),
    "of nobody on the staff": lambda: Account.objects.update(is_staff=False),
    "deleted": lambda: Token.objects.all().delete(),
    "of a deleted account": lambda: Account.objects.filter(username="owner").delete(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_more(made: tuple[Token, str], change: str) -> None:
    _, text = made
    assert ask(text).status_code == 200
    CHANGES[change]()
    refused = ask(text)
    assert refused.status_code == 401
    assert refused.json() == {"error": "This token is not valid, or not any more."}
    assert refused["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "junk",
    ["", "elt_", "elt_" + "x" * 43, "elt_" + "é" * 43, "x" * 10_000, "a b", "\0", "elt_'--"],
)
def test_unknown(made: tuple[Token, str], junk: str) -> None:
    assert ask(junk).status_code == 401


def test_one_query(made: tuple[Token, str], django_assert_num_queries: Any) -> None:
    ask(made[1])  # which notes its use
    with django_assert_num_queries(1) as captured:
        assert ask(made[1]).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on access_token" not in plan


def test_its_use_is_noted_once_a_minute(
    made: tuple[Token, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, text = made
    ask(text)
    token.refresh_from_db()
    assert token.last_used is not None
    noted = token.last_used - timedelta(seconds=50)
    Token.objects.update(last_used=noted)
    ask(text)
    token.refresh_from_db()
    assert token.last_used == noted
    Token.objects.update(last_used=noted - timedelta(seconds=20))
    ask(text)
    token.refresh_from_db()
    assert token.last_used > noted


def test_one_wrong_credential_spoils_a_token(made: tuple[Token, str]) -> None:
    assert ask(made[1], RIGHT).status_code == 200
    assert ask(made[1], RIGHT | {"password": "wrong"}).status_code == 401
    assert Client().get("/", RIGHT, headers=bearer("elt_" + "x" * 43)).status_code == 401
    assert Client().get("/", RIGHT, headers=basic(*RIGHT.values())).status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_before_migrate_has_run() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_token RENAME TO out_of_the_way")
        try:
            assert ask("elt_" + "x" * 43).status_code == 401
        finally:
            cursor.execute("ALTER TABLE out_of_the_way RENAME TO access_token")
