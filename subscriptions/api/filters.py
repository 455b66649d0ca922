"""SERVE (step 4), API: filters, one for each column and comparison that makes sense for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.fields import Field
from django_filters import filters
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from subscriptions.api import values
from subscriptions.fixed_values import FIXED_VALUES

RANGE: Final = ("gte", "lte", "gt", "lt")


class WholeFilter(filters.NumberFilter):
    """By a whole number."""

    field_class = values.Whole


class LargeWholeFilter(filters.NumberFilter):
    """By a whole number of any size."""

    field_class = values.LargeWhole


class NumberFilter(filters.NumberFilter):
    """By a number."""

    field_class = values.Number


class ExactFilter(filters.NumberFilter):
    """By a number with decimals."""

    field_class = values.Exact


class DayFilter(filters.DateFilter):
    """By a date."""

    field_class = values.Day


class MonthFilter(filters.DateFilter):
    """By a month."""

    field_class = values.Month


class TextFilter(filters.CharFilter):
    """By a text."""

    field_class = values.Text


class OneOfFilter(filters.CharFilter):
    """By one of a few texts."""

    field_class = values.OneOf


class TruthFilter(filters.BooleanFilter):
    """By whether there is a value."""

    field_class = values.Truth


FILTERS: Final[dict[type[values.Value], type[filters.Filter]]] = {
    values.Whole: WholeFilter,
    values.LargeWhole: LargeWholeFilter,
    values.Number: NumberFilter,
    values.Exact: ExactFilter,
    values.Day: DayFilter,
    values.Month: MonthFilter,
    values.Text: TextFilter,
    values.OneOf: OneOfFilter,
}
# Any of several values, separated by commas.
ANY_OF: Final = {
    kind: type(f"AnyOf{kind.__name__}", (filters.BaseInFilter, plain), {})
    for kind, plain in FILTERS.items()
}


def filters_of(model: type[Model], columns: Sequence[str]) -> type[FilterSet]:
    """The filters of a table's columns, but for lists (JSON), which no comparison fits."""
    found = {
        name: made
        for column in columns
        if model._meta.get_field(column).get_internal_type() != "JSONField"
        for name, made in _of_column(model, column)
    }
    return type(f"{model.__name__}Filters", (FilterSet,), found)


def _of_column(model: type[Model], column: str) -> Iterator[tuple[str, filters.Filter]]:
    kind, options = values.kind(model, column), {}
    if column in FIXED_VALUES:
        kind, options = values.OneOf, {"texts": FIXED_VALUES[column]}
    yield column, FILTERS[kind](column, **options)
    yield f"{column}__in", ANY_OF[kind](column, lookup_expr="in", **options)
    if kind not in {values.Text, values.OneOf}:
        for comparison in RANGE:
            yield f"{column}__{comparison}", FILTERS[kind](column, comparison)
    field = model._meta.get_field(column)
    if isinstance(field, Field) and field.null:
        yield f"{column}__isnull", TruthFilter(column, "isnull")


class Filters(DjangoFilterBackend):
    """django-filter, which says of a value that is none what it should be, in a sentence."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        """The rows that all filters in the query let pass; none is asked of the database yet.

        Raises:
            ParseError: a value is none, or empty; the message names the parameter.
        """
        rows: QuerySet[Any] = queryset
        known = view.filterset_class.base_filters
        for name in request.query_params:
            if name in known:
                rows = known[name].filter(rows, _value(known[name], name, request))
        return rows


def _value(asked: filters.Filter, name: str, request: Request) -> Any:
    """What a filter takes from the query, by its own form field.

    Not by a filterset and its form, which copy all forty filters and fields for each request.

    Raises:
        ParseError: it is none, or empty.
    """
    if not request.query_params[name]:
        raise ParseError(f'The query parameter "{name}" is empty: give a value.')
    field = asked.field
    try:
        return field.clean(field.widget.value_from_datadict(request.query_params, {}, name))
    except ValidationError as failure:
        each = "Each value of the" if name.endswith("__in") else "The"
        raise ParseError(
            f'{each} query parameter "{name}" must be {failure.messages[0]}.'
        ) from None
