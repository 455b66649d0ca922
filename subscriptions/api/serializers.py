"""SERVE (step 4), API: which columns the four lists show, in the contract's order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Manager, Model
from rest_framework import serializers

from subscriptions.models import Plan, Subscription, Usage, User

M = TypeVar("M", bound=Model)


class RowList(serializers.ListSerializer[Any]):
    """A list of rows that are done already.

    The viewset selects exactly a serializer's fields with `.values()`, so each row comes from the
    database as the dict that the answer needs; dates and decimals are left to the JSON encoder.
    Sending every value of every row through a field makes the same dicts in ten times the time.
    What a field would change must therefore be changed in SQL; a test compares both ways.
    """

    def to_representation(self, data: Manager[Any] | Iterable[Any]) -> list[dict[str, Any]]:
        """The rows as they are."""
        return list(data.all() if isinstance(data, Manager) else data)


class RowSerializer(serializers.ModelSerializer[M]):
    """What the four have in common; dlt owns the tables, so nothing is ever written."""

    class Meta:
        fields: tuple[str, ...] = ()
        list_serializer_class = RowList


class UserSerializer(RowSerializer[User]):
    """A user as it is now."""

    class Meta(RowSerializer.Meta):
        model = User
        fields = read_only_fields = (
            "user_id",
            "first_name",
            "last_name",
            "email",
            "signup_date",
            "plan_id",
            "region",
            "referral_source",
        )


class PlanSerializer(RowSerializer[Plan]):
    """A plan as it is now."""

    features = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(RowSerializer.Meta):
        model = Plan
        fields = read_only_fields = (
            "plan_id",
            "plan_name",
            "monthly_fee",
            "max_users",
            "features",
        )


class SubscriptionSerializer(RowSerializer[Subscription]):
    """A subscription as it is now."""

    class Meta(RowSerializer.Meta):
        model = Subscription
        fields = read_only_fields = (
            "subscription_id",
            "user_id",
            "plan_id",
            "start_date",
            "end_date",
            "payment_method",
            "status",
        )


class UsageSerializer(RowSerializer[Usage]):
    """A user's usage on one day."""

    class Meta(RowSerializer.Meta):
        model = Usage
        fields = read_only_fields = (
            "usage_id",
            "user_id",
            "plan_id",
            "usage_date",
            "actions_performed",
            "storage_used_mb",
            "api_calls",
            "active_minutes",
        )
