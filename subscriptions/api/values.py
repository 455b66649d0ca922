"""SERVE (step 4), API: values in a query, read strictly: what is none is refused, not guessed.

They are form fields, as django-filter wants them; cursors read their positions by them as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar, Final

from django import forms
from django.db.models import (
    BigIntegerField,
    DateField,
    DecimalField,
    FloatField,
    IntegerField,
    Model,
)

from subscriptions.api.lines import field_of
from subscriptions.marts import MonthField

INTEGERS: Final = (-(2**31), 2**31 - 1)  # of PostgreSQL's `integer`
LARGE_INTEGERS: Final = (-(2**63), 2**63 - 1)  # of its `bigint`
LONGEST: Final = 500  # characters of a text


class Value(forms.Field):
    """A value of a column, from text."""

    expected: ClassVar[str] = "a text"

    def read(self, text: str) -> Any:
        """The value.

        Raises:
            ValueError: there is none in the text.
        """
        raise NotImplementedError

    def clean(self, value: str | None) -> Any:
        """The same for a form: None where the query has no such parameter.

        Raises:
            ValidationError: there is none; it says what should be there and never what is.
        """
        if value is None:
            return None
        try:
            return self.read(value)
        except ValueError:
            raise forms.ValidationError(self.expected) from None


class StoredText(Value):
    """Any text that PostgreSQL holds, the empty one and long ones too."""

    def read(self, text: str) -> str:
        """The text as it is."""
        text.encode()  # lone surrogates have no bytes
        if "\0" in text:
            raise ValueError
        return text


class Text(StoredText):
    """A text to look for."""

    expected = f"a text of 1 to {LONGEST} characters"

    def read(self, text: str) -> str:
        """The text as it is."""
        if not 0 < len(text) <= LONGEST:
            raise ValueError
        return super().read(text)


class OneOf(Value):
    """One of a few texts."""

    def __init__(self, *, texts: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.texts = texts
        self.expected = f"one of {', '.join(texts)}"  # type: ignore[misc]  # of this column

    def read(self, text: str) -> str:
        """The text, if it is one of them."""
        if text not in self.texts:
            raise ValueError
        return text


class Whole(Value):
    """A number of PostgreSQL's type `integer`."""

    expected = f"a whole number from {INTEGERS[0]} to {INTEGERS[1]}"
    bounds: ClassVar[tuple[int, int]] = INTEGERS

    def read(self, text: str) -> int:
        """The number; ASCII digits alone, where Python would read others."""
        smallest, largest = self.bounds
        if not re.fullmatch(f"-?[0-9]{{1,{len(str(largest))}}}", text):
            raise ValueError
        number = int(text)
        if not smallest <= number <= largest:
            raise ValueError
        return number


class LargeWhole(Whole):
    """A number of its type `bigint`."""

    expected = f"a whole number from {LARGE_INTEGERS[0]} to {LARGE_INTEGERS[1]}"
    bounds = LARGE_INTEGERS


class Number(Value):
    """A number, perhaps with decimals."""

    expected = "a number, such as 12.5"
    form: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?")

    def read(self, text: str) -> float:
        """The number, which is finite."""
        number = float(text) if self.form.fullmatch(text) else float("nan")
        if not isfinite(number):
            raise ValueError
        return number


class Exact(Number):
    """A number with decimals that are kept exactly."""

    def read(self, text: str) -> Decimal:  # type: ignore[override]
        """The number; without an exponent, which could make a long one of a short text."""
        super().read(text)
        if "e" in text:
            raise ValueError
        return Decimal(text)


class Day(Value):
    """A date."""

    expected = "a date (YYYY-MM-DD)"

    def read(self, text: str) -> date:
        """The date, in the one form of ISO 8601 that the API writes."""
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)


class Month(Value):
    """A month, as its first day."""

    expected = "a month (YYYY-MM, or its first day)"

    def read(self, text: str) -> date:
        """The first day."""
        if not re.fullmatch("[0-9]{4}-[0-9]{2}(-01)?", text):
            raise ValueError
        return date.fromisoformat(f"{text[:7]}-01")


class Truth(Value):
    """Yes or no."""

    expected = "true or false"

    def read(self, text: str) -> bool:
        """As JSON writes them."""
        if text not in {"true", "false"}:
            raise ValueError
        return text == "true"


def kind(model: type[Model], column: str) -> type[Value]:
    """How a column's values are read."""
    field = field_of(model, column)
    if isinstance(field, MonthField):
        return Month
    if isinstance(field, DateField):
        return Day
    if isinstance(field, DecimalField):
        return Exact
    if isinstance(field, FloatField):
        return Number
    if isinstance(field, BigIntegerField):
        return LargeWhole
    return Whole if isinstance(field, IntegerField) else Text
