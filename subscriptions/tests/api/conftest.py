"""What the API's tests share: clients with the right credentials, and lists of its paths."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from elt_site.tests.test_servers import serving

SERVED: Final = ("analyst", "analyst's own")
HTML: Final = "text/html,application/xhtml+xml,*/*;q=0.8"  # as browsers ask


def basic(username: str, password: str) -> str:
    """The Authorization header of HTTP Basic."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def credentials() -> dict[str, str]:
    """The right query parameters."""
    return {
        "username": settings.BASIC_AUTH_USERNAME,
        "password": settings.BASIC_AUTH_PASSWORD,
    }


def plans_of(act: Callable[[], object]) -> list[str]:
    """How PostgreSQL goes about each statement on the dataset's tables that an act takes."""
    with CaptureQueriesContext(connection) as captured:
        act()
    statements = [
        query["sql"]
        for query in captured
        if settings.DATASET_NAME in query["sql"]
        and "_load_receipt" not in query["sql"]
        and not query["sql"].startswith("EXPLAIN")  # the API asks itself what to do
    ]
    plans = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def header_of_served() -> dict[str, str]:
    """The header for a server of `serving_dataset`."""
    return {"Authorization": basic(*SERVED)}


@contextmanager
def serving_dataset(
    log: Path, port: int, dataset: str, database_url: str, **variables: str
) -> Iterator[None]:
    """A server of one process over a dataset of its own."""
    with serving(
        log,
        *("-m", "gunicorn", "elt_site.wsgi"),
        DATABASE_URL=database_url,
        DATASET_NAME=dataset,
        DEBUG="true",
        BASIC_AUTH_USERNAME=SERVED[0],
        BASIC_AUTH_PASSWORD=SERVED[1],
        PORT=str(port),
        WEB_CONCURRENCY="1",
        **variables,
    ):
        yield


@pytest.fixture
def api() -> Client:
    """A program with the right HTTP Basic header."""
    header = basic(settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD)
    return Client(headers={"authorization": header})


@pytest.fixture
def person() -> Client:
    """A browser that has been told the right credentials at its prompt."""
    header = basic(settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD)
    return Client(headers={"authorization": header, "accept": HTML})


@pytest.fixture
def staff(db: None) -> Client:
    """A session of a user who is staff."""
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


@pytest.fixture
def stranger(db: None) -> Client:
    """A session of a user who is not."""
    client = Client()
    client.force_login(User.objects.create_user("stranger"))
    return client
