"""SERVE, people: a list: what its address asks for, and the page that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.paginator import InvalidPage, Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

from subscriptions.admin import stretch
from subscriptions.admin.bad_addresses import LONGEST_NUMBER
from subscriptions.admin.display import url
from subscriptions.admin.stretch import Way

AFTER_VAR = "after"


class PagesOfKeys(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Pages of the keys that were found."""

    template_name = "admin/subscriptions/pagination.html"


class Listing(ChangeList):
    """A list that looks at a bounded stretch of rows, and says where there are more."""

    model_admin: Any  # always a ReadOnlyAdmin
    filter_specs: list[Any]  # each a Condition

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.after = request.GET.get(AFTER_VAR, "")
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """The filters' parameters; where a stretch begins is none, and ends with a new search."""
        self.filter_params.pop(AFTER_VAR, None)
        return super().get_filters_params(params)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """The list's address with changes; its other pages are pages of the same stretch."""
        if self.after and PAGE_VAR in (new_params or {}):
            new_params = {AFTER_VAR: self.after, **new_params}
        return super().get_query_string(new_params, remove)

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> models.QuerySet[Any]:
        """The whole list in its order, which only an export reads."""
        rows = super().get_queryset(request, exclude_parameters)
        self.order = self._total([str(column) for column in rows.query.order_by])
        return rows.order_by(*self.order)

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:
        """The order that is asked for, if it is offered, or else that of the dates asked for."""
        asked = self.params.get(ORDER_VAR)
        if asked and not all(map(self._offered, asked.split("."))):
            raise IncorrectLookupParameters
        along = next((way.along for way in reversed(self.ways) if way.along), "")
        if not asked and along:
            return [f"-{along}", "-pk"]
        ordering: list[Any] = super().get_ordering(request, queryset)
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        """Look for the rows, and fetch those of the page."""
        fits = self._fits()
        seen = stretch.look(self.model, fits, self.order, self.ways, self._begin())
        self.paginator = PagesOfKeys(seen.found, self.list_per_page)
        try:
            page = self.paginator.page(self.page_num)
        except InvalidPage as error:
            raise IncorrectLookupParameters from error
        rows = self.root_queryset.order_by().in_bulk(
            page.object_list, field_name=stretch.identity(self.model)
        )
        self.result_list = [rows[key] for key in page.object_list if key in rows]
        self.result_count = self.full_result_count = self.paginator.count
        self.multi_page = self.paginator.num_pages > 1
        self.show_full_result_count = self.can_show_all = False
        self.show_admin_actions = False
        self.asked = bool(fits)
        self.looked_at = f"{stretch.LOOKED_AT:,}"
        self.begin, self.further = super().get_query_string(), ""
        self.export = url(self.model, "export") + self.begin
        if seen.further:
            # A key and no offset: the rows before it are not read again.
            self.further = super().get_query_string({AFTER_VAR: seen.further})

    def _begin(self) -> models.Model | None:
        """The row after which to begin."""
        if not self.after:
            return None
        if "\0" in self.after:
            raise IncorrectLookupParameters
        column = stretch.identity(self.model)
        row: models.Model | None = self.model._default_manager.filter(
            **{column: self.after}
        ).first()
        if row is None:
            raise IncorrectLookupParameters
        return row

    def _fits(self) -> Q:
        """All conditions together."""
        fits = Q()
        for spec in self.filter_specs:
            fits &= spec.condition()
        searched: Q = self.model_admin.search_condition(self.query)
        return fits & searched

    @cached_property
    def ways(self) -> Sequence[Way]:
        """The indexes that lead to what is asked for, the most selective first."""
        found = self.model_admin.search_ways(self.query)
        ways = [*([Way(found)] if found else []), *(spec.way() for spec in self.filter_specs)]
        return sorted(filter(None, ways), key=lambda way: bool(way.along))

    def _offered(self, part: str) -> bool:
        number = part.removeprefix("-")
        sortable = self.list_display if self.sortable_by is None else self.sortable_by
        return (
            number.isdecimal()
            and len(number) < LONGEST_NUMBER
            and int(number) < len(self.list_display)
            and self.list_display[int(number)] in sortable
        )

    def _total(self, order: Sequence[str]) -> tuple[str, ...]:
        """The order's columns, completed to one that no two stored rows share a place in."""
        key = stretch.identity(self.model)
        if key == self.lookup_opts.pk.name:
            return tuple(order)
        return (*order, f"-{key}" if order[-1].startswith("-") else key)
