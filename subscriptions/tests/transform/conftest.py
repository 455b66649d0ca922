"""What the tests of whole runs share: a dataset, loads, transforms, and what is in service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings

from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target
from subscriptions.tests.conftest import TRANSFORMED
from subscriptions.transform.marts import FLOWS, MARTS, schema_of
from subscriptions.transform.run import Transformed, run

Load = Callable[..., None]
Transform = Callable[..., Transformed]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def dataset_name() -> str:
    """The dataset's, by which dbt knows the project as parsed."""
    return TRANSFORMED


@pytest.fixture
def load(target: Target) -> Load:
    """Load the test's own dataset."""

    def one(**named: object) -> None:
        request = Request(**named)  # type: ignore[arg-type]
        pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)

    return one


@pytest.fixture
def transform(target: Target) -> Transform:
    """Transform it."""
    return lambda **named: run(target, lambda _line: None, **named)


@pytest.fixture
def session(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """A session beside both."""
    with target.connect("test") as opened:
        yield opened


def rows(session: psycopg.Connection[Any], target: Target) -> Rows:
    """All that is in service, but for the receipts."""
    marts = {name: f"{schema_of(target.dataset)}.{name}" for name in (FLOWS, *MARTS)}
    return {
        name: sorted(session.execute(f"SELECT * FROM {mart}".encode()).fetchall(), key=repr)
        for name, mart in marts.items()
    }


def schemas(session: psycopg.Connection[Any], target: Target) -> set[str]:
    """Those of the dataset."""
    found = session.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (target.dataset,)
    )
    return {name for (name,) in found.fetchall()}
