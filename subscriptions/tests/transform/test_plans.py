"""What the transform's statements cost: the rows that their plans visit, on whatever machine.

A plan may visit each row that it reads or writes once in each of its nodes, however many these are.
One that looks through a table for each row of another visits hundreds of times as many, also where
the users are so few that nobody waits for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final

import pytest
from dbt.adapters.sql.connections import SQLConnectionManager
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform.run import run

# Without times, whose reading would cost more than the statements.
EXPLAIN: Final = "EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) "
# What dbt sends: its comment, and what builds a table or asks for rows.
EXPLAINED: Final = re.compile(
    r"\s*(?:/\*.*?\*/\s*)?(?=create\s+(?:unlogged\s+)?table|select\b|with\b)", re.DOTALL
)

Node = dict[str, Any]


class Plans:
    """The plans of all statements that dbt has run, in sums for those that it runs repeatedly."""

    def __init__(self) -> None:
        self._visited: Counter[str] = Counter()
        self._allowed: dict[str, float] = {}
        self._made_by: dict[str, str] = {}

    def clear(self) -> None:
        """Forget all."""
        for kept in (self._visited, self._allowed, self._made_by):
            kept.clear()

    def take(self, cursor: Any, name: str, statement: str) -> None:
        """Take the plan that a cursor has just been given."""
        found = list(nodes(cursor.fetchone()[0][0]["Plan"]))
        read = self._read(cursor, found)
        self._visited[statement] += round(sum(map(visited, found)))
        self._allowed[statement] = len(found) * (read + found[0]["Actual Rows"])
        self._made_by.setdefault(statement, name)

    @staticmethod
    def _read(cursor: Any, found: list[Node]) -> float:
        """How many different rows of tables a plan visits, at most."""
        by_relation: defaultdict[str, float] = defaultdict(float)
        for node in found:
            if "Relation Name" in node:
                by_relation[f'"{node["Schema"]}"."{node["Relation Name"]}"'] += visited(node)
        read = 0.0
        for relation, rows in by_relation.items():
            cursor.execute(f"SELECT count(*) FROM {relation}")
            read += min(rows, cursor.fetchone()[0])
        return read

    def excessive(self, stored: int) -> list[str]:
        """Those that visit more than each row once in each node; as many as are stored may all."""
        return [
            f"{self._made_by[statement]} visits {rows:,} rows, not {self._allowed[statement]:,.0f}"
            f" or fewer: {' '.join(statement.split())[:200]}"
            for statement, rows in self._visited.items()
            if rows > stored and rows > self._allowed[statement]
        ]


def nodes(top: Node) -> Iterator[Node]:
    """A plan's nodes, the given one first."""
    yield top
    for below in top.get("Plans", ()):
        yield from nodes(below)


def visited(node: Node) -> float:
    """The rows that a node has passed on or thrown away."""
    removed = sum(rows for name, rows in node.items() if name.startswith("Rows Removed by"))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


@pytest.fixture
def dataset_name() -> str:
    """The dataset's, by which dbt knows the project as parsed."""
    return TRANSFORMED


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Plans:
    """Those of whatever dbt runs from now on."""
    add_query: Callable[..., tuple[Any, Any]] = SQLConnectionManager.add_query
    taken = Plans()

    def explained(manager: Any, sql: str, *arguments: Any, **named: Any) -> tuple[Any, Any]:
        matched = EXPLAINED.match(sql)
        if matched is None:
            return add_query(manager, sql, *arguments, **named)
        statement = sql[matched.end() :]
        connection, cursor = add_query(manager, EXPLAIN + statement, *arguments, **named)
        taken.take(cursor, connection.name, statement)
        if statement.startswith("create"):
            return connection, cursor  # which has made the table as well
        return add_query(manager, sql, *arguments, **named)

    monkeypatch.setattr(SQLConnectionManager, "add_query", explained)
    return taken


def forget_statistics(target: Target) -> None:
    """Leave the planner without any of the dataset's and its marts' tables, as a restore does."""
    query = """
        DELETE FROM pg_statistic WHERE starelid IN (
            SELECT oid FROM pg_class WHERE starts_with(relnamespace::regnamespace::text, %s)
        )
    """
    with target.connect("test") as session:
        session.execute(query, (target.dataset,))


@pytest.mark.parametrize(("users", "has_statistics"), [(2000, True), (500, False)])
def test_no_plan_visits_rows_again_and_again(
    target: Target, plans: Plans, *, users: int, has_statistics: bool
) -> None:
    first = Request(users=users, epoch=date(2025, 6, 1), as_of=date(2026, 1, 28))
    for request in (first, Request(advance="1m"), Request(advance="1d")):
        loaded = pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)
        if not has_statistics:
            forget_statistics(target)
        plans.clear()
        assert run(target, lambda _line: None).full_refresh == (request is first)
        assert plans.excessive(sum(loaded.receipt.rows.values())) == []
