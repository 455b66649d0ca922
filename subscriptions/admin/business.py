"""SERVE, people: the business as it is now: users, plans, subscriptions and usage."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.display import NOTHING, Section, link, plan, related, status, url
from subscriptions.admin.filters import (
    DayFilter,
    PaymentFilter,
    PlanFilter,
    ReferralFilter,
    RegionFilter,
    StatusFilter,
    UserFilter,
)
from subscriptions.admin.timeline import timeline
from subscriptions.models import DltLoad, Plan, Subscription, Usage, User

EXCERPT = 10


class CurrentAdmin(ReadOnlyAdmin):
    """A table's current rows, each with its history."""

    provenance = ("Where this row comes from", {"fields": ("valid_from", "load", "dlt_id")})

    @display(description="load")
    def load(self, row: Any) -> str:
        """The load that brought the row."""
        return link(DltLoad(load_id=row.dlt_load_id))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the record's history."""
        context["timeline"] = timeline(kwargs["obj"], EXCERPT)
        return super().render_change_form(request, context, *args, **kwargs)


def subscriptions_of(user: User) -> Section:
    """A user's last subscriptions."""
    rows = user.subscriptions.order_by("-start_date", "-subscription_id").prefetch_related("plan")
    return Section(
        "Subscriptions",
        ("Subscription", "Plan", "Start", "End", "Payment", "Status"),
        [
            (
                link(row),
                plan(row),
                row.start_date,
                row.end_date or "open",
                row.payment_method or NOTHING,
                status(row),
            )
            for row in rows[:EXCERPT]
        ],
        url(Subscription, user=user.pk),
    )


def usage_section(title: str, rows: QuerySet[Usage], more: str) -> Section:
    """The last days of some usage."""
    rows = rows.order_by("-usage_date", "-usage_id").prefetch_related("plan")
    return Section(
        title,
        ("Day", "Plan", "Actions", "API calls", "Storage (MB)", "Active minutes"),
        [
            (
                link(row, row.usage_date),
                plan(row),
                f"{row.actions_performed:,}",
                f"{row.api_calls:,}",
                f"{row.storage_used_mb:,.1f}",
                f"{row.active_minutes:,}",
            )
            for row in rows[:EXCERPT]
        ],
        more,
    )


@admin.register(User)
class UserAdmin(CurrentAdmin):
    """People, their plans, and what they subscribed to and used."""

    list_display = ("person", plan, "region", "referral_source", "signup_date", "user_id")
    list_filter = (PlanFilter, RegionFilter, ReferralFilter, ("signup_date", DayFilter))
    ordering = ("-signup_date",)
    sortable_by = ("person", plan, "signup_date", "user_id")
    search_fields = ("user_id__exact", "email__startswith", "last_name__startswith")
    search_help_text = "A whole user id, or how an e-mail address or a last name begins"
    fieldsets = (
        (None, {"fields": ("user_id", "first_name", "last_name", "email", "region")}),
        ("Business", {"fields": (plan, "signup_date", "referral_source")}),
        CurrentAdmin.provenance,
    )

    @display(description="user", ordering="last_name", header=True)
    def person(self, user: User) -> tuple[str, str, str]:
        """Name, address and initials."""
        return str(user), user.email, user.first_name[:1] + user.last_name[:1]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Match as the indexes do, by case and from the start, in the cases people type."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(user_id=term.lower()) | Q(email__startswith=term.lower())
        for name in {term, term.title()}:
            found |= Q(last_name__startswith=name)
            first, _, last = name.partition(" ")
            if last:
                found |= Q(first_name=first, last_name__startswith=last)
        return queryset.filter(found), False

    def related(self, row: User) -> list[Section]:
        """What the user subscribed to and used lately."""
        usage = usage_section("Usage", row.usages.all(), url(Usage, user=row.pk))
        return [subscriptions_of(row), usage]


@admin.register(Plan)
class PlanAdmin(CurrentAdmin):
    """The price list."""

    list_display = ("plan_name", "monthly_fee", "max_users", "feature_list", "subscribers")
    ordering = ("plan_id",)
    sortable_by = ("plan_name", "monthly_fee")
    search_fields = ("plan_name__icontains",)
    search_help_text = "Part of a plan's name"
    fieldsets = (
        (None, {"fields": ("plan_id", "plan_name", "monthly_fee", "max_users")}),
        ("Offer", {"fields": ("feature_list", "subscribers")}),
        CurrentAdmin.provenance,
    )

    @display(description="features")
    def feature_list(self, row: Plan) -> str:
        """The features in one line."""
        return " · ".join(row.features)

    @display(description="who has it")
    def subscribers(self, row: Plan) -> str:
        """Links to the plan's users and subscriptions."""
        return link_pair(row)


def link_pair(row: Plan) -> str:
    """The lists of a plan's users and of its subscriptions."""
    from django.utils.html import format_html

    return format_html(
        '<a href="{}" class="record-link">Users</a> · '
        '<a href="{}" class="record-link">Subscriptions</a>',
        url(User, plan=row.pk),
        url(Subscription, plan=row.pk),
    )


@admin.register(Subscription)
class SubscriptionAdmin(CurrentAdmin):
    """Who pays for what, and until when."""

    user = related("user")
    list_display = (
        "subscription_id",
        user,
        plan,
        "start_date",
        "end_date",
        "payment_method",
        status,
    )
    list_filter = (
        StatusFilter,
        PlanFilter,
        PaymentFilter,
        ("start_date", DayFilter),
        ("end_date", DayFilter),
        UserFilter,
    )
    ordering = ("-start_date",)
    sortable_by = ("subscription_id", user, plan, "start_date", "end_date")
    search_fields = ("subscription_id__exact", "user_id__exact")
    search_help_text = "A whole subscription id or user id"
    fieldsets = (
        (None, {"fields": ("subscription_id", user, plan, status)}),
        ("Term", {"fields": ("start_date", "end_date", "payment_method")}),
        CurrentAdmin.provenance,
    )

    def related(self, row: Subscription) -> list[Section]:
        """The usage that the subscription covers."""
        rows = Usage.objects.filter(user_id=row.user_id, usage_date__gte=row.start_date)
        term: dict[str, object] = {"user": row.user_id, "usage_date_from": row.start_date}
        if row.end_date:
            rows = rows.filter(usage_date__lte=row.end_date)
            term["usage_date_to"] = row.end_date
        return [usage_section("Usage in this term", rows, url(Usage, **term))]


@admin.register(Usage)
class UsageAdmin(CurrentAdmin):
    """What people did, day by day."""

    user = related("user")
    list_display = (
        "usage_id",
        "usage_date",
        user,
        plan,
        "actions_performed",
        "api_calls",
        "storage",
        "active_minutes",
    )
    list_filter = (PlanFilter, ("usage_date", DayFilter), UserFilter)
    ordering = ("-usage_date",)
    sortable_by = ("usage_id", "usage_date", user, plan)
    search_fields = ("usage_id__exact", "user_id__exact")
    search_help_text = "A whole usage id or user id"
    fieldsets = (
        (None, {"fields": ("usage_id", user, plan, "usage_date")}),
        ("Activity", {"fields": ("actions_performed", "api_calls", "storage", "active_minutes")}),
        CurrentAdmin.provenance,
    )

    @display(description="storage (MB)")
    def storage(self, row: Usage) -> str:
        """With one digit after the point."""
        return f"{row.storage_used_mb:,.1f}"
