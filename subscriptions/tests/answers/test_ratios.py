"""Quotients as the marts have them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from subscriptions.answers.ratios import ratio


@pytest.mark.parametrize(
    ("part", "whole", "decimals", "rounded"),
    [
        (1, 3, 6, "0.333333"),
        (2, 3, 6, "0.666667"),
        (1, 8, 2, "0.13"),  # half away from zero,
        (-1, 8, 2, "-0.13"),  # on both sides of it
        (Decimal("0.30"), Decimal("0.10"), 6, "3.000000"),
        (0, 7, 6, "0.000000"),
    ],
)
def test_a_ratio_is_rounded_half_away_from_zero(
    part: Decimal | int, whole: Decimal | int, decimals: int, rounded: str
) -> None:
    assert str(ratio(part, whole, decimals)) == rounded


def test_of_nothing_there_is_no_ratio() -> None:
    assert ratio(1, 0) is None
    assert ratio(Decimal("0.00"), Decimal("0.00")) is None
