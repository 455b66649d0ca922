"""The models of the marts against what a real transform made."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models

from subscriptions import marts
from subscriptions.transform.marts import MARTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dataset")]

MODELS = [
    model
    for model in apps.get_app_config("subscriptions").get_models()
    if model.__module__ == marts.__name__
]
COLUMN_TYPES = {
    "TextField": {"character varying", "text"},
    "IntegerField": {"integer"},
    "BigIntegerField": {"bigint"},
    "DecimalField": {"numeric"},
    "FloatField": {"double precision"},
    "DateField": {"date"},
    "DateTimeField": {"timestamp with time zone"},
    "BooleanField": {"boolean"},
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_field_is_a_column(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, split_part(format_type(atttypid, atttypmod), '(', 1)"
            " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            [model._meta.db_table],
        )
        stored = dict(cursor.fetchall())
    fields = [field for field in model._meta.local_concrete_fields if field.column]
    for field in fields:
        assert stored[field.column] in COLUMN_TYPES[field.get_internal_type()], field
    if model is not marts.TransformReceipt:
        assert [field.column for field in fields if field.name != "pk"] == list(stored)
    assert not model._meta.managed
    assert str(model._default_manager.first())


def test_the_keys_are_those_of_the_marts() -> None:
    found = {
        model._meta.db_table.split(".")[-1].strip('"'): tuple(f.name for f in model._meta.pk_fields)
        for model in MODELS
    }
    assert found == {**MARTS, "_transform_receipt": ("built_at",)}
