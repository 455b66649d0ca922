"""SERVE, people: bounded excerpts of what belongs to a record, shown below its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from subscriptions.admin.display import NOTHING, Columns, Section, link, url
from subscriptions.models import Subscription, Usage, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

SHOWN = 5
COLUMNS = Columns()


def subscriptions_of(user: User) -> Section:
    """A user's last subscriptions."""
    rows = user.subscriptions.order_by("-start_date", "-subscription_id").prefetch_related("plan")
    return Section(
        "Subscriptions",
        ("Subscription", "Plan", "Start", "End", "Payment", "Status"),
        [
            (
                link(row),
                COLUMNS.plan_label(row),
                row.start_date,
                row.end_date or "open",
                row.payment_method or NOTHING,
                COLUMNS.status_label(row),
            )
            for row in rows[:SHOWN]
        ],
        6,
        url(Subscription, user=user.pk),
    )


def usage_of(user: User) -> Section:
    """A user's last days."""
    return _usage("Usage", user.usages.all(), url(Usage, user=user.pk))


def usage_within(subscription: Subscription) -> Section:
    """The last days that a subscription covers."""
    first, last, user = subscription.start_date, subscription.end_date, subscription.user_id
    rows = Usage.objects.filter(user_id=user, usage_date__gte=first)
    more = url(Usage, user=user, usage_date_from=first)
    if last:
        rows = rows.filter(usage_date__lte=last)
        more = url(Usage, user=user, usage_date_from=first, usage_date_to=last)
    return _usage("Usage in this term", rows, more)


def _usage(title: str, usage: QuerySet[Usage], more: str) -> Section:
    rows = usage.order_by("-usage_date", "-usage_id").prefetch_related("plan")
    return Section(
        title,
        ("Day", "Plan", "Actions", "API calls", "Storage (MB)", "Minutes"),
        [
            (
                link(row, row.usage_date),
                COLUMNS.plan_label(row),
                COLUMNS.actions_done(row),
                COLUMNS.calls_made(row),
                COLUMNS.storage_used(row),
                COLUMNS.minutes_active(row),
            )
            for row in rows[:SHOWN]
        ],
        2,
        more,
    )
