"""The three paths of the documentation, as programs get them."""

from __future__ import annotations

import gzip
import json
import re

import pytest
import zstandard
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from subscriptions.api.documentation.document import document

PATHS = ("/openapi.json", "/docs", "/redoc")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.django_db
def test_open_to_everybody_and_without_a_query(
    client: Client, path: str, slash: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get(path + slash)
    assert response.status_code == 200
    kind = "application/json" if path == "/openapi.json" else "text/html; charset=utf-8"
    assert response["Content-Type"] == kind
    assert response["Cache-Control"] == "no-cache"


def test_the_document(client: Client) -> None:
    response = client.get("/openapi.json", headers={"accept": "text/html"})
    assert response.json() == json.loads(json.dumps(document()))
    assert client.head("/openapi.json").content == b""


def test_the_document_is_compressed(client: Client) -> None:
    plain = client.get("/openapi.json")
    zipped = client.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content
    better = client.get("/openapi.json", headers={"accept-encoding": "zstd, gzip"})
    assert better["Content-Encoding"] == "zstd"
    assert zstandard.ZstdDecompressor().decompressobj().decompress(better.content) == plain.content
    assert len({plain["ETag"], zipped["ETag"], better["ETag"]}) == 3
    assert "Accept-Encoding" in plain["Vary"]


def test_the_document_is_not_sent_twice(client: Client) -> None:
    tag = client.get("/openapi.json")["ETag"]
    again = client.get("/openapi.json", headers={"if-none-match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    other = client.get("/openapi.json", headers={"if-none-match": '"another"'})
    assert other.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_parameter_is_refused(client: Client, path: str) -> None:
    response = client.get(f"{path}?lang=de")
    assert response.status_code == 400
    assert '"lang"' in response.json()["error"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_hold_no_script_or_style_of_their_own(client: Client, path: str) -> None:
    response = client.get(path)
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "style=" not in response.text
    assert "<style" not in response.text
    assert re.findall(r"<script[^>]*>[^<]", response.text) == []
    held = re.findall(r'(?:src|href)="(/static/[^"]*)"', response.text)
    assert len(held) >= 5
    for address in held:
        assert finders.find(address.removeprefix("/static/")), address
