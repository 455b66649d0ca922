"""Tell Django of the dataset's models, for their permissions and content types; makes no table.

Of each model's fields only the key stands here: Django compares no other field of an unmanaged
model, so a column that the dataset gains needs no migration. The tables' names come from the
settings, or `makemigrations --check` would find a change under another DATASET_NAME.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from subscriptions.relations import relation


def unmanaged(
    name: str, table: str, key: str, field: models.Field[Any, Any], **options: str
) -> migrations.CreateModel:
    options["db_table"] = relation(table)
    return migrations.CreateModel(name, [(key, field)], {"managed": False, **options})


def version(name: str, table: str) -> migrations.CreateModel:
    key = models.TextField(db_column="_dlt_id", primary_key=True)
    return unmanaged(name, table, "dlt_id", key)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        unmanaged("Plan", "plan_current", "plan_id", models.IntegerField(primary_key=True)),
        unmanaged("User", "user_current", "user_id", models.TextField(primary_key=True)),
        unmanaged(
            "Subscription",
            "subscription_current",
            "subscription_id",
            models.TextField(primary_key=True),
        ),
        unmanaged(
            "Usage",
            "usage_current",
            "usage_id",
            models.TextField(primary_key=True),
            verbose_name="usage record",
        ),
        version("PlanVersion", "plan"),
        version("UserVersion", "user"),
        version("SubscriptionVersion", "subscription"),
        version("UsageVersion", "usage"),
        unmanaged(
            "DltLoad",
            "_dlt_loads",
            "load_id",
            models.CharField(max_length=64, primary_key=True),
            verbose_name="load",
        ),
        unmanaged(
            "LoadReceipt",
            "_load_receipt",
            "load",
            models.OneToOneField(
                "DltLoad",
                django.db.models.deletion.DO_NOTHING,
                db_column="_dlt_load_id",
                db_constraint=False,
                related_name="receipt",
                primary_key=True,
            ),
        ),
    ]
