"""The serializers: they describe what `.values()` answers, and would answer the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer

from subscriptions.api.row_viewsets import RowViewSet
from subscriptions.api.viewsets import (
    PlanViewSet,
    SubscriptionViewSet,
    UsageViewSet,
    UserViewSet,
)
from subscriptions.load.tables import PLAN, SUBSCRIPTION, USAGE, USER, Table

VIEWSETS = [
    (UserViewSet, USER),
    (PlanViewSet, PLAN),
    (SubscriptionViewSet, SUBSCRIPTION),
    (UsageViewSet, USAGE),
]


@pytest.mark.parametrize(("viewset", "table"), VIEWSETS)
def test_fields_are_the_business_columns(viewset: type[RowViewSet[Any]], table: Table) -> None:
    assert tuple(viewset.serializer_class().fields) == table.columns
    assert all(field.read_only for field in viewset.serializer_class().fields.values())


@pytest.mark.usefixtures("dataset", "db")
@pytest.mark.parametrize(("viewset", "table"), VIEWSETS)
def test_the_fields_would_change_nothing(viewset: type[RowViewSet[Any]], table: Table) -> None:
    serializer = viewset.serializer_class
    rows = viewset.queryset[:200]
    by_field = [serializer(row).data for row in rows]
    as_stored = serializer(rows.values(*table.columns), many=True).data
    assert len(as_stored) >= 5
    assert json.loads(JSONRenderer().render(by_field)) == json.loads(
        JSONRenderer().render(as_stored)
    )
