"""The models against the tables that a real load made: drift, and relations."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Count

from subscriptions.load.tables import TABLES
from subscriptions.models import (
    Plan,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dataset")]

MODELS = [
    model
    for model in apps.get_app_config("subscriptions").get_models()
    if model.__module__ == Plan.__module__
]
# What PostgreSQL calls the column type of each kind of field.
COLUMN_TYPES = {
    "TextField": "character varying",
    "CharField": "character varying",
    "IntegerField": "integer",
    "BigIntegerField": "bigint",
    "DecimalField": "numeric(10,2)",
    "FloatField": "double precision",
    "DateField": "date",
    "DateTimeField": "timestamp with time zone",
    "JSONField": "jsonb",
}


def columns(relation: str) -> dict[str, str]:
    """The columns of a table or view, and their types, as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [relation],
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_field_is_a_column_and_each_column_a_field(model: type[models.Model]) -> None:
    fields = {}
    for field in model._meta.local_concrete_fields:
        target = field
        while isinstance(target, models.ForeignKey):
            target = target.target_field
        # dlt bounds the id in its own table; a text column of ours refers to it.
        bounded = isinstance(field, models.CharField) and field.max_length
        kind = COLUMN_TYPES[target.get_internal_type()]
        fields[field.column] = f"{kind}({field.max_length})" if bounded else kind
    stored = columns(model._meta.db_table)
    # Read by transforms alone: a model's field would fail on a dataset of an earlier release, which
    # lacks the column until its next load.
    stored.pop("confirmed", None)
    assert fields == stored
    assert not model._meta.managed


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_model_reads_what_the_load_wrote(model: type[models.Model]) -> None:
    row = model._default_manager.first()
    assert row is not None
    assert str(row)


def test_null_is_where_the_fields_say_it_may_be() -> None:
    for model in MODELS:
        for field in model._meta.local_concrete_fields:
            if not field.null:
                nulls = model._default_manager.filter(**{f"{field.attname}__isnull": True})
                assert not nulls.exists(), field


def test_a_stored_row_has_one_unique_key() -> None:
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{settings.DATASET_NAME}"."{table.name}"'
                f' SELECT * FROM "{settings.DATASET_NAME}"."{table.name}" LIMIT 0'
            )
            cursor.execute(
                "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND indisunique",
                [f'"{settings.DATASET_NAME}"."{table.name}"'],
            )
            assert cursor.fetchone() == (1,)


@pytest.fixture
def user() -> User:
    """A user with three versions of everything: of itself, its plan, subscription and usage."""
    subject = User.objects.filter(subscriptions__isnull=False, usages__isnull=False).first()
    assert subject is not None
    with connection.cursor() as cursor:
        for table, key, value in (
            ("plan", "plan_id", subject.plan_id),
            ("user", "user_id", subject.user_id),
            ("subscription", "user_id", subject.user_id),
            ("usage", "user_id", subject.user_id),
        ):
            for number, (start, end) in enumerate(
                (("2025-01-01", "2025-02-01"), ("2025-02-01", "2026-11-23"))
            ):
                cursor.execute(
                    f'INSERT INTO "{settings.DATASET_NAME}"."{table}"'
                    " SELECT (jsonb_populate_record(r, jsonb_build_object('valid_from', %s::text,"
                    " 'valid_to', %s::text, '_dlt_id', _dlt_id || %s::text))).*"
                    f' FROM "{settings.DATASET_NAME}"."{table}" AS r'
                    f" WHERE {key} = %s AND _dlt_id NOT LIKE '%%/%%'",
                    [start, end, f"/{number}", value],
                )
    return subject


def test_forward_joins_see_current_versions_only(user: User) -> None:
    subscriptions = list(
        Subscription.objects.filter(user_id=user.pk).select_related("user", "plan")
    )
    assert len(subscriptions) == len({s.pk for s in subscriptions}) > 0
    assert all(s.user.valid_to is None and s.plan.valid_to is None for s in subscriptions)
    assert len({Usage.objects.get(pk=u.pk).user.pk for u in user.usages.all()}) == 1


def test_reverse_filters_see_current_versions_only(user: User) -> None:
    ids = [s.pk for s in user.subscriptions.all()]
    assert User.objects.filter(subscriptions__subscription_id=ids[0]).count() == 1
    assert Plan.objects.filter(users__user_id=user.pk).count() == 1
    assert User.objects.filter(pk=user.pk, subscriptions__start_date__lt="2100-01-01").count() == (
        len(ids)
    )
    assert User.objects.exclude(subscriptions__subscription_id=ids[0]).count() == 999


def test_prefetches_see_current_versions_only(user: User) -> None:
    fetched = User.objects.prefetch_related("subscriptions__plan", "usages", "plan").get(pk=user.pk)
    assert len(fetched.subscriptions.all()) == Subscription.objects.filter(user=user).count()
    assert len(fetched.usages.all()) == Usage.objects.filter(user=user).count()
    assert fetched.plan.pk == user.plan_id


def test_values_see_current_versions_only(user: User) -> None:
    rows = Subscription.objects.filter(user=user).values("subscription_id", "user__email")
    assert len(rows) == Subscription.objects.filter(user=user).count()
    assert {row["user__email"] for row in rows} == {user.email}


def test_counts_see_current_versions_only(user: User) -> None:
    counted = User.objects.annotate(n=Count("subscriptions", distinct=True)).get(pk=user.pk)
    assert counted.n == user.subscriptions.count()
    assert (
        sum(plan.n for plan in Plan.objects.annotate(n=Count("subscriptions")))
        == Subscription.objects.count()
    )
    assert User.objects.count() == 1000
    assert Plan.objects.count() == 5


def test_versions_are_all_there_and_lead_to_the_current_row(user: User) -> None:
    versions = user.versions.order_by("valid_from")
    assert [v.valid_to is None for v in versions] == [False, False, True]
    assert {v.current for v in versions} == {user}
    assert UserVersion.objects.filter(current=user).count() == 3
    subscription = user.subscriptions.first()
    assert subscription is not None
    assert SubscriptionVersion.objects.filter(current=subscription).count() == 3
    assert user.usages.first().versions.count() == 3  # type: ignore[union-attr]
    assert UsageVersion.objects.filter(user=user).count() == 3 * user.usages.count()
