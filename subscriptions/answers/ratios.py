"""ANSWERS: one number divided by another, as the marts have it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def ratio(part: Decimal | int, whole: Decimal | int, decimals: int = 6) -> Decimal | None:
    """The exact quotient, rounded half away from zero; None of nothing."""
    if whole == 0:
        return None
    scaled = Fraction(part) / Fraction(whole) * 10**decimals
    rounded = int(abs(scaled) + Fraction(1, 2))  # int cuts off what is behind the point
    return Decimal(-rounded if scaled < 0 else rounded).scaleb(-decimals)
