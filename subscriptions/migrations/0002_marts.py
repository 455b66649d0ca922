"""Tell Django of the marts' models; like the first migration, it makes no table."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from subscriptions.relations import mart


def unmanaged(
    name: str, table: str, label: str = "", **key: models.Field[Any, Any]
) -> migrations.CreateModel:
    fields = list(key.items())
    if len(fields) > 1:
        fields.insert(0, ("pk", models.CompositePrimaryKey(*key)))
    options = {"managed": False, "db_table": mart(table)}
    if label:
        options["verbose_name"] = label
    return migrations.CreateModel(name, fields, options)


def day(**options: Any) -> models.Field[Any, Any]:
    return models.DateField(**options)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [
        unmanaged(
            "MrrMonthly",
            "mrr_monthly",
            "month's revenue",
            month=day(),
            plan_id=models.IntegerField(),
            region=models.TextField(),
        ),
        unmanaged(
            "MrrMovements",
            "mrr_movements",
            "month's movement of revenue",
            month=day(),
            plan_id=models.IntegerField(),
            region=models.TextField(),
        ),
        unmanaged(
            "CustomerMonthly",
            "customer_monthly",
            "month's customers",
            month=day(),
            plan_id=models.IntegerField(),
            region=models.TextField(),
            referral_source=models.TextField(),
        ),
        unmanaged("ChurnMonthly", "churn_monthly", "month's churn", month=day(primary_key=True)),
        unmanaged(
            "CohortRetention",
            "cohort_retention",
            "cohort's month",
            cohort_month=day(),
            months_since=models.IntegerField(),
        ),
        unmanaged(
            "PlanMovements",
            "plan_movements",
            "month's movement between plans",
            month=day(),
            from_plan_id=models.IntegerField(),
            to_plan_id=models.IntegerField(),
        ),
        unmanaged(
            "CustomerLifetime",
            "customer_lifetime",
            "customer's lifetime",
            user_id=models.TextField(primary_key=True),
        ),
        unmanaged(
            "UsageDaily",
            "usage_daily",
            "day's usage",
            usage_date=day(),
            plan_id=models.IntegerField(),
        ),
        unmanaged(
            "ReferralPerformance",
            "referral_performance",
            "referral source",
            referral_source=models.TextField(primary_key=True),
        ),
        unmanaged(
            "TransformReceipt",
            "_transform_receipt",
            built_at=models.DateTimeField(primary_key=True),
        ),
    ]
