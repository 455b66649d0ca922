"""SERVE, people: filters whose choices are fixed, so that no table is asked what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import CheckboxFilter, RangeDateFilter, TextFilter

from subscriptions.admin.stretch import Way
from subscriptions.fixed_values import PAYMENT_METHODS, REFERRAL_SOURCES, REGIONS, STATUSES
from subscriptions.models import LoadReceipt, Plan


class Condition:
    """A filter that says what it asks for, and by which index it is found, if by any."""

    def condition(self) -> Q:
        """What the rows have to meet."""
        raise NotImplementedError

    def way(self) -> Way | None:
        """The index that leads to them; few values are in so many rows that none would help."""
        return None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that meet it."""
        return queryset.filter(self.condition())


class ChoiceFilter(Condition, CheckboxFilter):
    """Rows with any of the values that are ticked."""

    values: ClassVar[tuple[str, ...]] = ()

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> Iterable[tuple[str, str]]:
        """The choices."""
        return [(value, value) for value in self.values]

    def condition(self) -> Q:
        """Any of the values, or Django's usual answer to one that is not among the choices."""
        chosen = [value for value in self.value() or () if value]
        if not {str(value) for value, _ in self.lookup_choices}.issuperset(chosen):
            raise IncorrectLookupParameters
        return self.any_of(chosen) if chosen else Q()

    def any_of(self, chosen: Sequence[str]) -> Q:
        """Any of these values."""
        return Q(**{f"{self.parameter_name}__in": chosen})


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

    def way(self) -> Way | None:
        """Those that are over, by their last day: the latest to start are all active still."""
        if self.value() != ["Inactive"]:
            return None
        receipt = LoadReceipt.objects.order_by("-load_id").first()
        # By the company's rules a subscription is inactive exactly when it ended before that day.
        return Way([Q(end_date__lt=receipt.as_of)], along="end_date") if receipt else None


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

    def any_of(self, chosen: Sequence[str]) -> Q:
        """Versions without an end, or with one, or both."""
        return Q() if len(set(chosen)) > 1 else Q(valid_to__isnull="current" in chosen)


class KeyFilter(Condition, TextFilter):
    """Rows of one key, which has to be given in full; links between the lists set it."""

    def __init__(self, request: HttpRequest, params: Any, model: Any, admin: Any) -> None:
        super().__init__(request, params, model, admin)
        self.key_field = model._meta.get_field(self.parameter_name).target_field

    def condition(self) -> Q:
        """The rows of that key; NUL is in no key and PostgreSQL refuses it."""
        key = (self.value() or "").strip()
        if "\0" in key:
            raise IncorrectLookupParameters
        try:
            return Q(**{f"{self.parameter_name}_id": self.key_field.to_python(key)}) if key else Q()
        except ValidationError as error:  # a plan's number that is none
            raise IncorrectLookupParameters from error

    def way(self) -> Way | None:
        """The key's index."""
        condition = self.condition()
        return Way([condition]) if condition else None


class UserFilter(KeyFilter):
    """What belongs to one user."""

    title, parameter_name = "user id", "user"


class RecordFilter(KeyFilter):
    """The versions of one record."""

    title, parameter_name = "record id", "current"


class DayFilter(Condition, RangeDateFilter):
    """Rows between two days, both included; of a moment in time, its day in UTC counts."""

    def condition(self) -> Q:
        """Both bounds, or Django's usual answer to what is not a date."""
        bounds = Q()
        for bound, lookup, later in (("from", "gte", 0), ("to", "lt", 1)):
            text = self.used_parameters.get(f"{self.field_path}_{bound}")
            if not text:
                continue
            try:
                day = date.fromisoformat(str(text)) + timedelta(days=later)
            except (ValueError, OverflowError) as error:
                raise IncorrectLookupParameters from error
            edge = datetime.combine(day, time.min, UTC) if self.of_moments else day
            bounds &= Q(**{f"{self.field_path}__{lookup}": edge})
        return bounds

    def way(self) -> Way | None:
        """The day's index; moments have none."""
        bounds = self.condition()
        return Way([bounds], along=self.field_path) if bounds and not self.of_moments else None

    @property
    def of_moments(self) -> bool:
        """Whether the column holds moments and not days."""
        return isinstance(self.field, DateTimeField)
