"""SERVE (step 4), API documentation: the OpenAPI document, made once in each process."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Any

from subscriptions.api import content_coding


@cache
def document() -> dict[str, Any]:
    """The document as Python has it; it depends on this release alone, so no database is asked."""
    from drf_spectacular.generators import SchemaGenerator  # many modules, for few who ask

    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@cache
def encoded_document(coding: str) -> tuple[bytes, str]:
    """Its bytes in a content coding, and their strong ETag."""
    text = json.dumps(document(), ensure_ascii=False, separators=(",", ":"))
    body = b"".join(content_coding.encoded([text.encode()], coding))
    return body, f'"{sha256(body).hexdigest()[:32]}"'
