"""Failed attempts: counted by address and name, for all processes, and refused for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from access import failures
from access.models import Failure
from access.tests.conftest import RIGHT, another_process, basic, bearer

pytestmark = pytest.mark.django_db

WRONG = RIGHT | {"password": "guess"}
HERE = "198.51.100.1"
ELSEWHERE = "203.0.113.9"
NO_TOKEN = bearer("elt_" + "x" * 43)["authorization"]


@pytest.fixture(autouse=True)
def few(settings: Settings) -> None:
    """Limits that are soon reached."""
    settings.AUTH_FAILURES_PER_ADDRESS, settings.AUTH_FAILURES_PER_NAME = 3, 5


def ask(query: dict[str, str] | None = None, address: str = HERE, **headers: str) -> Any:
    """One request to the API, from an address."""
    return Client(REMOTE_ADDR=address).get("/", query, headers=headers)


def statuses(times: int, query: dict[str, str], address: str = HERE) -> list[int]:
    """Those of the same request, several times."""
    return [ask(query, address).status_code for _ in range(times)]


def is_refusal(response: HttpResponse) -> bool:
    """429, in the API's shape, that says how long to wait."""
    assert response.status_code == 429
    wait = int(response["Retry-After"])
    assert 1 <= wait <= 60
    assert response.json() == {  # type: ignore[attr-defined]  # Django's test client adds it
        "error": f"Too many failed attempts to sign in: try again in {wait} seconds."
    }
    assert "WWW-Authenticate" not in response
    return True


def later() -> None:
    """Let the time of all that is counted be over."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {failures.TABLE} SET until = now() - interval '1 second'")
    another_process()


def test_an_address_is_refused_right_credentials_included() -> None:
    assert statuses(3, WRONG) == [401, 401, 401]
    assert is_refusal(ask(WRONG))
    assert is_refusal(ask(RIGHT))
    assert is_refusal(ask(authorization=basic(*RIGHT.values())["authorization"]))
    assert ask(RIGHT, ELSEWHERE).status_code == 200


def test_other_processes_know(settings: Settings) -> None:
    assert statuses(3, WRONG) == [401, 401, 401]
    another_process()
    assert is_refusal(ask(RIGHT))


def test_a_process_that_does_not_know_yet_takes_no_further_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert statuses(3, WRONG) == [401, 401, 401]
    behind = failures.Picture(fresh_until=float("inf"))
    monkeypatch.setattr(failures.ThisProcess, "picture", behind)
    assert is_refusal(ask(WRONG))
    assert is_refusal(ask(RIGHT))


def test_it_ends() -> None:
    assert statuses(4, WRONG) == [401, 401, 401, 429]
    later()
    assert ask(RIGHT).status_code == 200
    assert ask(WRONG).status_code == 401
    assert Failure.objects.get(who=f"address {HERE}").failures == 1


def test_what_is_over_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses(1, WRONG, ELSEWHERE)
    later()
    monkeypatch.setattr(failures.ThisProcess, "cleared_at", float("-inf"))
    statuses(1, WRONG, HERE)
    assert not Failure.objects.filter(who=f"address {ELSEWHERE}").exists()


def test_right_requests_are_no_failures_and_forgive_none() -> None:
    assert statuses(2, WRONG) == [401, 401]
    assert statuses(5, RIGHT) == [200] * 5
    assert ask().status_code == 401
    assert statuses(2, WRONG) == [401, 429]


def test_a_name_is_refused_from_everywhere() -> None:
    for address in ("192.0.2.1", "192.0.2.2"):
        assert statuses(2, WRONG, address) == [401, 401]
    assert ask(RIGHT, ELSEWHERE).status_code == 200
    assert ask(WRONG, "192.0.2.3").status_code == 401
    assert is_refusal(ask(RIGHT, ELSEWHERE))
    another_process()
    assert is_refusal(ask(RIGHT, ELSEWHERE))


def test_one_address_alone_locks_nobody_out() -> None:
    assert statuses(9, WRONG)[-1] == 429
    assert ask(RIGHT, ELSEWHERE).status_code == 200


def test_names_are_counted_apart_and_stored_nowhere() -> None:
    for number in range(5):
        ask({"username": f"hunter{number}", "password": "x"}, f"192.0.2.{number}")
    assert ask({"username": "hunter0", "password": "x"}, ELSEWHERE).status_code == 401
    assert not Failure.objects.filter(who__contains="hunter").exists()


def test_tokens_are_counted_by_address() -> None:
    for _ in range(3):
        assert ask(authorization=NO_TOKEN).status_code == 401
    assert is_refusal(ask(authorization=NO_TOKEN))


def test_a_session_is_not_refused(signed_in: Client) -> None:
    statuses(3, WRONG, "127.0.0.1")
    assert is_refusal(ask(RIGHT, "127.0.0.1"))
    assert signed_in.get("/").status_code == 200


def test_a_header_alone_makes_no_other_address(settings: Settings) -> None:
    settings.NUM_PROXIES = 0
    for number in range(3):
        ask(WRONG, x_forwarded_for=f"192.0.2.{number}")
    assert is_refusal(ask(WRONG, x_forwarded_for="192.0.2.9"))
    settings.NUM_PROXIES = 1
    assert is_refusal(ask(WRONG, x_forwarded_for=f"192.0.2.9, {HERE}"))


def test_open_paths_count_nothing() -> None:
    for path in ("/healthz", "/check-tables", "/nowhere"):
        Client().get(path, WRONG)
    assert not Failure.objects.exists()


def test_a_right_request_costs_no_query(django_assert_num_queries: Any) -> None:
    another_process()
    with django_assert_num_queries(1):
        ask(RIGHT)
    with django_assert_num_queries(0):
        ask(RIGHT)


@contextmanager
def database_down() -> Iterator[None]:
    with patch.object(connection, "cursor", side_effect=OperationalError("gone")):
        yield


def test_without_a_database_nothing_tells_right_from_wrong() -> None:
    with database_down():
        assert ask(WRONG).status_code == 503
    another_process()
    with database_down():
        assert ask(WRONG).status_code == ask(RIGHT).status_code == 503


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_before_migrate_has_run(caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {failures.TABLE} RENAME TO out_of_the_way")
        try:
            another_process()
            assert ask(RIGHT).status_code == 200
            assert statuses(4, WRONG) == [401] * 4
        finally:
            cursor.execute(f"ALTER TABLE out_of_the_way RENAME TO {failures.TABLE}")
    assert "run `manage.py migrate` first" in caplog.text
