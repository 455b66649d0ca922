"""What the admin's tests share: a signed-in client, pages, and the queries a page takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User as Account
from django.db import connection, models
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.admin.display import url
from subscriptions.models import (
    DltLoad,
    Plan,
    PlanVersion,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)

CURRENT: list[type[Model]] = [User, Plan, Subscription, Usage]
VERSIONS: list[type[Model]] = [UserVersion, PlanVersion, SubscriptionVersion, UsageVersion]
MODELS: list[type[Model]] = [*CURRENT, *VERSIONS, DltLoad]
Queries = Callable[[str], list[str]]


def first(model: type[Model]) -> Any:
    """Some row, always the same."""
    return model._default_manager.order_by("pk")[0]


def record(row: Model) -> str:
    """The address of a row's page."""
    return url(type(row), "change", row.pk)


def stored_twice(model: type[Model]) -> None:
    """Store every row again, as an `append` does."""
    table = model._meta.db_table.replace("_current", "")
    columns = [str(field.column) for field in model._meta.local_concrete_fields]
    names = ", ".join(column for column in columns if column != "_dlt_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (_dlt_id, {names}) "
            f"SELECT _dlt_id || '-again', {names} FROM {table}"
        )


@pytest.fixture
def superuser(db: None) -> Client:
    """The session of one who may everything, without the second that hashing a password takes."""
    client = Client()
    client.force_login(Account.objects.create(username="root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def admin(dataset: object, superuser: Client) -> Client:
    """A superuser at a loaded dataset."""
    return superuser


@pytest.fixture
def queries(admin: Client) -> Queries:
    """The statements on the dataset that a page takes."""

    def of(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(address).status_code == 200
        statements = [query["sql"] for query in captured]
        return [
            sql for sql in statements if settings.DATASET_NAME in sql and "to_regclass" not in sql
        ]

    return of


def results(response: Any) -> list[Any]:
    """The rows that a list shows."""
    rows: models.QuerySet[Any] = response.context["cl"].result_list
    return list(rows)
