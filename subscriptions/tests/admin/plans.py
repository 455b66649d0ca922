"""How PostgreSQL would answer the admin's queries on tables too large to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

KEY_OF = {"user": "user_id", "subscription": "subscription_id", "usage": "usage_id"}
KEYS = {*KEY_OF.values(), "_dlt_id"}
# What has to see all its rows before it gives one; the index scans below it would not end early.
COLLECTS = {"Sort", "Aggregate", "Hash", "Materialize", "WindowAgg", "SetOp", "Bitmap Heap Scan"}
# A small table is read and sorted whatever indexes there are; with these off, only where nothing
# else is possible, which is what happens to a large one.
AS_IF_LARGE = ("enable_seqscan", "enable_sort", "enable_bitmapscan", "enable_hashjoin")


@contextmanager
def growing() -> Iterator[list[str]]:
    """Collect what is wrong with the queries on the dataset that run meanwhile.

    A complaint is a step whose cost grows with the table: one that reads all of it, reads on until
    a condition happens to be met that its index does not know, or collects before a limit.
    """
    complaints: list[str] = []

    def judge(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if settings.DATASET_NAME in sql and sql.startswith(("SELECT", "(SELECT")):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0][0]["Plan"]
            complaints.extend(f"{wrong} in {sql}" for wrong in complain(plan))
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        for switch in AS_IF_LARGE:
            cursor.execute(f"SET LOCAL {switch} = off")
    with connection.execute_wrapper(judge):
        yield complaints


def complain(node: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
    """What in a plan takes longer in a larger table; `limited`: a limit above ends it early."""
    kind = node["Node Type"]
    if node.get("Relation Name") in KEY_OF or kind == "Bitmap Heap Scan":
        yield from _scan(node, limited=limited)
    for child in node.get("Plans", ()):
        # Of the other columns that have an index, few rows share a value.
        sorted_by = node.get("Presorted Key", [""])[0]
        if "plan_id" in sorted_by and child.get("Relation Name") in KEY_OF:
            yield "the rows of a whole plan are sorted"
        yield from complain(child, limited=kind == "Limit" or (limited and kind not in COLLECTS))


def _scan(node: dict[str, Any], *, limited: bool) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    known = _bare(node.get("Index Cond", ""))
    # Rows of one place in the order, or other versions of a row, are passed over.
    passed = {"valid_from", "valid_to", "_dlt_id", KEY_OF.get(table)}
    if kind not in {"Index Scan", "Index Only Scan"}:
        yield f"{kind} of {table}"
    elif re.search(rf"\b({'|'.join(KEYS)}) *=", known):
        return  # one record, or what belongs to one
    elif not limited:
        yield f"{kind} by {node['Index Name']} that no limit ends"
    elif unknown := _columns(_bare(node.get("Filter", ""))) - _columns(known) - passed:
        yield f"{kind} by {node['Index Name']} that looks for {', '.join(sorted(unknown))}"


def _bare(condition: str) -> str:
    """A condition as EXPLAIN prints it, without literals, types and brackets."""
    return re.sub(r"'(?:[^']|'')*'|::[a-z ]+(?:\[\])?|[()]", "", condition)


def _columns(condition: str) -> set[str]:
    return set(re.findall(r"[a-z_]+", condition))
