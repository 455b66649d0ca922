"""The tests' environment, set before Django reads it, and the browser they share."""

import gc
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django import DjangoDbBlocker

# Loads, builds and requests make many objects, nearly all of them to go by themselves: to look for
# garbage at every 700 of them finds little. manage.py looks even less often.
gc.set_threshold(100_000, 10, 10)

# What takes long begins first: whoever began it last would go on when the others have ended.
LONG = (
    "subscriptions/tests/transform/",
    "subscriptions/tests/test_transform.py",
    "subscriptions/tests/answers/test_marts.py",
    "elt_site/tests/test_crowd.py",
    "subscriptions/tests/load/",
)

# A server and packages of this session's own, never the developer's. Readable for all, so that
# the embedded server's system user gets there when root runs the tests.
LOCAL_DIR = Path(tempfile.mkdtemp(prefix="elt-tests-"))
LOCAL_DIR.chmod(0o755)

# dlt's variables are among them: settings.py would keep those of the developer's shell.
os.environ |= {
    "ENV_FILE": os.devnull,
    "LOCAL_DIR": str(LOCAL_DIR),
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
    "LOCAL_DATABASE_URL": "",
    "RAILWAY_DATABASE_URL": "",
    "RAILWAY_PUBLIC_DOMAIN": "",
    "DEBUG": "true",
    "SECRET_KEY": "",
    "ALLOWED_HOSTS": "",
    "BASIC_AUTH_USERNAME": "analyst",
    "BASIC_AUTH_PASSWORD": "correct horse & battery",
    "DATASET_NAME": "faker_dlt_dataset",
    "PIPELINE_NAME": "faker_data_pipeline",
    "DESTINATION": "postgres",
    "PORT": "",
    "WEB_CONCURRENCY": "",
    "NUM_PROXIES": "",
    "AUTH_FAILURES_PER_ADDRESS": "",
    "AUTH_FAILURES_PER_NAME": "",
    "AUTH_FAILURES_SECONDS": "",
    "QUERY_CREDENTIALS": "",
    "PROTECT_CHECK_TABLES": "",
    "DLT_DATA_DIR": str(LOCAL_DIR / "dlt"),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    # Here rather than in pyproject.toml, from which pytest-django would load the settings before
    # this file is read.
    "DJANGO_SETTINGS_MODULE": "elt_site.settings",
    # Playwright's event loop lives in the tests' thread, where Django then suspects async code.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User as Account  # noqa: E402
from django.db import DatabaseError, connection  # noqa: E402
from django.test import Client  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the long files first, and leave all others as they are."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_unconfigure() -> None:
    """Stop the session's server and remove its folder."""
    if settings.EMBEDDED:
        from elt_site.embedded_postgres import server

        server.release()
        deadline = time.monotonic() + 30
        while (server.data_directory() / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    shutil.rmtree(LOCAL_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts of earlier tests are forgotten, and no query asks for them meanwhile."""
    from access import failures

    picture = failures.Picture(fresh_until=math.inf)
    monkeypatch.setattr(failures.ThisProcess, "picture", picture)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: "DjangoDbBlocker",
) -> Iterator[None]:
    """A database of this process's own, for all who ask for it.

    pytest-django makes one only where some test is in a transaction of Django's: loads alone would
    share the server's first database among the processes, and find each other's locks.
    """
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=())
        if settings.EMBEDDED:  # which goes with the tests: nothing need outlast a loss of power
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET fsync = off")
                cursor.execute("SELECT pg_reload_conf()")
    yield
    # A test that failed may have left a session in it; the next run makes it anew.
    with django_db_blocker.unblock(), suppress(DatabaseError):
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A real headless Chromium: the system's, since Playwright's own is a download.

    Skips where there is none, and fails instead where REQUIRE_BROWSER is set, as CI does.
    """
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if executable is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield chromium
        chromium.close()


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
