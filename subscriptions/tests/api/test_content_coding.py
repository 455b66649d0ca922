"""Content codings: what a client accepts, and that what it gets is the same rows."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import zstandard
from django.test import Client

from subscriptions.api.content_coding import chosen, encoded

from .test_row_formats import body


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("identity", "identity"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("br", "identity"),
        ("*", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0", "identity"),
        ("zstd;q=0, *", "gzip"),
        ("*;q=0", "identity"),
        ("gzip;q=0.5, identity", "identity"),
        ("gzip; q=0.5", "gzip"),
        ("gzip;q=2", "identity"),
        ("gzip;q=x, zstd", "zstd"),
        (",;q=1,,", "identity"),
    ],
)
def test_chosen(accepted: str, coding: str) -> None:
    assert chosen(accepted) == coding


def decoded(content: bytes, coding: str) -> bytes:
    match coding:
        case "gzip":
            return gzip.decompress(content)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_encoded(coding: str) -> None:
    pieces = [b"some", b"", b"thing " * 10_000, b"\xff"]
    assert decoded(b"".join(encoded(pieces, coding)), coding) == b"".join(pieces)
    assert b"" not in list(encoded(pieces, coding))


@pytest.mark.usefixtures("dataset", "db")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("path", ["/usages", "/usages?format=csv", "/usages?page=2&count=exact"])
def test_answers(api: Client, coding: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = body(api.get(path))
    for few in (10_000, 10):  # whole and, but for the page, streamed
        monkeypatch.setattr("subscriptions.api.lists.BLOCK", few)
        response: Any = api.get(path, headers={"accept-encoding": coding})
        assert response["Content-Encoding"] == coding
        assert "Accept-Encoding" in response["Vary"]
        content = body(response)
        assert decoded(content, coding) == plain
        assert len(content) < len(plain) / 2


@pytest.mark.usefixtures("dataset", "db")
def test_parquet_is_compressed_within(api: Client) -> None:
    response = api.get("/users?format=parquet", headers={"accept-encoding": "gzip"})
    assert "Content-Encoding" not in response
