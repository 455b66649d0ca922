"""Tokens from a shell: `create_token` prints nothing else, `revoke_token` ends them."""

from __future__ import annotations

import re
import shlex
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User as Account
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Token
from access.tests.conftest import bearer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: development's own administrator is a staff account as well."""
    monkeypatch.setattr("elt_site.bootstrap._missing_administrator", lambda: None)
    Account.objects.all().delete()


@pytest.fixture
def reporter() -> Account:
    return Account.objects.create(username="reporter", is_staff=True)


def create(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_token", "--name", "Nightly report", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def revoke(*arguments: str) -> str:
    out = StringIO()
    call_command("revoke_token", *arguments, stdout=out)
    return out.getvalue()


def works(text: str) -> bool:
    return Client().get("/", headers=bearer(text)).status_code == 200


def test_only_the_token_is_on_stdout(reporter: Account) -> None:
    out, err = create()
    assert out.endswith("\n")
    text = out.rstrip("\n")
    assert works(text)
    token = Token.objects.get()
    assert (token.name, token.owner) == ("Nightly report", reporter)
    assert (token.expires - token.created).days == 90
    assert text not in err
    assert "'Nightly report' of reporter" in err
    assert f"revoke_token {token.prefix}" in err


def test_for_another_and_for_a_while(reporter: Account) -> None:
    Account.objects.create(username="second", is_staff=True)
    create("--user", "second", "--expires", "7d")
    token = Token.objects.get()
    assert token.owner.username == "second"
    assert (token.expires - token.created).days == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--expires", "0d"], "--expires must be a number of days such as 90d"),
        (["--expires", "90"], "--expires must be a number of days such as 90d"),
        (["--expires", "9999d"], "at most 3650d"),
        (["--user", "nobody"], "There is no active staff account 'nobody'"),
        (["--user", "stranger"], "There is no active staff account 'stranger'"),
        (["--name", ""], "--name must be 1 to 100 characters"),
        (["--name", "x" * 101], "--name must be 1 to 100 characters"),
        (["--name", "two\nlines"], "--name must be 1 to 100 characters"),
    ],
)
def test_refused(reporter: Account, arguments: list[str], sentence: str) -> None:
    Account.objects.create(username="stranger")
    with pytest.raises(CommandError, match=sentence):
        create(*arguments)
    assert not Token.objects.exists()


def test_whose_it_is_has_to_be_clear(reporter: Account) -> None:
    Account.objects.create(username="second", is_staff=True)
    with pytest.raises(CommandError, match="several staff accounts"):
        create()
    Account.objects.all().delete()
    with pytest.raises(CommandError, match="no staff account yet"):
        create()


def test_revoked_by_what_it_begins_with(reporter: Account) -> None:
    text = create()[0].strip()
    assert revoke(text[:8]) == "Revoked: Nightly report.\n"
    assert not works(text)
    with pytest.raises(CommandError, match="no such token"):
        revoke(text[:8])


def test_revoked_by_all_of_it_where_two_begin_alike(reporter: Account) -> None:
    text, other = create()[0].strip(), create()[0].strip()
    Token.objects.update(prefix="elt_same")
    with pytest.raises(CommandError, match="2 tokens begin like that"):
        revoke("elt_same")
    revoke(text)
    assert not works(text)
    assert works(other)


def test_all_of_an_account_are_revoked(reporter: Account) -> None:
    texts = [create()[0].strip() for _ in range(2)]
    revoke("--user", "reporter")
    assert not any(map(works, texts))


@pytest.mark.parametrize("arguments", [[], ["elt_abcd", "--user", "reporter"]])
def test_what_to_revoke_has_to_be_clear(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="Give what the token begins with"):
        revoke(*arguments)


def test_the_readmes_commands() -> None:
    Account.objects.create(username="admin", is_staff=True)
    readme = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    lines = re.search(
        r"^token=\$\(.venv/bin/python manage.py create_token (.*)\)\n"
        r'curl --header "Authorization: Bearer \$token" http://127.0.0.1:8000/plans\n'
        r'.venv/bin/python manage.py revoke_token "\$token"$',
        readme,
        re.MULTILINE,
    )
    assert lines is not None
    out = StringIO()
    call_command("create_token", *shlex.split(lines[1]), stdout=out, stderr=StringIO())
    text = out.getvalue().strip()
    assert works(text)
    assert revoke(text) == "Revoked: Nightly report.\n"
