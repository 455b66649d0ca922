"""SERVE (step 4), API: the four tables' rows, now or as of a day: lists, single rows, histories."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from django.db import ProgrammingError
from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from psycopg.errors import UndefinedTable
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from subscriptions.api import content_coding
from subscriptions.api.as_of import AS_OF, known_day, named_day
from subscriptions.api.freshness import LastLoad, entity_tag, not_modified
from subscriptions.api.lines import BLOCK
from subscriptions.api.pagination import Pages
from subscriptions.api.renderers import PageRenderer
from subscriptions.api.row_answers import Rows
from subscriptions.api.row_formats import ROW_FORMATS, RowFormat
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
    last_load: LastLoad | None = None

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
        day = known_day(self.request)
        return super().get_queryset() if day is None else self.versions.as_of(day).keyed()

    def get_renderers(self) -> list[BaseRenderer]:
        """Lists have more formats than single rows and histories."""
        rest = super().get_renderers()
        if self.action_map.get("get") != "list":
            return rest
        return [*(renderer() for renderer in ROW_FORMATS), *rest[1:]]

    def list(self, request: Request) -> HttpResponseBase:
        """Every row, or one page of them."""
        try:
            return self._fresh(self._list)
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            # Before the first load there are no tables, hence no rows. Not looked up beforehand:
            # that would cost every request a query.
            return self._answer(self.queryset.none())

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """One row: the newest, where an `append` has left several of its key."""
        try:
            return self._fresh(lambda: self._row(pk))
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            raise self._unknown() from None

    def _fresh(self, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The answer with its ETag, or that the client has it; pages for people have none."""
        named_day(self.request)  # a mistake is told before the first load, too
        chosen = self.request.accepted_renderer
        if chosen.format == PageRenderer.format:
            return answer()
        self.last_load = LastLoad.read()
        if self.last_load is None:
            return answer()
        tag = entity_tag(self.last_load, self.request, (chosen.format, self._coding))
        response = not_modified(self.request, tag) or answer()
        response["ETag"] = tag
        return response

    @property
    def _coding(self) -> str:
        """How the body is compressed."""
        chosen = self.request.accepted_renderer
        if not (isinstance(chosen, RowFormat) and chosen.compressible):
            return content_coding.IDENTITY
        return content_coding.chosen(self.request.headers.get("Accept-Encoding", ""))

    def _list(self) -> HttpResponseBase:
        return self._answer(self.filter_queryset(self.get_queryset()))

    def _row(self, key: str) -> Response:
        rows = self._with_key(self.get_queryset(), key).order_by(*NEWEST_FIRST)
        row = rows.values(*self._columns).first()
        if row is None:
            raise self._unknown()
        return Response(row)

    def _unknown(self) -> NotFound:
        day = self.request.query_params.get(AS_OF)
        known = f" as of {day}" if day else ""
        return NotFound(f"There is no {self._noun} with this id{known}.")

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

    def _answer(self, rows: QuerySet[Any]) -> HttpResponseBase:
        ordered = rows.order_by(self._columns[0], "dlt_id")
        page = self.paginator.paginate_queryset(ordered, self.request, self)
        facts = {} if page is None else self.paginator.facts()
        shown = ordered if page is None else page
        chosen = self.request.accepted_renderer
        if not isinstance(chosen, RowFormat):
            return Response({self.basename: list(shown.values(*self._columns)), **facts})
        answer = Rows(
            key=self.basename,
            model=self.queryset.model,
            columns=self._columns,
            rows=shown,
            format=chosen,
            coding=self._coding,
            facts=facts,
            page=page is not None,
        )
        if self.request.method == "HEAD":
            return answer.heading()
        return answer.answer(few=rows.query.is_empty() or self._few)

    @property
    def _few(self) -> bool:
        """Whether the table, as the last load left it, is no more than a block of rows."""
        if self.last_load is None:
            return False
        day = AS_OF in self.request.query_params
        stored = self.last_load.versions if day else self.last_load.current
        return stored.get(self.basename.removesuffix("s"), BLOCK + 1) <= BLOCK


class HistoryViewSet(RowViewSet[M]):
    """Rows whose tables keep their versions, by default."""

    def get_view_name(self) -> str:
        """The page's title."""
        return super().get_view_name() + (" history" if self.action_map["get"] == "history" else "")

    @action(detail=True)
    def history(self, request: Request, pk: str) -> HttpResponseBase:
        """All its versions, oldest first, and what each of them changed."""
        try:
            return self._fresh(lambda: self._story(pk))
        except ProgrammingError as error:
            if not _tables_are_missing(error):
                raise
            raise self._unheard_of() from None

    def _story(self, key: str) -> Response:
        versions = self._with_key(self.versions.keyed(), key).order_by(*OLDEST_FIRST)
        chapters = story(list(versions), self._columns)
        if not chapters:
            raise self._unheard_of()
        return Response({"history": [self._told(chapter) for chapter in chapters]})

    def _unheard_of(self) -> NotFound:
        return NotFound(f"There is no {self._noun} with this id, now or earlier.")

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
