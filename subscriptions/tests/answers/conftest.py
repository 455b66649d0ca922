"""Loads of companies into a dataset of the test's own, for what is reckoned from its receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from subscriptions.answers.recorded import Recorded, recorded
from subscriptions.load import pipeline
from subscriptions.load.request import Request
from subscriptions.load.target import Target

Load = Callable[..., pipeline.Result]
Known = Callable[[], Recorded]


@pytest.fixture
def load(target: Target) -> Iterator[Load]:
    """Load as the command does, without the marts; they are dropped afterwards, if there are any.

    What is not named comes from the dataset.
    """

    def run(**named: object) -> pipeline.Result:
        request = Request(**named)  # type: ignore[arg-type]
        return pipeline.run(target, request, settings.LOCAL_DIR / "dlt", lambda _line: None)

    yield run
    marts = f"{target.dataset}_marts"
    with target.connect("test") as session:
        session.execute(f"DROP SCHEMA IF EXISTS {marts}, {marts}_staged CASCADE".encode())


@pytest.fixture
def known(target: Target) -> Known:
    """What the dataset remembers by now."""

    def read() -> Recorded:
        with target.connect("test") as session:
            return recorded(session, target.dataset)

    return read
