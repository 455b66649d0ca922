"""TRANSFORM: what the dbt project leaves in the marts' schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

MARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "mrr_monthly": ("month", "plan_id", "region"),
    "mrr_movements": ("month", "plan_id", "region"),
    "customer_monthly": ("month", "plan_id", "region", "referral_source"),
    "churn_monthly": ("month",),
    "cohort_retention": ("cohort_month", "months_since"),
    "plan_movements": ("month", "from_plan_id", "to_plan_id"),
    "customer_lifetime": ("user_id",),
    "usage_daily": ("usage_date", "plan_id"),
    "referral_performance": ("referral_source",),
}
"""Each mart and its key."""

RECEIPT: Final = "_transform_receipt"


DESCRIPTIONS: Final = Path(__file__).parent / "models" / "marts" / "_marts.yml"
"""What each mart and column means, in dbt's form."""

FLOWS: Final = "int_monthly_flows"
"""What the next build goes on from, besides the marts; nobody else reads it."""

PARTLY_BUILT: Final = "customer_lifetime"
"""The one mart of which a build that goes on from an earlier one makes only what may differ."""


def schema_of(dataset: str) -> str:
    """The schema of a dataset's marts, as profiles.yml has it."""
    return f"{dataset}_marts"


def staged_schema_of(dataset: str) -> str:
    """The schema in which they are built and tested."""
    return f"{dataset}_marts_staged"
