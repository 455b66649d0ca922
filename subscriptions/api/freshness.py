"""SERVE (step 4), API: what the last load tells of an answer before any of its rows is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast

from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from subscriptions import __version__
from subscriptions.api.authentication import CREDENTIALS
from subscriptions.models import LoadReceipt

# As JSON, because a dataset of an older release may lack columns.
NEWEST: Final = (
    "SELECT _dlt_load_id, to_jsonb(receipt) -> 'stored' "
    f"FROM {LoadReceipt._meta.db_table} AS receipt ORDER BY published_at DESC LIMIT 1"
)


@dataclass(frozen=True)
class LastLoad:
    """Its id, and for each table the rows that it left: current ones, and all versions."""

    load_id: str
    current: Mapping[str, int]
    versions: Mapping[str, int]

    @classmethod
    def read(cls) -> LastLoad | None:
        """The last load of the dataset, or None where it has none.

        Raises:
            ProgrammingError: nor any tables.
        """
        with connection.cursor() as cursor:
            cursor.execute(NEWEST)
            newest = cursor.fetchone()
        if newest is None:
            return None
        load_id, stored = newest
        tables: Mapping[str, Any] = json.loads(stored or "null") or {}  # Django leaves it as text
        return cls(
            load_id,
            {name: table["rows"] for name, table in tables.items()},
            {name: table["rows"] + table["closed"] for name, table in tables.items()},
        )


def entity_tag(load: LastLoad, request: Request, variant: Sequence[str]) -> str:
    """A strong ETag: whoever asks the same of the same data gets the same bytes.

    Args:
        load: the last load; rows that were changed by hand since are not noticed.
        request: of which all counts but its credentials, and the parameters' order.
        variant: what else the bytes depend on, such as the format and the content coding.
    """
    asked = sorted(
        (name, value)
        for name, values in request.query_params.lists()
        if name not in CREDENTIALS
        for value in values
    )
    text = repr((__version__, load.load_id, request.path.rstrip("/"), asked, *variant))
    return f'"{sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]}"'


def not_modified(request: Request, tag: str) -> HttpResponseBase | None:
    """304 where `If-None-Match` names the tag (412 where `If-Match` does not), else None.

    A star means any tag; whether there is something that has one, only the answer tells.
    """
    if request.headers.get("If-None-Match", "").strip() == "*":
        return None
    return get_conditional_response(cast("HttpRequest", request), etag=tag)
