"""TRANSFORM: what the dbt project leaves in the marts' schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Published:
    """A table that a build leaves in service."""

    name: str
    key: tuple[str, ...]
    partly: bool = False
    """Whether a build that goes on from an earlier one makes only the rows that may differ."""


PUBLISHED: Final = (
    Published(
        "int_monthly_flows", ("month", "plan_id", "region", "referral_source", "cohort_month")
    ),
    *(Published(name, key, partly=name == "customer_lifetime") for name, key in MARTS.items()),
)
"""The marts, and what the next build goes on from."""


def schema_of(dataset: str) -> str:
    """The schema of a dataset's marts, as profiles.yml has it."""
    return f"{dataset}_marts"


def staged_schema_of(dataset: str) -> str:
    """The schema in which they are built and tested."""
    return f"{dataset}_marts_staged"
