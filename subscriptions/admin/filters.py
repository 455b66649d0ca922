"""SERVE, people: filters whose choices are fixed, so that no table is asked what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import CheckboxFilter, RangeDateFilter, TextFilter

from subscriptions.models import Plan

REGIONS = ("North America", "Europe", "Asia", "South America", "Africa", "Oceania")
REFERRAL_SOURCES = ("web search", "paid ads", "social media", "referral")
PAYMENT_METHODS = ("credit card", "paypal", "bank transfer")
STATUSES = ("Active", "Inactive")


class ChoiceFilter(CheckboxFilter):
    """Rows with any of the values that are ticked."""

    values: ClassVar[tuple[str, ...]] = ()

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> Iterable[tuple[str, str]]:
        """The choices."""
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows, or Django's usual answer to a value that is not among the choices."""
        chosen = [value for value in self.value() or () if value]
        if not {str(value) for value, _ in self.lookup_choices}.issuperset(chosen):
            raise IncorrectLookupParameters
        return queryset.filter(**{f"{self.parameter_name}__in": chosen}) if chosen else queryset


class RegionFilter(ChoiceFilter):
    """Users by continent."""

    title, parameter_name, values = "region", "region", REGIONS


class ReferralFilter(ChoiceFilter):
    """Users by what brought them."""

    title, parameter_name, values = "referral source", "referral_source", REFERRAL_SOURCES


class PaymentFilter(ChoiceFilter):
    """Subscriptions by the way they are paid."""

    title, parameter_name, values = "payment method", "payment_method", PAYMENT_METHODS


class StatusFilter(ChoiceFilter):
    """Subscriptions by status."""

    title, parameter_name, values = "status", "status", STATUSES


class PlanFilter(ChoiceFilter):
    """Rows by plan; the handful of plans is read by name."""

    title, parameter_name = "plan", "plan"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> Iterable[tuple[str, str]]:
        """The plans; one that is current twice after an `append` is one choice."""
        plans = Plan.objects.order_by("plan_id").values_list("plan_id", "plan_name")[:50]
        return [(str(number), name) for number, name in dict(plans).items()]


class CurrentFilter(ChoiceFilter):
    """Versions by whether they are the current ones."""

    title, parameter_name, values = "validity", "validity", ("current", "closed")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Versions without an end, or with one."""
        chosen = set(filter(None, self.value() or ()))
        if not chosen <= set(self.values):
            raise IncorrectLookupParameters
        if len(chosen) == 1:
            return queryset.filter(valid_to__isnull="current" in chosen)
        return queryset


class KeyFilter(TextFilter):
    """Rows of one key, which has to be given in full; links between the lists set it."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of that key; NUL is in no key and PostgreSQL refuses it."""
        key = (self.value() or "").strip()
        if "\0" in key:
            raise IncorrectLookupParameters
        try:
            return queryset.filter(**{f"{self.parameter_name}_id": key}) if key else queryset
        except ValueError as error:  # a plan's number that is none
            raise IncorrectLookupParameters from error


class UserFilter(KeyFilter):
    """What belongs to one user."""

    title, parameter_name = "user id", "user"


class RecordFilter(KeyFilter):
    """The versions of one record."""

    title, parameter_name = "record id", "current"


class DayFilter(RangeDateFilter):
    """Rows between two days, both included; of a moment in time, its day in UTC counts."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows, or Django's usual answer to what is not a date."""
        for bound, lookup, later in (("from", "gte", 0), ("to", "lt", 1)):
            text = self.used_parameters.get(f"{self.field_path}_{bound}")
            if not text:
                continue
            try:
                day = date.fromisoformat(str(text)) + timedelta(days=later)
            except (ValueError, OverflowError) as error:
                raise IncorrectLookupParameters from error
            edge = datetime.combine(day, time.min, UTC) if self.of_moments else day
            queryset = queryset.filter(**{f"{self.field_path}__{lookup}": edge})
        return queryset

    @property
    def of_moments(self) -> bool:
        """Whether the column holds moments and not days."""
        return isinstance(self.field, DateTimeField)
