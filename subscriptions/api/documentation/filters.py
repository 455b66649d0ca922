"""SERVE (step 4), API documentation: the filters of a list, made from those that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from subscriptions.api import values
from subscriptions.api.row_viewsets import RowViewSet
from subscriptions.fixed_values import FIXED_VALUES

Schema = dict[str, Any]


def _within(bounds: tuple[int, int]) -> Schema:
    smallest, largest = bounds
    return {"type": "integer", "minimum": smallest, "maximum": largest}


SCHEMAS: Final[Mapping[type[values.Value], Schema]] = {
    values.Whole: _within(values.INTEGERS),
    values.LargeWhole: _within(values.LARGE_INTEGERS),
    values.Number: {"type": "number"},
    values.Exact: {"type": "number"},
    values.Day: {"type": "string", "format": "date"},
    values.Month: {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])(-01)?$"},
    values.Text: {"type": "string", "minLength": 1, "maxLength": values.LONGEST},
}
COMPARISONS: Final[Mapping[str, str]] = {
    "": "Rows whose `{}` is this.",
    "in": "Rows whose `{}` is one of these, separated by commas.",
    "gte": "Rows whose `{}` is this or more.",
    "lte": "Rows whose `{}` is this or less.",
    "gt": "Rows whose `{}` is more than this.",
    "lt": "Rows whose `{}` is less than this.",
    "isnull": "Rows whose `{}` is missing (`true`) or there (`false`).",
}


def of_filters(view: RowViewSet[Any]) -> Iterator[Schema]:
    """A parameter for each filter."""
    for name in sorted(view.filter_parameters):
        column, _, comparison = name.partition("__")
        yield {
            "name": name,
            "in": "query",
            "description": COMPARISONS[comparison].format(column),
            **_value(view, column, comparison),
        }


def _value(view: RowViewSet[Any], column: str, comparison: str) -> Schema:
    if comparison == "isnull":
        return {"schema": {"type": "boolean"}}
    if column in FIXED_VALUES:
        one: Schema = {"type": "string", "enum": list(FIXED_VALUES[column])}
    else:
        one = SCHEMAS[values.kind(view.queryset.model, column)]
    if comparison == "in":
        many = {"type": "array", "items": one, "minItems": 1}
        return {"schema": many, "style": "form", "explode": False}
    return {"schema": one}
