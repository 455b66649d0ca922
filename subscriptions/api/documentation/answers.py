"""SERVE (step 4), API documentation: what answers hold, and with which headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rest_framework.renderers import BaseRenderer

from subscriptions.api.renderers import PageRenderer
from subscriptions.api.row_formats import CSVRows, NDJSONRows, ParquetRows

Schema = dict[str, Any]

JSON: Final = "application/json"
HTML: Final = PageRenderer.media_type

ERROR: Final[Schema] = {
    "type": "object",
    "description": "What went wrong, in a sentence that says what to do.",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
FAILURE: Final[Schema] = {
    **ERROR,
    "description": "What went wrong on the server's side.",
    "properties": {
        **ERROR["properties"],
        "traceback": {"type": "string", "description": "In development alone."},
    },
}
RETRY_AFTER: Final[Schema] = {
    "description": "Seconds after which to try again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}
CHALLENGE: Final[Schema] = {
    "description": "How to say who asks.",
    "required": True,
    "schema": {"type": "string", "pattern": "^Basic "},
}
HEADERS: Final[Mapping[str, Schema]] = {
    "ETag": {
        "description": "A strong validator of the last load, the request and the content coding: "
        "send it as `If-None-Match` to be told whether anything has changed. Absent before the "
        "first load and from pages for people.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Content-Encoding": {
        "description": "`gzip` or `zstd`, where `Accept-Encoding` allows it.",
        "schema": {"type": "string", "enum": ["gzip", "zstd"]},
    },
}
LINK: Final[Schema] = {
    "description": "Of a page or a cursor: the addresses of others (RFC 8288: `first`, `prev`, "
    "`next`, `last`), relative to this server and without credentials.",
    "schema": {"type": "string"},
}
PAGE_FOR_PEOPLE: Final[Schema] = {
    "schema": {"type": "string", "description": "A page for people, with the same data."}
}


def _problem(says: str, example: str, schema: str = "Error", **headers: Schema) -> Schema:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {
        "description": says,
        "headers": {name.replace("_", "-"): header for name, header in headers.items()},
        "content": {
            JSON: {"schema": reference, "example": {"error": example}},
            HTML: PAGE_FOR_PEOPLE,
        },
    }


# By status: the name of the component, and the response.
PROBLEMS: Final[Mapping[int, tuple[str, Schema]]] = {
    400: (
        "BadRequest",
        _problem(
            "A query parameter is unknown, comes twice or has an impossible value; it is named.",
            'The query parameter "as_of" must be a date (YYYY-MM-DD).',
        ),
    ),
    401: (
        "Unauthorized",
        _problem(
            "Credentials are missing or wrong.",
            "Wrong username or password.",
            WWW_Authenticate=CHALLENGE,
        ),
    ),
    403: (
        "Forbidden",
        _problem(
            "Signed in to the admin as a user who is not staff.",
            "You are signed in as a user who is not staff.",
        ),
    ),
    404: (
        "NotFound",
        _problem(
            "Nothing has this key (on that day), or there is no such page.",
            "There is no user with this id.",
        ),
    ),
    406: (
        "NotAcceptable",
        _problem(
            "No format of this path is among those in `Accept`.",
            "Could not satisfy the request Accept header.",
        ),
    ),
    412: (
        "PreconditionFailed",
        _problem("`If-Match` names another state than the present one.", "Precondition Failed."),
    ),
    429: (
        "TooManyRequests",
        _problem(
            "Too many wrong credentials came from this address, or for this name; right ones are "
            "refused meanwhile, too.",
            "Too many failed attempts to sign in: try again in 42 seconds.",
            Retry_After=RETRY_AFTER,
        ),
    ),
    500: (
        "ServerError",
        _problem(
            "The server failed; its log says why.",
            "The server failed to answer this; the failure is in its log.",
            "Failure",
        ),
    ),
    503: (
        "Unavailable",
        _problem(
            "The database does not answer, or too many lists are being read.",
            "The database does not answer; try again in a moment.",
            "Failure",
            Retry_After=RETRY_AFTER,
        ),
    ),
}


def problems(*statuses: int) -> dict[str, Schema]:
    """References to those of these statuses."""
    return {
        str(status): {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}
        for status in statuses
    }


def plain_problems(*statuses: int) -> dict[str, Schema]:
    """The same for paths that answer JSON alone, whatever is asked for."""
    return {
        str(status): {
            **PROBLEMS[status][1],
            "content": {JSON: PROBLEMS[status][1]["content"][JSON]},
        }
        for status in statuses
    }


def success(
    description: str,
    schema: Schema,
    renderers: Iterable[BaseRenderer] = (),
    headers: Mapping[str, Schema] = {},
    columns: Sequence[str] = (),
) -> Schema:
    """A 200.

    Args:
        description: what it holds.
        schema: of its JSON.
        renderers: the formats that there are; JSON alone if none.
        headers: those that are worth knowing.
        columns: of a list, for the examples of its formats.
    """
    media = {renderer.media_type: _media(renderer.media_type, columns) for renderer in renderers}
    return {
        "description": description,
        **({"headers": dict(headers)} if headers else {}),
        "content": {**media, JSON: {"schema": schema}},
    }


def _media(media_type: str, columns: Sequence[str]) -> Schema:
    """What there is to say of another format than JSON."""
    match media_type:
        case NDJSONRows.media_type:
            says = "One JSON object for each row, each on a line of its own."
        case CSVRows.media_type:
            says = f"RFC 4180, in UTF-8, with a header: `{','.join(columns)}`. Null is empty."
        case ParquetRows.media_type:
            return {
                "schema": {
                    "type": "string",
                    "format": "binary",
                    "description": "Apache Parquet, with dates as dates, in row groups.",
                }
            }
        case _:
            return PAGE_FOR_PEOPLE
    return {"schema": {"type": "string", "description": says}}
