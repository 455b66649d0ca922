"""Walks over real connections while real loads commit: what stays unchanged is seen once."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from elt_site.tests.test_servers import ask, free_port
from subscriptions.load.pipeline import run
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import AS_OF

from .conftest import header_of_served, serving_dataset

DATASET: Final = "walked"
AUTHORIZATION: Final = header_of_served()
Row = tuple[Any, ...]


class Walker:
    """The dataset, a server over it, and a client."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._target = replace(Target.from_settings(), dataset=DATASET, pipeline=DATASET)

    def load(self, **request: Any) -> None:
        run(self._target, Request(**request), settings.LOCAL_DIR / "dlt", lambda _line: None)

    def get(self, address: str) -> dict[str, Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as client:
            client.request("GET", address, headers=AUTHORIZATION)
            response = client.getresponse()
            answer = json.load(response)
            assert response.status == 200, answer
            return dict(answer)

    def rows(self, path: str) -> Counter[Row]:
        return Counter(tuple(row.values()) for row in self.get(f"/{path}")[path])

    def pages(self, address: str, path: str) -> Iterator[list[Row]]:
        further = address
        while further:
            answer = self.get(further)
            yield [tuple(row.values()) for row in answer[path]]
            further = answer["next"]


@pytest.fixture(scope="module")
def walker(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Walker]:
    port, log = free_port(), tmp_path_factory.mktemp("walks") / "log"
    with (
        django_db_blocker.unblock(),
        serving_dataset(log, port, DATASET, database_url),
    ):
        walker = Walker(port)
        walker.load(users=60, as_of=AS_OF, write_disposition="replace")
        assert ask(port, "/healthz") == 200
        yield walker
    with walker._target.connect("test") as session:
        session.execute(f"DROP SCHEMA {DATASET} CASCADE")


LOADS: Final[list[dict[str, Any]]] = [
    {"advance": "40d", "write_disposition": "scd2"},
    {"advance": "40d", "write_disposition": "merge"},
    {"write_disposition": "replace"},  # every row has a new id
    {"write_disposition": "append"},  # and now a copy as well
]


@pytest.mark.parametrize("ordering", ["subscription_id", "-end_date,status"])
def test_a_walk_while_loads_commit(walker: Walker, ordering: str) -> None:
    walker.load(users=60, as_of=AS_OF, seed=42, write_disposition="replace")
    states = [walker.rows("subscriptions")]
    seen: Counter[Row] = Counter()
    loads = iter(LOADS)
    pages = walker.pages(f"/subscriptions?cursor=&size=12&ordering={ordering}", "subscriptions")
    for page in pages:
        assert max(Counter(page).values()) <= 2
        seen += Counter(page)
        if load := next(loads, None):
            before = seen.copy()
            walker.load(**load)
            states.append(walker.rows("subscriptions"))
    assert len(states) == 1 + len(LOADS)
    unchanged = set.intersection(*map(set, states))
    assert len(unchanged) > 40
    for row in unchanged:  # a copy that an append brought before the walk got there is a row, too
        assert seen[row] == (1 if before[row] else 2)
