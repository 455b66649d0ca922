"""SERVE, people: the business as it is now: users, plans, subscriptions and usage."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from unfold.decorators import display

from subscriptions.admin import filters
from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.display import Section, url
from subscriptions.admin.excerpts import subscriptions_of, usage_of, usage_within
from subscriptions.admin.stretch import beginning
from subscriptions.admin.timeline import timeline
from subscriptions.models import Plan, Subscription, Usage, User


class CurrentAdmin(ReadOnlyAdmin):
    """A table's current rows, each with its history."""

    provenance: ClassVar = (
        "Where this row comes from",
        {"fields": ("valid_from", "load_link", "dlt_id"), "classes": ("last",)},
    )

    def extras(self, row: Any) -> dict[str, Any]:
        """The record's history."""
        return {
            "timeline": timeline(row),
            "versions_url": url(row.versions.model, current=row.pk),
            **super().extras(row),
        }


@admin.register(User)
class UserAdmin(CurrentAdmin):
    """People, their plans, and what they subscribed to and used."""

    list_display = ("person", "plan_label", "region", "referral_source", "signup_date", "user_id")
    list_filter = (
        filters.PlanFilter,
        filters.RegionFilter,
        filters.ReferralFilter,
        ("signup_date", filters.DayFilter),
    )
    ordering = ("-signup_date",)
    sortable_by = ("person", "signup_date", "user_id")
    search_fields = ("user_id__exact", "email__startswith", "last_name__startswith")
    search_help_text = "User id, or start of e-mail or name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "user_id",
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

    @display(description="user", ordering="last_name", header=True)
    def person(self, user: User) -> tuple[str, str, str]:
        """Name, address and initials."""
        return str(user), user.email, user.first_name[:1] + user.last_name[:1]

    def search_ways(self, term: str) -> list[Q]:
        """Match as the indexes do, from the start and by case, in the cases people type."""
        term = term.strip()
        if not term:
            return []
        ways = [Q(user_id=term.lower()), beginning("email", term.lower())]
        for name in sorted({term, term.title()}):
            ways.append(beginning("last_name", name))
            first, _, last = name.partition(" ")
            if last:
                ways.append(Q(first_name=first) & beginning("last_name", last))
        return ways

    def sections(self, row: User) -> list[Section]:
        """What the user subscribed to and used lately."""
        return [subscriptions_of(row), usage_of(row)]


@admin.register(Plan)
class PlanAdmin(CurrentAdmin):
    """The price list."""

    list_display = ("plan_name", "fee", "max_users", "feature_list", "readers")
    ordering = ("plan_id",)
    sortable_by = ("plan_name", "fee")
    search_fields = ("plan_name__icontains",)
    search_help_text = "Part of a plan's name"
    fieldsets = (
        (
            None,
            {"fields": ("plan_id", "plan_name", "fee", "max_users", "readers", "feature_list")},
        ),
    )

    @display(description="monthly fee", ordering="monthly_fee")
    def fee(self, row: Plan) -> str:
        """In dollars."""
        return f"${row.monthly_fee:,.2f}"

    @display(description="features")
    def feature_list(self, row: Plan) -> str:
        """The features in one line."""
        return " · ".join(row.features)

    @display(description="who has it")
    def readers(self, row: Plan) -> str:
        """Links to the plan's users and subscriptions."""
        return format_html(
            '<a href="{}" class="record-link">Users</a> · '
            '<a href="{}" class="record-link">Subscriptions</a>',
            url(User, plan=row.pk),
            url(Subscription, plan=row.pk),
        )


@admin.register(Subscription)
class SubscriptionAdmin(CurrentAdmin):
    """Who pays for what, and until when."""

    list_display = (
        "subscription_id",
        "user_link",
        "plan_label",
        "start_date",
        "end_date",
        "payment_method",
        "status_label",
    )
    list_filter = (
        filters.StatusFilter,
        filters.PlanFilter,
        filters.PaymentFilter,
        ("start_date", filters.DayFilter),
        ("end_date", filters.DayFilter),
        filters.UserFilter,
    )
    ordering = ("-start_date",)
    sortable_by = ("subscription_id", "user_link", "start_date")
    search_fields = ("subscription_id__exact", "user_id__exact")
    search_help_text = "Subscription id or user id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "subscription_id",
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

    def sections(self, row: Subscription) -> list[Section]:
        """The usage that the subscription covers."""
        return [usage_within(row)]


@admin.register(Usage)
class UsageAdmin(CurrentAdmin):
    """What people did, day by day."""

    list_display = (
        "usage_id",
        "usage_date",
        "user_link",
        "plan_label",
        "actions_done",
        "calls_made",
        "storage_used",
        "minutes_active",
    )
    list_filter = (filters.PlanFilter, ("usage_date", filters.DayFilter), filters.UserFilter)
    ordering = ("-usage_date",)
    sortable_by = ("usage_id", "usage_date", "user_link")
    search_fields = ("usage_id__exact", "user_id__exact")
    search_help_text = "Usage id or user id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "usage_id",
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
