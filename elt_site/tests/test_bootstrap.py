"""The bootstrap: tables and an administrator, once, whoever asks."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from elt_site.bootstrap import Readiness, ensure_ready

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody(db: None) -> None:
    """No account, until the test's transaction is rolled back: commands under test made one."""
    get_user_model().objects.all().delete()


def test_creates_the_administrator_in_development(settings: Settings) -> None:
    settings.DEBUG = True
    assert ensure_ready() == Readiness(migrated=False, administrator="analyst")
    user = get_user_model().objects.get(username="analyst")
    assert user.is_superuser
    assert user.check_password(settings.BASIC_AUTH_PASSWORD)


def test_creates_no_user_in_production(settings: Settings) -> None:
    settings.DEBUG = False
    assert ensure_ready() == Readiness()
    assert not get_user_model().objects.exists()


def test_leaves_an_existing_administrator_alone(settings: Settings) -> None:
    settings.DEBUG = True
    get_user_model().objects.create_user("analyst", password="their own")
    assert ensure_ready() == Readiness()
    assert get_user_model().objects.get(username="analyst").check_password("their own")


def test_creates_no_guessable_administrator_on_another_machine(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(connection, "get_connection_params", lambda: {"host": "db.example.com"})
    assert ensure_ready() == Readiness()


def test_costs_three_queries_when_all_is_there(settings: Settings) -> None:
    settings.DEBUG = True
    ensure_ready()
    with CaptureQueriesContext(connection) as queries:
        ensure_ready()
    assert len(queries) == 3


def test_a_migration_that_was_not_applied_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        cursor.execute("DROP TABLE django_session")
    assert ensure_ready().migrated
    assert "django_session" in connection.introspection.table_names()
