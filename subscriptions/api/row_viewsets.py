"""SERVE (step 4), API: a table's rows, now or as of a day: lists, single rows and histories."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

from django.db import ProgrammingError
from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from django.utils.functional import cached_property
from django_filters.rest_framework import FilterSet
from psycopg.errors import UndefinedTable
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.filters import BaseFilterBackend
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from subscriptions.api import columns, content_coding, links, search
from subscriptions.api.as_of import AS_OF, known_day, named_day
from subscriptions.api.columns import FIELDS
from subscriptions.api.filters import Filters
from subscriptions.api.freshness import LastLoad, entity_tag, not_modified
from subscriptions.api.lists import PARAMETERS, Asked
from subscriptions.api.ordering import Orderings
from subscriptions.api.parts import Part
from subscriptions.api.renderers import PageRenderer
from subscriptions.api.row_answers import Rows
from subscriptions.api.row_formats import ROW_FORMATS, RowFormat
from subscriptions.api.serializers import RowSerializer
from subscriptions.api.views import ApiView
from subscriptions.history import NEWEST_FIRST, OLDEST_FIRST, Chapter, Versions, story

M = TypeVar("M", bound=Model)

HEXADECIMAL: Final = re.compile("[0-9a-f]{8}")


class RowViewSet(ApiView, GenericViewSet[M]):
    """A list under the key that is also its path and its URLs' basename, and each row of it.

    Ordered by the table's key, which never changes and has an index, unless asked otherwise; then,
    since an `append` repeats keys, by what is unique for every stored row. Pages thus neither skip
    nor repeat.
    """

    lookup_value_regex = "[^/]+"  # whatever it is: those who may ask are told that nothing has it
    pagination_class = None  # the viewset's own: PostgreSQL writes the rows of pages, too
    filter_backends: Sequence[type[BaseFilterBackend]] = (Filters, search.Search)
    filterset_class: ClassVar[type[FilterSet]]
    finding: ClassVar[search.Finding | None] = None  # what `search` finds, where there is one
    orderings: ClassVar[Orderings]
    serializer_class: type[RowSerializer[M]]
    queryset: QuerySet[M]
    versions: ClassVar[Versions[Any]]
    key_form: ClassVar[re.Pattern[str]] = HEXADECIMAL
    last_load: LastLoad | None = None
    asked: Asked  # of a list, as is
    part: Part | None = None

    @property
    def query_parameters(self) -> frozenset[str]:
        """Names of those that the path understands, whatever the method."""
        match self.action_map["get"]:
            case "list":
                return super().query_parameters | PARAMETERS
            case "retrieve":
                return super().query_parameters | {AS_OF, FIELDS}
        return super().query_parameters

    @property
    def filter_parameters(self) -> Set[str]:
        """Names of those that filter."""
        listed = self.action_map["get"] == "list"
        return self.filterset_class.base_filters.keys() if listed else frozenset()

    def get_view_name(self) -> str:
        """The page's title; REST framework would make it of the class's name."""
        return self._noun.capitalize() if self.detail else self.basename.capitalize()

    def get_queryset(self) -> QuerySet[Any]:
        """The current rows, or those that were known on the day in the query.

        The database is not asked, whether anything was known by then neither: `known_day` does.
        """
        day = named_day(self.request)
        return super().get_queryset() if day is None else self.versions.as_of(day).keyed()

    def get_renderers(self) -> list[BaseRenderer]:
        """Lists have more formats than single rows, histories, and answers to OPTIONS."""
        rest = super().get_renderers()
        if self.action_map.get("get") != "list" or self.action == "metadata":
            return rest
        return [*(renderer() for renderer in ROW_FORMATS), *rest[1:]]

    def list(self, request: Request) -> HttpResponseBase:
        """Every row, or those that are asked for."""
        # A mistake is told before the first load, too.
        rows = self.filter_queryset(self.get_queryset())
        self.asked = Asked.of(request, self)
        try:
            return self._fresh(lambda: self._list(rows))
        except ProgrammingError as error:
            if not self._nothing_is_loaded(error):
                raise
            # Before the first load there are no tables, hence no rows. Not looked up beforehand:
            # that would cost every request a query.
            return self._answer(rows.none())

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        """One row: the newest, where an `append` has left several of its key."""
        shown = columns.chosen(request, self.columns)
        named_day(request)
        try:
            return self._fresh(lambda: self._row(pk, shown))
        except ProgrammingError as error:
            if not self._nothing_is_loaded(error):
                raise
            raise self._unknown() from None

    def _fresh(self, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The answer with its ETag, or that the client has it; pages for people have none."""
        chosen = self.request.accepted_renderer
        self.last_load = self._read_last()
        if self.last_load is None or chosen.format == PageRenderer.format:
            return answer()
        tag = entity_tag(self.last_load, self.request, (chosen.format, self._coding))
        response = not_modified(self.request, tag) or answer()
        if self.part is None or self.part.steady:
            response["ETag"] = tag
        return response

    def _read_last(self) -> LastLoad | None:
        """What the rows are of."""
        return LastLoad.read()

    @cached_property
    def _coding(self) -> str:
        """How the body is compressed."""
        chosen = self.request.accepted_renderer
        if not (isinstance(chosen, RowFormat) and chosen.compressible):
            return content_coding.IDENTITY
        return content_coding.chosen(self.request.headers.get("Accept-Encoding", ""))

    def _list(self, rows: QuerySet[Any]) -> HttpResponseBase:
        known_day(self.request)
        return self._answer(rows)

    def _row(self, key: str, shown: tuple[str, ...]) -> Response:
        known_day(self.request)
        rows = self._with_key(self.get_queryset(), key).order_by(*NEWEST_FIRST)
        row = rows.values(*shown).first()
        if row is None:
            raise self._unknown()
        return Response(row)

    def _nothing_is_loaded(self, error: ProgrammingError) -> bool:
        """Whether it failed because there are no tables yet; after a load one missing is damage."""
        return self.last_load is None and isinstance(error.__cause__, UndefinedTable)

    def _unknown(self) -> NotFound:
        day = self.request.query_params.get(AS_OF)
        known = f" as of {day}" if day else ""
        return NotFound(f"There is no {self._noun} with this id{known}.")

    @property
    def columns(self) -> tuple[str, ...]:
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
        return rows.filter(**{self.columns[0]: key})

    def _answer(self, rows: QuerySet[Any]) -> HttpResponseBase:
        chosen, shown = self.request.accepted_renderer, self.asked.columns
        read = None
        if isinstance(chosen, RowFormat) and self.request.method != "HEAD":
            read = partial(chosen.together, model=self.queryset.model, columns=shown)
        part = self.part = self.asked.part_of(rows, self._there, read)
        response: HttpResponseBase
        if not isinstance(chosen, RowFormat):
            response = Response({self.basename: list(part.rows.values(*shown)), **part.facts})
        else:
            answer = Rows(
                key=self.basename,
                model=self.queryset.model,
                columns=shown,
                rows=part.rows,
                format=chosen,
                coding=self._coding,
                facts=part.facts,
                page=self.asked.part is not None,
                written=part.written,
            )
            if self.request.method == "HEAD":
                response = answer.heading()
            else:
                response = answer.answer(self.request.META, few=part.few)
        if part.links:
            response["Link"] = links.header(part.links)
        return response

    @property
    def _there(self) -> int | None:
        """How many rows the table, or that of all versions, has, as the last load left it."""
        if self.last_load is None:
            return None
        day = AS_OF in self.request.query_params
        stored = self.last_load.versions if day else self.last_load.current
        return stored.get(self.basename.removesuffix("s"))


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
            if not self._nothing_is_loaded(error):
                raise
            raise self._unheard_of() from None

    def _story(self, key: str) -> Response:
        versions = self._with_key(self.versions.keyed(), key).order_by(*OLDEST_FIRST)
        chapters = story(list(versions), self.columns)
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
            "row": {column: getattr(version, column) for column in self.columns},
        }
