"""Formats of lists: each holds what PostgreSQL holds, whole or streamed, whatever the text is."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pytest
from django.db import connection
from django.test import Client
from pyarrow import parquet

from .test_viewsets import LISTS, each_list, stored, table

pytestmark = pytest.mark.usefixtures("dataset", "db")

FORMATS: Final = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "csv-safe": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
FORMULAS: Final = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"]
HOSTILE: Final = [*FORMULAS, 'a"b', "a,b", "a\nb", "\\N", "", "ü€😀", "NULL", "NaN", "%s", " =1"]


def body(response: Any) -> bytes:
    """All of it, at whose end the test client closes the answer, as a server would."""
    return b"".join(response) if response.streaming else bytes(response.content)


def read(content: bytes, name: str, path: str) -> list[dict[str, Any]]:
    """The rows in a body, as JSON would have them."""
    match name:
        case "json":
            return list(json.loads(content)[path])
        case "ndjson":
            return [json.loads(line) for line in content.decode().split("\n")[:-1]]
        case "parquet":
            table = parquet.read_table(io.BytesIO(content))
            return [{name: _plain(v) for name, v in row.items()} for row in table.to_pylist()]
    records = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    return list(records)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def same(read: Any, value: Any) -> bool:
    """Whether what was read is the value; CSV has text alone."""
    if not isinstance(read, str) or isinstance(value, str):
        return bool(read == value)
    if isinstance(value, int | float):
        return float(read) == value
    return read == "" if value is None else json.loads(read) == value


def assert_same(rows: list[dict[str, Any]], path: str) -> None:
    wanted = stored(path)
    assert len(rows) == len(wanted)
    for row, expected in zip(rows, wanted, strict=True):
        assert list(row) == LISTS[path][1].split()
        assert all(map(same, row.values(), expected.values())), (row, expected)


@each_list
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_rows(api: Client, path: str, name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "streamed":  # in several blocks, whose seams must not show
        monkeypatch.setattr("subscriptions.api.lines.FETCHED", 2)
        monkeypatch.setattr("subscriptions.api.lists.BLOCK", 2)
        monkeypatch.setattr("subscriptions.api.parquet.GROUP", 100_000)
    response = api.get(f"/{path}?format={name}")
    assert response["Content-Type"] == FORMATS[name]
    assert response.streaming is (way == "streamed")
    assert_same(read(body(response), name, path), path)


@pytest.mark.parametrize("name", FORMATS)
def test_any_text(api: Client, name: str) -> None:
    with connection.cursor() as cursor:
        for number, text in enumerate(HOSTILE):
            cursor.execute(
                f"UPDATE {table('users')} SET last_name = %s WHERE user_id = "
                f"(SELECT user_id FROM {table('users')} ORDER BY user_id LIMIT 1 OFFSET %s)",
                [text, number],
            )
    rows = read(body(api.get(f"/users?format={name}")), name, "users")
    if name == "csv-safe":
        safe = {f"'{text}": text for text in FORMULAS}
        found = [row["last_name"] for row in rows]
        assert set(safe) <= set(found)
        assert not set(FORMULAS) & set(found)
        for row in rows:
            row["last_name"] = safe.get(row["last_name"], row["last_name"])
    assert_same(rows, "users")


def test_null_and_empty_text_differ_in_csv(api: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table('subscriptions')} SET payment_method = '' WHERE plan_id = 2")
    lines = body(api.get("/subscriptions?format=csv")).decode().splitlines()
    assert any(line.endswith(',,,"Active"') for line in lines)  # free: no end, no payment method
    assert any(',"","' in line for line in lines)


def test_types_in_parquet(api: Client) -> None:
    types = {
        path: parquet.read_schema(io.BytesIO(body(api.get(f"/{path}?format=parquet"))))
        for path in LISTS
    }
    assert types["users"].field("signup_date").type == pa.date32()
    assert types["users"].field("plan_id").type == pa.int32()
    assert types["plans"].field("monthly_fee").type == pa.decimal128(10, 2)
    assert types["plans"].field("features").type == pa.list_(pa.string())
    assert types["usages"].field("storage_used_mb").type == pa.float64()
    assert types["subscriptions"].field("payment_method").type == pa.string()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.usefixtures("no_dataset")
def test_before_the_first_load(api: Client, name: str) -> None:
    response = api.get(f"/users?format={name}")
    assert response.status_code == 200
    assert read(body(response), name, "users") == []


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv", FORMATS["parquet"]])
def test_by_accept(api: Client, accept: str) -> None:
    response = api.get("/plans", headers={"accept": accept})
    assert response["Content-Type"].split(";")[0] == accept


@pytest.mark.parametrize("name", FORMATS)
def test_errors_are_json(api: Client, client: Client, name: str) -> None:
    for answer, status in (
        (api.get(f"/users?format={name}&page=x"), 400),
        (client.get(f"/users?format={name}"), 401),
    ):
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/json"
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"json"}))
def test_single_rows_are_json_alone(api: Client, name: str) -> None:
    assert api.get(f"/plans/1?format={name}").json() == {
        "error": "Unknown format: use json or api."
    }


@pytest.mark.parametrize("name", FORMATS)
def test_head_reads_no_row(api: Client, name: str) -> None:
    response = api.head(f"/users?format={name}")
    assert response["Content-Type"] == FORMATS[name]
    assert response["ETag"] == api.get(f"/users?format={name}")["ETag"]
    assert not list(response.streaming_content)  # type: ignore[attr-defined]


def test_only_lists_have_them(api: Client) -> None:
    """What OPTIONS answers is JSON, and under no other name."""
    assert api.options("/plans?format=parquet").status_code == 400
    assert api.options("/plans", headers={"accept": "text/csv"}).status_code == 406
    response = api.options("/plans", headers={"accept": "*/*"})
    assert response["Content-Type"] == "application/json"
    assert response.json()["name"] == "Plans"
