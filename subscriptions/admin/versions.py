"""SERVE, people: every version that the tables hold of a row, current and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from unfold.decorators import display

from subscriptions.admin import filters
from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.display import badge, related_link
from subscriptions.models import PlanVersion, SubscriptionVersion, UsageVersion, UserVersion

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from subscriptions.models import Version


class VersionAdmin(ReadOnlyAdmin):
    """Stored rows; several of one key follow each other in time."""

    list_filter: ClassVar[tuple[Any, ...]] = (
        filters.CurrentFilter,
        ("valid_from", filters.DayFilter),
        filters.RecordFilter,
    )
    ordering = ("current_id", "-valid_from")  # the only index of all versions is the key's
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = ("current_id__exact",)
    search_help_text = "Id of a record"
    provenance: ClassVar = (
        "This version",
        {"fields": ("validity", "valid_from", "valid_to", "load_link", "dlt_id")},
    )

    @display(description="version", ordering="valid_from")
    def span(self, row: Version) -> str:
        """The days that the version held."""
        until = f"{row.valid_to:%Y-%m-%d}" if row.valid_to else "now"
        return f"{row.valid_from:%Y-%m-%d} → {until}"

    @display(description="validity")
    def validity(self, row: Version) -> SafeString:
        """Whether it is the current one."""
        return badge("closed") if row.valid_to else badge("current", "success")

    @display(description="record")
    def record_link(self, row: Version) -> object:
        """The record as it is now, if it still is."""
        return related_link(row, "current")


@admin.register(UserVersion)
class UserVersionAdmin(VersionAdmin):
    """What users were."""

    list_display = ("span", "record_link", "email", "plan_label", "region", "validity")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "record_link",
                    "first_name",
                    "last_name",
                    "email",
                    "plan_label",
                    "signup_date",
                    "region",
                    "referral_source",
                )
            },
        ),
    )


@admin.register(PlanVersion)
class PlanVersionAdmin(VersionAdmin):
    """What plans were, and cost."""

    list_display = ("span", "record_link", "monthly_fee", "max_users", "validity")
    search_fields = ("plan_name__icontains",)
    search_help_text = "Part of a plan's name"
    fieldsets = (
        (
            None,
            {"fields": ("record_link", "plan_name", "monthly_fee", "max_users", "features")},
        ),
    )


@admin.register(SubscriptionVersion)
class SubscriptionVersionAdmin(VersionAdmin):
    """What subscriptions were."""

    list_display = (
        "span",
        "record_link",
        "user_link",
        "plan_label",
        "start_date",
        "end_date",
        "status_label",
        "validity",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "record_link",
                    "user_link",
                    "plan_label",
                    "status_label",
                    "start_date",
                    "end_date",
                    "payment_method",
                )
            },
        ),
    )


@admin.register(UsageVersion)
class UsageVersionAdmin(VersionAdmin):
    """What usage was; it changes in place by default, so there is rarely more than one."""

    list_display = (
        "span",
        "record_link",
        "user_link",
        "plan_label",
        "usage_date",
        "actions_done",
        "validity",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "record_link",
                    "user_link",
                    "plan_label",
                    "usage_date",
                    "actions_done",
                    "calls_made",
                    "storage_used",
                    "minutes_active",
                )
            },
        ),
    )
