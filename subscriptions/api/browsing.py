"""SERVE (step 4), API: a list's page for people: which rows it shows, and ways to others."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from rest_framework.request import Request

from subscriptions.api import links, tables
from subscriptions.api.as_of import AS_OF
from subscriptions.api.authentication import CREDENTIALS
from subscriptions.api.ordering import ORDERING
from subscriptions.api.search import SEARCH

if TYPE_CHECKING:
    from subscriptions.api.pagination import Page  # these know the renderer, which knows this
    from subscriptions.api.parts import Part
    from subscriptions.api.row_viewsets import RowViewSet

# What makes a part of a list: without these an address has all of it, or begins anew.
WHOLE: Final[dict[str, None]] = dict.fromkeys(("page", "size", "count", "cursor"))
ANEW: Final[dict[str, None]] = dict.fromkeys(("page", "cursor"))


def of_list(
    view: RowViewSet[Any], request: Request, rows: Sequence[Mapping[str, Any]], query: str
) -> dict[str, Any]:
    """What the template shows of a list; `query` goes with every link to a row."""
    table = tables.of_rows(rows, query)
    header = [_sortable(cell, view, request) for cell in table.header]
    whole = request.build_absolute_uri(links.here(request, format=None, **WHOLE))
    return {
        "as_of": request.query_params.get(AS_OF),
        "table": replace(table, header=header),
        "narrowed": view.asked.narrowed,
        "in_effect": list(_in_effect(view, request)),
        "form": _form(view, request),
        "command": f"curl --user USERNAME {shlex.quote(whole)}",
        **_part(view, view.part, len(rows)),
    }


def _sortable(cell: tables.Cell, view: RowViewSet[Any], request: Request) -> tables.Cell:
    """A column's header, which orders by it: the other way round, if the rows are already."""
    if cell.text not in view.orderings.first:
        return cell
    first = view.asked.order[0]
    ordered = first.column == cell.text
    turned = f"-{cell.text}" if ordered and not first.descending else cell.text
    sort = ("descending" if first.descending else "ascending") if ordered else ""
    return replace(cell, href=links.here(request, **{**ANEW, ORDERING: turned}), sort=sort)


def _in_effect(view: RowViewSet[Any], request: Request) -> Iterator[tuple[str, str, str]]:
    """What narrows the list: name, value, and the address of the list without it."""
    filters = view.filterset_class.base_filters
    for name, value in request.query_params.items():
        if name in filters or (name in {AS_OF, SEARCH} and value):
            yield name, str(value), links.here(request, **{**ANEW, name: None})


def _form(view: RowViewSet[Any], request: Request) -> dict[str, Any]:
    """A search and an order, with everything else that the query says."""
    asked = request.query_params.get(ORDERING, ",".join(view.orderings.usual))
    choices = {f"{sign}{column}" for column in view.orderings.first for sign in ("", "-")}
    changing = {*CREDENTIALS, *ANEW, SEARCH, ORDERING}
    return {
        "search": request.query_params.get(SEARCH, ""),
        "hint": view.finding.hint if view.finding else "",
        "ordering": asked,
        "orderings": sorted(
            {*choices, asked}, key=lambda name: (name.lstrip("-"), name[:1] == "-")
        ),
        "kept": [(n, v) for n, v in request.query_params.items() if n not in changing],
    }


def _part(view: RowViewSet[Any], part: Part | None, shown: int) -> dict[str, Any]:
    """Which rows these are, and links to the others."""
    assert part  # noqa: S101 - a list's page always shows one
    facts, addresses = part.facts, part.links
    around: dict[str, Any] = {
        "previous_url": addresses.get("prev"),
        "next_url": addresses.get("next"),
        "page_links": [],
    }
    if "page" not in facts:
        return {"rows_shown": f"{shown:,} rows", "pages": around if "next" in addresses else None}
    page: Page = view.asked.part  # type: ignore[assignment]  # as it has a number
    total, exact = facts["total"], facts["count"] == "exact"
    of = "" if total is None else f" of {'' if exact else 'about '}{total:,}"
    several = page.number > 1 or "next" in addresses
    around["page_links"] = list(_numbered(page, facts["pages"] if exact else None, addresses))
    return {
        "rows_shown": f"Rows {page.start + 1:,} to {page.start + shown:,}{of}"
        if several
        else f"{shown:,} rows",
        "pages": around if several else None,
    }


def _numbered(
    page: Page, pages: int | None, addresses: Mapping[str, str]
) -> Iterator[tuple[int | str, str]]:
    """Page numbers and their addresses, none for those that are left out."""
    last = pages or page.number + ("next" in addresses)
    paginator = Paginator(range(min(last, page.deepest)), 1)
    for number in paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        yield number, page.url(number) if isinstance(number, int) else ""
