"""SERVE (step 4), API documentation: the OpenAPI document as drf-spectacular makes it from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.types import OpenApiTypes

from subscriptions.api.documentation import (
    columns,  # noqa: F401 - importing it is how drf-spectacular learns of its class
    credentials,  # noqa: F401 - as above
    shapes,
)
from subscriptions.api.documentation.answers import ERROR, FAILURE, PROBLEMS
from subscriptions.api.documentation.filters import of_filters
from subscriptions.api.documentation.operations import (
    MART_NAMES,
    NAMES,
    OTHERS,
    TAGS,
    Operation,
    of_mart,
    of_rows,
)
from subscriptions.api.documentation.parameters import CONDITION, of_query
from subscriptions.api.metrics import MartViewSet
from subscriptions.api.row_viewsets import RowViewSet

Schema = dict[str, Any]

INTRODUCTION: Final = Path(__file__).with_name("introduction.md")


class PathSchema(AutoSchema):
    """What drf-spectacular cannot know of views that answer without a serializer.

    There is one operation for each path, as nothing is ever written.
    """

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema | None:
        """Its parameters and responses instead of those that could be guessed."""
        made: Schema | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if made is None:
            return None
        in_path = [
            {**parameter, "description": "The key of the row."}
            for parameter in made.get("parameters", ())
            if parameter["in"] == "path"
        ]
        names = getattr(self.view, "query_parameters", ())
        return {
            **made,
            "parameters": [
                *in_path,
                *of_query(names, self.view.get_renderers()),
                *(of_filters(self.view) if isinstance(self.view, RowViewSet) else ()),
                *([CONDITION] if "304" in self._told.responses else []),
            ],
            "responses": dict(self._told.responses),
            "security": made.get("security", [{}]),
        }

    def get_request_serializer(self) -> None:
        """Nothing is sent."""

    def get_response_serializers(self) -> Any:
        """That of a row, which is thereby registered."""
        return getattr(self.view, "serializer_class", OpenApiTypes.OBJECT)

    def get_operation_id(self) -> str:
        """What generated clients call their function."""
        return self._told.name

    def get_summary(self) -> str:
        """The operation in a few words."""
        return self._told.summary

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """What is to be known of it."""
        return self._told.description

    def get_tags(self) -> list[str]:
        """The chapter of the reference."""
        return [self._told.tag]

    @property
    def _told(self) -> Operation:
        if isinstance(self.view, MartViewSet):
            return of_mart(self.view)
        if isinstance(self.view, RowViewSet):
            return of_rows(self.view)
        return OTHERS[type(self.view).__name__]


def without_slash(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """The paths as people write them: a slash at their end is accepted, and does nothing."""
    return [(path.rstrip("/") or "/", *rest) for path, *rest in endpoints]


def complete(result: Schema, generator: Any, request: Any, public: bool) -> Schema:  # noqa: FBT001 - as it is called
    """Add what belongs to no single path; the chapters come in the order of TAGS."""
    schemas = result["components"]["schemas"]
    every_name = {**NAMES, **MART_NAMES}
    rows = {name: schemas[name] for name in every_name.values()}
    answers = [shapes.of_answers(path, name, rows[name]) for path, name in every_name.items()]
    every: dict[str, Schema] = {"Error": ERROR, "Failure": FAILURE, **rows}
    for answer in answers:
        every |= answer
    result["components"] |= {
        "schemas": dict(sorted(every.items())),
        "responses": dict(PROBLEMS.values()),
    }
    order = list(TAGS)
    result["paths"] = dict(
        sorted(result["paths"].items(), key=lambda item: order.index(item[1]["get"]["tags"][0]))
    )
    result["info"]["description"] = INTRODUCTION.read_text(encoding="utf-8")
    result["tags"] = [{"name": name, "description": says} for name, says in TAGS.items()]
    return result
