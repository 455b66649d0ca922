"""SERVE (step 4), API: the four tables' rows, now or as of a day: lists, single rows, histories."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, TypeVar

from django.db import ProgrammingError
from django.db.models import Model, QuerySet
from psycopg.errors import UndefinedTable
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from subscriptions.api.as_of import AS_OF, requested_day
from subscriptions.api.pagination import Pages
from subscriptions.api.serializers import (
    PlanSerializer,
    RowSerializer,
    SubscriptionSerializer,
    UsageSerializer,
    UserSerializer,
)
from subscriptions.api.views import ApiView
from subscriptions.history import NEWEST_FIRST, OLDEST_FIRST, Chapter, Versions, story
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

M = TypeVar("M", bound=Model)

HEXADECIMAL: Final = re.compile("[0-9a-f]{8}")
INTEGER: Final = re.compile("0|-?[1-9][0-9]{0,9}")


class RowViewSet(ApiView, GenericViewSet[M]):
    """A list under the key that is also its path and its URLs' basename, and each row of it.

    Ordered by the table's key, which never changes and has an index; then, since an `append`
    repeats keys, by what is unique for every stored row. Pages thus neither skip nor repeat.
    """

    lookup_value_regex = "[^/]+"  # whatever it is: those who may ask are told that nothing has it
    pagination_class = Pages
    serializer_class: type[RowSerializer[M]]
    paginator: Pages
    queryset: QuerySet[M]
    versions: ClassVar[Versions[Any]]
    key_form: ClassVar[re.Pattern[str]] = HEXADECIMAL

    @property
    def query_parameters(self) -> frozenset[str]:
        """Names of those that the path understands, whatever the method."""
        match self.action_map["get"]:
            case "list":
                return super().query_parameters | {AS_OF, Pages.page_query_param}
            case "retrieve":
                return super().query_parameters | {AS_OF}
        return super().query_parameters

    def get_view_name(self) -> str:
        """The page's title; REST framework would make it of the class's name."""
        return self._noun.capitalize() if self.detail else self.basename.capitalize()

    def get_queryset(self) -> QuerySet[Any]:
        """The current rows, or those that were known on the day in the query."""
        day = requested_day(self.request)
        return super().get_queryset() if day is None else self.versions.as_of(day).keyed()

    def list(self, request: Request) -> Response:
        """Every row, or one page of them."""
        try:
            return Response(self._answer(self.filter_queryset(self.get_queryset())))
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            # Before the first load there are no tables, hence no rows. Not looked up beforehand:
            # that would cost every request a query.
            return Response(self._answer(self.queryset.none()))

    def retrieve(self, request: Request, pk: str) -> Response:
        """One row: the newest, where an `append` has left several of its key."""
        try:
            rows = self._with_key(self.get_queryset(), pk).order_by(*NEWEST_FIRST)
            row = rows.values(*self._columns).first()
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            row = None
        if row is None:
            day = self.request.query_params.get(AS_OF)
            known = f" as of {day}" if day else ""
            raise NotFound(f"There is no {self._noun} with this id{known}.")
        return Response(row)

    @property
    def _columns(self) -> tuple[str, ...]:
        """The contract's, of which the first is the key."""
        return self.serializer_class.Meta.fields

    @property
    def _noun(self) -> str:
        """What a row is."""
        return str(self.queryset.model._meta.verbose_name)

    def _with_key(self, rows: QuerySet[Any], key: str) -> QuerySet[Any]:
        """Those with a key; PostgreSQL is not asked for what cannot be one."""
        if not self.key_form.fullmatch(key):
            return rows.none()
        return rows.filter(**{self._columns[0]: key})

    def _answer(self, rows: QuerySet[Any]) -> dict[str, Any]:
        values = rows.order_by(self._columns[0], "dlt_id").values(*self._columns)
        page = self.paginate_queryset(values)
        if page is None:
            return {self.basename: self.get_serializer(values, many=True).data}
        return {self.basename: self.get_serializer(page, many=True).data, **self.paginator.facts()}


class HistoryViewSet(RowViewSet[M]):
    """Rows whose tables keep their versions, by default."""

    def get_view_name(self) -> str:
        """The page's title."""
        return super().get_view_name() + (" history" if self.action_map["get"] == "history" else "")

    @action(detail=True)
    def history(self, request: Request, pk: str) -> Response:
        """All its versions, oldest first, and what each of them changed."""
        try:
            versions = self._with_key(self.versions.keyed(), pk).order_by(*OLDEST_FIRST)
            chapters = story(list(versions), self._columns)
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            chapters = []
        if not chapters:
            raise NotFound(f"There is no {self._noun} with this id, now or earlier.")
        return Response({"history": [self._told(chapter) for chapter in chapters]})

    def _told(self, chapter: Chapter[Any]) -> dict[str, Any]:
        version = chapter.version
        return {
            "valid_from": version.valid_from,
            "valid_to": version.valid_to,
            "began": chapter.began,
            "ended": chapter.ended,
            "changes": {
                change.column: {"from": change.before, "to": change.after}
                for change in chapter.changes
            },
            "row": {column: getattr(version, column) for column in self._columns},
        }


def _tables_are_missing(error: ProgrammingError) -> bool:
    return isinstance(error.__cause__, UndefinedTable)


class UserViewSet(HistoryViewSet[User]):
    """Users by key: as they are now, or as they were known on a day, as in ?as_of=2026-01-31."""

    queryset = User.objects.all()
    versions = UserVersion.objects.all()
    serializer_class = UserSerializer


class PlanViewSet(HistoryViewSet[Plan]):
    """Plans by key: as they are now, or as they were known on a day, as in ?as_of=2026-01-31.

    The fee is in US dollars a month.
    """

    queryset = Plan.objects.all()
    versions = PlanVersion.objects.all()
    serializer_class = PlanSerializer
    key_form = INTEGER


class SubscriptionViewSet(HistoryViewSet[Subscription]):
    """Subscriptions by key: now, or as they were known on a day, as in ?as_of=2026-01-31.

    Both dates are inclusive.
    """

    queryset = Subscription.objects.all()
    versions = SubscriptionVersion.objects.all()
    serializer_class = SubscriptionSerializer


class UsageViewSet(RowViewSet[Usage]):
    """What each user did on a day, by key: all of it, or as far as known on a day (`as_of`)."""

    queryset = Usage.objects.all()
    versions = UsageVersion.objects.all()
    serializer_class = UsageSerializer
