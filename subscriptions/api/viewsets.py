"""SERVE (step 4), API: the four tables: their columns, and what they can be asked by."""

from __future__ import annotations

import re
from typing import Final

from subscriptions.api import search
from subscriptions.api.filters import filters_of
from subscriptions.api.ordering import Orderings
from subscriptions.api.row_viewsets import HistoryViewSet, RowViewSet
from subscriptions.api.serializers import (
    PlanSerializer,
    SubscriptionSerializer,
    UsageSerializer,
    UserSerializer,
)
from subscriptions.models import (
    Plan,
    PlanVersion,
    Subscription,
    SubscriptionVersion,
    Usage,
    UsageVersion,
    User,
    UserVersion,
)

INTEGER: Final = re.compile("0|-?[1-9][0-9]{0,9}")


class UserViewSet(HistoryViewSet[User]):
    """Users by key: as they are now, or as they were known on a day, as in ?as_of=2026-01-31."""

    queryset = User.objects.all()
    versions = UserVersion.objects.all()
    serializer_class = UserSerializer
    filterset_class = filters_of(User, UserSerializer.Meta.fields)
    finding = search.USERS
    orderings = Orderings(
        UserSerializer.Meta.fields, ("user_id", "email", "last_name", "signup_date")
    )


class PlanViewSet(HistoryViewSet[Plan]):
    """Plans by key: as they are now, or as they were known on a day, as in ?as_of=2026-01-31.

    The fee is in US dollars a month.
    """

    queryset = Plan.objects.all()
    versions = PlanVersion.objects.all()
    serializer_class = PlanSerializer
    filterset_class = filters_of(Plan, PlanSerializer.Meta.fields)
    finding = search.PLANS
    orderings = Orderings(("plan_id", "plan_name", "monthly_fee", "max_users"))
    key_form = INTEGER


class SubscriptionViewSet(HistoryViewSet[Subscription]):
    """Subscriptions by key: now, or as they were known on a day, as in ?as_of=2026-01-31.

    Both dates are inclusive.
    """

    queryset = Subscription.objects.all()
    versions = SubscriptionVersion.objects.all()
    serializer_class = SubscriptionSerializer
    filterset_class = filters_of(Subscription, SubscriptionSerializer.Meta.fields)
    finding = search.SUBSCRIPTIONS
    orderings = Orderings(
        SubscriptionSerializer.Meta.fields,
        ("subscription_id", "user_id", "start_date", "end_date"),
        nullable=frozenset({"end_date", "payment_method"}),
        entangled=frozenset({"start_date", "end_date", "status"}),
    )


class UsageViewSet(RowViewSet[Usage]):
    """What each user did on a day: all of it, or as known on a day, as in ?as_of=2026-01-31."""

    queryset = Usage.objects.all()
    versions = UsageVersion.objects.all()
    serializer_class = UsageSerializer
    filterset_class = filters_of(Usage, UsageSerializer.Meta.fields)
    finding = search.USAGES
    orderings = Orderings(UsageSerializer.Meta.fields, ("usage_id", "user_id", "usage_date"))
