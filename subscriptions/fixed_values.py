"""The contract between LOAD, TRANSFORM and SERVE: the values of columns that have only a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REGIONS: Final = ("North America", "Europe", "Asia", "South America", "Africa", "Oceania")
REFERRAL_SOURCES: Final = ("web search", "paid ads", "social media", "referral")
PAYMENT_METHODS: Final = ("credit card", "paypal", "bank transfer")
STATUSES: Final = ("Active", "Inactive")
STATES: Final = ("free", "active", "churned")

FIXED_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "region": REGIONS,
    "referral_source": REFERRAL_SOURCES,
    "payment_method": PAYMENT_METHODS,
    "status": STATUSES,
    "state": STATES,
}
