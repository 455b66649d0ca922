"""SERVE, people: every version that the tables hold of a row, current and closed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.display import badge, link, plan, related, status
from subscriptions.admin.filters import (
    CurrentFilter,
    DayFilter,
    PlanFilter,
    RecordFilter,
    RegionFilter,
    StatusFilter,
    UserFilter,
)
from subscriptions.models import (
    DltLoad,
    PlanVersion,
    SubscriptionVersion,
    UsageVersion,
    UserVersion,
)


class VersionAdmin(ReadOnlyAdmin):
    """Stored rows; several of one key follow each other in time."""

    ordering = ("-valid_from",)
    search_fields: tuple[str, ...] = ("current_id__exact",)
    search_help_text = "The whole id of a record"
    provenance = ("Version", {"fields": ("validity", "valid_from", "valid_to", "load", "dlt_id")})

    @display(description="version", ordering="valid_from")
    def span(self, row: Any) -> str:
        """The days that the version held."""
        until = f"{row.valid_to:%Y-%m-%d}" if row.valid_to else "now"
        return f"{row.valid_from:%Y-%m-%d} → {until}"

    @display(description="validity")
    def validity(self, row: Any) -> str:
        """Whether it is the current one."""
        return badge("closed") if row.valid_to else badge("current", "success")

    @display(description="load")
    def load(self, row: Any) -> str:
        """The load that brought the version."""
        return link(DltLoad(load_id=row.dlt_load_id))


@admin.register(UserVersion)
class UserVersionAdmin(VersionAdmin):
    """What users were."""

    current = related("current", "record")
    list_display = ("span", current, "email", plan, "region", "validity")
    list_filter = (CurrentFilter, PlanFilter, RegionFilter, ("valid_from", DayFilter), RecordFilter)
    sortable_by = ()
    search_fields = ("current_id__exact", "email__startswith")
    search_help_text = "A whole user id, or how an e-mail address begins"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    current,
                    "first_name",
                    "last_name",
                    "email",
                    "region",
                    plan,
                    "signup_date",
                    "referral_source",
                )
            },
        ),
        VersionAdmin.provenance,
    )


@admin.register(PlanVersion)
class PlanVersionAdmin(VersionAdmin):
    """What plans were, and cost."""

    current = related("current", "record")
    list_display = ("span", current, "monthly_fee", "max_users", "validity")
    list_filter = (CurrentFilter, ("valid_from", DayFilter))
    sortable_by = ()
    search_help_text = "A plan's number"
    fieldsets = (
        (None, {"fields": (current, "plan_name", "monthly_fee", "max_users", "features")}),
        VersionAdmin.provenance,
    )


@admin.register(SubscriptionVersion)
class SubscriptionVersionAdmin(VersionAdmin):
    """What subscriptions were."""

    current = related("current", "record")
    user = related("user")
    list_display = ("span", current, user, plan, "start_date", "end_date", status, "validity")
    list_filter = (CurrentFilter, StatusFilter, PlanFilter, ("valid_from", DayFilter), RecordFilter)
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    current,
                    user,
                    plan,
                    "start_date",
                    "end_date",
                    "payment_method",
                    status,
                )
            },
        ),
        VersionAdmin.provenance,
    )


@admin.register(UsageVersion)
class UsageVersionAdmin(VersionAdmin):
    """What usage was; it changes in place by default, so there is rarely more than one."""

    current = related("current", "record")
    user = related("user")
    list_display = ("span", current, user, plan, "usage_date", "actions_performed", "validity")
    list_filter = (CurrentFilter, PlanFilter, ("usage_date", DayFilter), UserFilter, RecordFilter)
    sortable_by = ()
    search_fields = ("current_id__exact", "user_id__exact")
    search_help_text = "A whole usage id or user id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    current,
                    user,
                    plan,
                    "usage_date",
                    "actions_performed",
                    "api_calls",
                    "storage_used_mb",
                    "active_minutes",
                )
            },
        ),
        VersionAdmin.provenance,
    )
