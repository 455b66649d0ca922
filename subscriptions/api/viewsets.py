"""SERVE (step 4), API: the four lists of current rows."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import ProgrammingError
from django.db.models import Model, QuerySet
from psycopg.errors import UndefinedTable
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from subscriptions.api.pagination import Pages
from subscriptions.api.serializers import (
    PlanSerializer,
    RowSerializer,
    SubscriptionSerializer,
    UsageSerializer,
    UserSerializer,
)
from subscriptions.api.views import ApiView
from subscriptions.models import Plan, Subscription, Usage, User

M = TypeVar("M", bound=Model)


class RowViewSet(ApiView, GenericViewSet[M]):
    """A list under the key that is also its path and its URLs' basename.

    Ordered by the table's key, which never changes and has an index; then, since an `append`
    repeats keys, by what is unique for every stored row. Pages thus neither skip nor repeat.
    """

    query_parameters = ApiView.query_parameters | {Pages.page_query_param}
    pagination_class = Pages
    serializer_class: type[RowSerializer[M]]
    paginator: Pages

    def get_view_name(self) -> str:
        """The page's title; REST framework would make it of the class's name."""
        return self.basename.capitalize()

    def list(self, request: Request) -> Response:
        """Every current row, or one page of them."""
        rows = self.filter_queryset(self.get_queryset())
        try:
            return Response(self._answer(rows))
        except ProgrammingError as error:
            if not isinstance(error.__cause__, UndefinedTable):
                raise
            # Before the first load there are no tables, hence no rows. Not looked up beforehand:
            # that would cost every request a query.
            return Response(self._answer(rows.none()))

    def _answer(self, rows: QuerySet[M]) -> dict[str, Any]:
        values = rows.values(*self.serializer_class.Meta.fields)
        page = self.paginate_queryset(values)
        if page is None:
            return {self.basename: self.get_serializer(values, many=True).data}
        return {self.basename: self.get_serializer(page, many=True).data, **self.paginator.facts()}


class UserViewSet(RowViewSet[User]):
    """Every user as it is now, by key."""

    queryset = User.objects.order_by("user_id", "dlt_id")
    serializer_class = UserSerializer


class PlanViewSet(RowViewSet[Plan]):
    """Every plan as it is now, by key. The fee is in US dollars a month."""

    queryset = Plan.objects.order_by("plan_id", "dlt_id")
    serializer_class = PlanSerializer


class SubscriptionViewSet(RowViewSet[Subscription]):
    """Every subscription as it is now, by key. Both dates are inclusive."""

    queryset = Subscription.objects.order_by("subscription_id", "dlt_id")
    serializer_class = SubscriptionSerializer


class UsageViewSet(RowViewSet[Usage]):
    """What each user did on a day, by key."""

    queryset = Usage.objects.order_by("usage_id", "dlt_id")
    serializer_class = UsageSerializer
