"""SERVE (step 4), API documentation: the query parameters, and headers that change an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rest_framework.renderers import BaseRenderer

from subscriptions.api.as_of import AS_OF
from subscriptions.api.columns import FIELDS
from subscriptions.api.cursors import CURSOR
from subscriptions.api.ordering import ORDERING
from subscriptions.api.pagination import COUNT, ESTIMATED, EXACT, NONE, PAGE
from subscriptions.api.parts import LARGEST_SIZE, SIZE, USUAL_SIZE
from subscriptions.api.search import SEARCH

Schema = dict[str, Any]

FORMAT: Final = "format"
FORMATS: Final[Mapping[str, str]] = {
    "json": "JSON",
    "ndjson": "a JSON object on each line",
    "csv": "CSV, for `pandas.read_csv`",
    "csv-safe": "CSV for spreadsheets, in which no cell runs as a formula",
    "parquet": "Apache Parquet, for `pandas.read_parquet`",
    "api": "a page for people",
}

# By name, for every path that takes it.
PARAMETERS: Final[Mapping[str, Schema]] = {
    AS_OF: {
        "description": "Answer what was known at 00:00 UTC of this day. The first day is that of "
        "the dataset's first load; an earlier one is an error that names it.",
        "schema": {"type": "string", "format": "date"},
    },
    SEARCH: {
        "description": "Of users: a user id, the start of an e-mail address or last name, or a "
        "first name and the start of a last one. Of plans: an id or a part of the name. Of the "
        "others: their own id or a user's. In any case.",
        "schema": {"type": "string", "maxLength": 500},
    },
    ORDERING: {
        "description": "Columns to order by, separated by commas; descending after a minus sign. "
        "The key decides between equal rows. Null comes last, descending first.",
        "schema": {"type": "string"},
    },
    FIELDS: {
        "description": "Columns to answer, separated by commas, in this order.",
        "schema": {"type": "string"},
    },
    PAGE: {
        "description": "Answer one page, with `total`, `page`, `size`, `pages` and `count`, not "
        "all rows.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    },
    SIZE: {
        "description": f"Rows of a page or after a cursor; {USUAL_SIZE} without it.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE},
    },
    COUNT: {
        "description": "How the `total` of a page comes about.",
        "schema": {"type": "string", "enum": [EXACT, ESTIMATED, NONE]},
    },
    CURSOR: {
        "description": "Answer the rows after this place, with `next` and `size`; empty: from the "
        "start. Walk by the links in `next`.",
        "schema": {"type": "string"},
        "allowEmptyValue": True,
    },
}
CONDITION: Final[Schema] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an earlier answer. Where nothing has changed since, this one is "
    "an empty 304.",
    "schema": {"type": "string"},
}


def of_query(names: Iterable[str], renderers: Iterable[BaseRenderer]) -> list[Schema]:
    """The query parameters of a path, in the order in which people meet them.

    Raises:
        KeyError: one of them is not described here.
    """
    known = {**PARAMETERS, FORMAT: _format(renderers)}
    described = {name: known[name] for name in names}
    order = list(known)
    return [
        {"name": name, "in": "query", **described[name]}
        for name in sorted(described, key=order.index)
    ]


def _format(renderers: Iterable[BaseRenderer]) -> Schema:
    offered = [renderer.format for renderer in renderers]
    says = "; ".join(f"`{name}`: {FORMATS[name]}" for name in offered)
    return {
        "description": f"The format, which otherwise `Accept` decides. {says}.",
        "schema": {"type": "string", "enum": offered},
    }
