"""A copy of the API in DuckDB by dlt: everything at first, then what is new."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")  # before dlt reads it

import dlt
from dlt.sources.rest_api import rest_api_source

URL = os.environ.get("API_URL", "http://127.0.0.1:8000")
USERNAME = os.environ.get("API_USERNAME", "admin")
PASSWORD = os.environ.get("API_PASSWORD", "admin")
# Not named like the dataset: DuckDB calls the file's content by its name, as it does a schema.
FILE = os.environ.get("DUCKDB_FILE", "api_copy.duckdb")
SIZE = 1000  # rows of a page, the most that the API gives


def resource(table: str, **parameters: Any) -> dict[str, Any]:
    """One of the four lists, walked through by its cursor; rows of the same key are updated."""
    return {
        "name": table,
        "primary_key": "usage_id" if table == "usages" else f"{table.removesuffix('s')}_id",
        "write_disposition": "merge",
        "endpoint": {
            "path": table,
            "data_selector": table,
            "params": {"cursor": "", "size": SIZE, **parameters},
            "paginator": {"type": "json_link", "next_url_path": "next"},
        },
    }


def source() -> Any:
    """The API's four tables: of usage, which never changes, from the last day that is there on.

    The others are asked for whole, and `merge` updates what has changed. After a load that replaced
    the company by another, begin a new copy.
    """
    days: dict[str, Any] = {
        "type": "incremental",
        "cursor_path": "usage_date",
        "initial_value": "2024-08-01",  # the company's first day
    }
    config: Any = {
        "client": {
            "base_url": URL,
            "auth": {"type": "http_basic", "username": USERNAME, "password": PASSWORD},
        },
        "resources": [
            resource("plans"),
            resource("users"),
            resource("subscriptions"),
            resource("usages", usage_date__gte=days, ordering="usage_date"),
        ],
    }
    return rest_api_source(config)


def main() -> None:
    """Copy, and say how much came."""
    pipeline: Any = dlt.pipeline(
        "subscriptions_to_duckdb",
        destination=dlt.destinations.duckdb(FILE),
        dataset_name="subscriptions",
    )
    pipeline.run(source())
    came = pipeline.last_trace.last_normalize_info.row_counts
    with pipeline.sql_client() as client:
        for table in ("plans", "users", "subscriptions", "usages"):
            [(rows,)] = client.execute_sql(f"SELECT count(*) FROM {table}")
            print(f"{table}: {came.get(table, 0)} rows came, {rows} are there")


if __name__ == "__main__":
    main()
