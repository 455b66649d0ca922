"""Columns: those that are asked for, in that order, in every format."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from pyarrow import parquet

from subscriptions.tests.histories import History

from .test_row_formats import body
from .test_tables import cells
from .test_viewsets import LISTS, each_list, stored

loaded = pytest.mark.usefixtures("dataset", "db")


@loaded
@each_list
def test_the_order_is_the_query_s(api: Client, path: str) -> None:
    columns = LISTS[path][1].split()[::-1]
    expected = [{column: row[column] for column in columns} for row in stored(path)]
    rows = api.get(f"/{path}", {"fields": ",".join(columns)}).json()[path]
    assert rows == expected
    assert list(rows[0]) == columns
    one = api.get(f"/{path}", {"fields": columns[0]}).json()[path]
    assert one == [{columns[0]: row[columns[0]]} for row in expected]


@loaded
def test_every_format(api: Client, person: Client) -> None:
    query = {"fields": "email,user_id", "size": "3", "page": "1"}
    assert api.get("/users", query | {"format": "csv"}).text.splitlines()[0] == "email,user_id"
    table = parquet.read_table(io.BytesIO(body(api.get("/users", query | {"format": "parquet"}))))
    assert table.column_names == ["email", "user_id"]
    assert cells(person.get("/users", query).text)[0] == ["email", "user_id"]
    assert list(api.get("/users", query | {"format": "json"}).json()["users"][0]) == [
        "email",
        "user_id",
    ]


@loaded
@each_list
def test_a_single_row(api: Client, person: Client, path: str) -> None:
    row = stored(path)[0]
    key, *_, last = row
    address = f"/{path}/{row[key]}"
    assert list(api.get(address, {"fields": f"{last},{key}"}).json()) == [last, key]
    assert [name for name, _ in cells(person.get(address, {"fields": last}).text)] == [
        "column",
        last,
    ]
    assert api.get(f"{address}?fields=nonsense").status_code == 400


def test_as_of(api: Client, lived: History) -> None:
    answer = api.get(f"/subscriptions?as_of={lived.days[1]}&fields=status,subscription_id").json()
    assert answer["subscriptions"] == [
        {"status": row["status"], "subscription_id": row["subscription_id"]}
        for row in lived.known("subscription", lived.days[1])
    ]


@pytest.mark.parametrize("world", ["dataset", "no_dataset"])
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("emial", 'Unknown field "emial": use user_id'),
        ("email,emial", '"emial"'),
        ("email,email", '"email" twice'),
        ("", "Unknown field: use"),
        ("email,", "Unknown field: use"),
        (" email", "Unknown field: use"),
        ("valid_from", "Unknown field"),
        ("dlt_id", "Unknown field"),
        ("plan__plan_name", "Unknown field"),
        ("x" * 100_000, "Unknown field: use"),
        ("\0", "Unknown field: use"),
    ],
)
def test_junk(
    api: Client, fields: str, told: str, world: str, request: pytest.FixtureRequest, db: None
) -> None:
    request.getfixturevalue(world)
    response = api.get("/users", {"fields": fields})
    assert response.status_code == 400
    assert told in response.json()["error"]
    assert len(response.content) < 300
