"""SERVE (step 4), API documentation: what each path offers, in words and as responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from subscriptions.api.documentation.answers import (
    HEADERS,
    HTML,
    JSON,
    LINK,
    PAGE_FOR_PEOPLE,
    Schema,
    plain_problems,
    problems,
    success,
)
from subscriptions.api.documentation.shapes import some_of
from subscriptions.api.metrics import METRICS, MISSING, MartViewSet, name_of
from subscriptions.api.row_viewsets import RowViewSet

UNCHANGED: Final[Schema] = {
    "description": "Nothing has changed since the answer with this `ETag`; no body.",
    "headers": {"ETag": HEADERS["ETag"]},
}
NAMES: Final[Mapping[str, str]] = {
    "users": "User",
    "plans": "Plan",
    "subscriptions": "Subscription",
    "usages": "Usage",
}
METRICS_TAG: Final = "Metrics"
MART_NAMES: Final[Mapping[str, str]] = {
    name_of(path): viewset.queryset.model.__name__ for path, viewset in METRICS.items()
}
SERVICE: Final = "Service"
DOCUMENTATION: Final = "Documentation"
TAGS: Final[Mapping[str, str]] = {
    "Users": "Who signed up, when, from where, and for which plan.",
    "Plans": "What is on offer, and what it costs a month.",
    "Subscriptions": "Who paid for which plan, and until when.",
    "Usages": "What each user did on a day.",
    METRICS_TAG: "What the business earns, who stays and who leaves: the marts.",
    SERVICE: "Whether the server is well, and what it holds.",
    DOCUMENTATION: "This reference, in three forms. Open to everybody.",
}


@dataclass(frozen=True)
class Operation:
    """A path's GET.

    name       what generated clients call their function.
    responses  by status.
    """

    name: str
    tag: str
    summary: str
    description: str
    responses: Mapping[str, Schema]


def of_mart(view: MartViewSet[Any]) -> Operation:
    """A list of a mart's rows."""
    name = MART_NAMES[view.basename]
    columns = view.serializer_class.Meta.fields
    key = ", ".join(f"`{column}`" for column in view.orderings.usual)
    return Operation(
        f"list{name}",
        METRICS_TAG,
        view.get_view_name(),
        f"{view.__doc__} In the order of {key} unless asked otherwise. A month or plan that the "
        f"marts do not have is refused. 404: {MISSING}",
        {
            "200": _rows(view, _reference(f"{name}List"), "The rows.", columns),
            "304": UNCHANGED,
            **problems(400, 401, 403, 404, 406, 412, 429, 500, 503),
        },
    )


def of_rows(view: RowViewSet[Any]) -> Operation:
    """A list, a row or a history."""
    name, tag = NAMES[view.basename], view.basename.capitalize()
    noun = str(view.queryset.model._meta.verbose_name)
    responses = {"304": UNCHANGED, **problems(400, 401, 403, 404, 406, 412, 429, 500, 503)}
    match view.action:
        case "list":
            columns = view.serializer_class.Meta.fields
            return Operation(
                f"list{tag}",
                tag,
                f"All {view.basename}",
                f"Every current {noun}, or every one that was known on a day (`as_of`). "
                f"`ordering` begins with one of {_listed(view.orderings.first)}; without it the "
                f"order is that of `{columns[0]}`. The answer is streamed: it begins at once, "
                "however long it is, and is cut off visibly if it breaks.",
                {
                    "200": _rows(view, _reference(f"{name}List"), f"The {view.basename}.", columns),
                    **responses,
                },
            )
        case "retrieve":
            return Operation(
                f"get{name}",
                tag,
                f"One {noun}",
                f"The {noun} with this key, as it is now or as it was known on a day (`as_of`).",
                {"200": _rows(view, some_of(name), f"The {noun}."), **responses},
            )
    return Operation(
        f"get{name}History",
        tag,
        f"The history of one {noun}",
        f"All versions of the {noun} with this key, oldest first, and what each of them changed. "
        "A record that is gone has a history, too.",
        {"200": _rows(view, _reference(f"{name}History"), "Its versions."), **responses},
    )


def _rows(view: Any, schema: Schema, description: str, columns: tuple[str, ...] = ()) -> Schema:
    headers = {**HEADERS, "Link": LINK} if columns else {"ETag": HEADERS["ETag"]}
    return success(description, schema, view.get_renderers(), headers, columns)


def _reference(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _both(description: str, schema: Schema) -> Schema:
    return {
        "description": description,
        "content": {JSON: {"schema": schema}, HTML: PAGE_FOR_PEOPLE},
    }


def _addresses() -> Schema:
    """A message, and what there is to go to."""
    links = {
        "type": "object",
        "description": "Addresses by what they lead to.",
        "additionalProperties": {"type": "string", "format": "uri"},
    }
    return _both("The addresses.", _object(message={"type": "string"}, links=links))


def _page(name: str, summary: str, description: str) -> Operation:
    answer = {"description": "The page.", "content": {HTML: {"schema": {"type": "string"}}}}
    return Operation(
        name, DOCUMENTATION, summary, description, {"200": answer, **plain_problems(400, 500)}
    )


# By the name of their view.
OTHERS: Final[Mapping[str, Operation]] = {
    "RootView": Operation(
        "getOverview",
        SERVICE,
        "Overview",
        "A welcome, and the address of everything that this server offers.",
        {
            "200": _addresses(),
            **problems(400, 401, 403, 406, 429, 500, 503),
        },
    ),
    "MetricsView": Operation(
        "getMetrics",
        METRICS_TAG,
        "The marts",
        "The address of each.",
        {
            "200": _addresses(),
            **problems(400, 401, 403, 406, 429, 500, 503),
        },
    ),
    "CheckTablesView": Operation(
        "listTables",
        SERVICE,
        "The tables of the dataset",
        "Names alone, sorted; none before the first load.",
        {
            "200": _both(
                "The names.",
                _object(
                    tables={
                        "type": "array",
                        "items": {"type": "string"},
                        "examples": [["plan", "subscription", "usage", "user"]],
                    }
                ),
            ),
            # Of these 401, 403 and 429 where the settings ask for credentials.
            **problems(400, 401, 403, 406, 429, 500, 503),
        },
    ),
    "HealthView": Operation(
        "getHealth",
        SERVICE,
        "Whether the database answers",
        "For the platform that watches the app: never throttled, never redirected, and whatever a "
        "probe sends along is no error.",
        {
            "200": {
                "description": "It does.",
                "content": {JSON: {"schema": _object(status={"const": "ok", "type": "string"})}},
            },
            **plain_problems(500, 503),
        },
    ),
    "DocumentView": Operation(
        "getOpenAPI",
        DOCUMENTATION,
        "This document",
        "OpenAPI 3.1, for generators of clients, gateways and tests.",
        {
            "200": success(
                "The document.",
                {"type": "object", "required": ["openapi", "info", "paths"]},
                headers=HEADERS,
            ),
            "304": UNCHANGED,
            **plain_problems(400, 412, 500),
        },
    ),
    "DocsView": _page(
        "showDocs", "The reference to try", "Each operation can be sent from the page (Swagger UI)."
    ),
    "RedocView": _page("showRedoc", "The reference to read", "All operations on one page (Redoc)."),
}
