"""The contract between TRANSFORM and SERVE: unmanaged models on the marts that dbt builds.

What each mart and column means stands in `transform/models/marts/_marts.yml`, from which the API's
documentation takes it; a test compares every field with its column.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from subscriptions.relations import mart


class MonthField(models.DateField):  # type: ignore[type-arg]  # Django has no [] there
    """A month, as its first day."""


def money() -> models.DecimalField[Any, Any]:
    """US dollars."""
    return models.DecimalField(max_digits=14, decimal_places=2)


def rate() -> models.DecimalField[Any, Any]:
    """A share; empty where it is one of nothing."""
    return models.DecimalField(max_digits=18, decimal_places=6, null=True)


class OfPlanAndRegion(models.Model):
    """A month of a plan and region, and the day on which it is measured."""

    month = MonthField()
    measured_on = models.DateField()
    plan_id = models.IntegerField()
    plan_name = models.TextField()
    region = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.plan_name} in {self.region}, {self.month:%Y-%m}"


class MrrMonthly(OfPlanAndRegion):
    """Recurring revenue at a month's end, of a plan and region."""

    pk = models.CompositePrimaryKey("month", "plan_id", "region")
    customers = models.IntegerField()
    paying_customers = models.IntegerField()
    mrr = money()

    class Meta:
        managed = False
        db_table = mart("mrr_monthly")
        verbose_name = "month's revenue"


class MrrMovements(OfPlanAndRegion):
    """How a month's revenue came about, of a plan and region."""

    pk = models.CompositePrimaryKey("month", "plan_id", "region")
    opening_mrr = money()
    new_mrr = money()
    reactivation_mrr = money()
    expansion_mrr = money()
    contraction_mrr = money()
    churn_mrr = money()
    transfer_mrr = money()
    closing_mrr = money()
    resumed_mrr = money()
    lapsed_mrr = money()

    class Meta:
        managed = False
        db_table = mart("mrr_movements")
        verbose_name = "month's movement of revenue"


class CustomerMonthly(OfPlanAndRegion):
    """A month's customers, of a plan, region and referral source."""

    pk = models.CompositePrimaryKey("month", "plan_id", "region", "referral_source")
    referral_source = models.TextField()
    opening_customers = models.IntegerField()
    new_customers = models.IntegerField()
    trial_free_customers = models.IntegerField()
    reactivated_customers = models.IntegerField()
    churned_customers = models.IntegerField()
    transferred_customers = models.IntegerField()
    active_customers = models.IntegerField()
    free_users = models.IntegerField()

    class Meta:
        managed = False
        db_table = mart("customer_monthly")
        verbose_name = "month's customers"

    def __str__(self) -> str:
        return f"{self.plan_name} in {self.region}, by {self.referral_source}, {self.month:%Y-%m}"


class ChurnMonthly(models.Model):
    """What a month lost."""

    month = MonthField(primary_key=True)
    measured_on = models.DateField()
    opening_customers = models.IntegerField()
    churned_customers = models.IntegerField()
    customer_churn_rate = rate()
    opening_mrr = money()
    churned_mrr = money()
    revenue_churn_rate = rate()
    net_revenue_retention = rate()

    class Meta:
        managed = False
        db_table = mart("churn_monthly")
        verbose_name = "month's churn"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class CohortRetention(models.Model):
    """What is left of a month's sign-ups some months later."""

    pk = models.CompositePrimaryKey("cohort_month", "months_since")
    cohort_month = MonthField()
    months_since = models.IntegerField()
    month = MonthField()
    measured_on = models.DateField()
    users = models.IntegerField()
    customers = models.IntegerField()
    retention_rate = rate()
    mrr = money()

    class Meta:
        managed = False
        db_table = mart("cohort_retention")
        verbose_name = "cohort's month"

    def __str__(self) -> str:
        return f"{self.cohort_month:%Y-%m}, {self.months_since} months on"


class PlanMovements(models.Model):
    """A month's movements from one plan to another."""

    pk = models.CompositePrimaryKey("month", "from_plan_id", "to_plan_id")
    month = MonthField()
    from_plan_id = models.IntegerField()
    from_plan_name = models.TextField()
    to_plan_id = models.IntegerField()
    to_plan_name = models.TextField()
    movements = models.IntegerField()
    fee_change = money()

    class Meta:
        managed = False
        db_table = mart("plan_movements")
        verbose_name = "month's movement between plans"

    def __str__(self) -> str:
        return f"{self.from_plan_name} to {self.to_plan_name}, {self.month:%Y-%m}"


class CustomerLifetime(models.Model):
    """What the company has had of a user."""

    user_id = models.TextField("user id", primary_key=True)
    signup_date = models.DateField()
    region = models.TextField()
    referral_source = models.TextField()
    plan_id = models.IntegerField()
    state = models.TextField()
    customer_since = models.DateField(null=True)
    paid_until = models.DateField(null=True)
    churned_on = models.DateField(null=True)
    paid_subscriptions = models.IntegerField()
    tenure_days = models.IntegerField()
    revenue = money()
    mrr = money()
    last_activity_on = models.DateField(null=True)

    class Meta:
        managed = False
        db_table = mart("customer_lifetime")
        verbose_name = "customer's lifetime"

    def __str__(self) -> str:
        return self.user_id


class UsageDaily(models.Model):
    """A day's usage, of a plan."""

    pk = models.CompositePrimaryKey("usage_date", "plan_id")
    usage_date = models.DateField()
    plan_id = models.IntegerField()
    plan_name = models.TextField()
    active_users = models.IntegerField()
    actions = models.BigIntegerField()
    storage_used_mb = models.DecimalField(max_digits=20, decimal_places=2)
    api_calls = models.BigIntegerField()
    active_minutes = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = mart("usage_daily")
        verbose_name = "day's usage"

    def __str__(self) -> str:
        return f"{self.plan_name}, {self.usage_date:%Y-%m-%d}"


class ReferralPerformance(models.Model):
    """What came of the users of a referral source."""

    referral_source = models.TextField(primary_key=True)
    users = models.IntegerField()
    customers = models.IntegerField()
    conversion_rate = rate()
    active_customers = models.IntegerField()
    churned_customers = models.IntegerField()
    revenue = money()
    revenue_per_user = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    mrr = money()

    class Meta:
        managed = False
        db_table = mart("referral_performance")
        verbose_name = "referral source"

    def __str__(self) -> str:
        return self.referral_source


class TransformReceipt(models.Model):
    """One transform, and the load that the marts were of then."""

    built_at = models.DateTimeField(primary_key=True)
    load_id = models.TextField()
    as_of = models.DateField("as of")
    full_refresh = models.BooleanField()
    duration_s = models.FloatField("seconds")

    class Meta:
        managed = False
        db_table = mart("_transform_receipt")

    def __str__(self) -> str:
        return f"{self.load_id} as of {self.as_of}"
