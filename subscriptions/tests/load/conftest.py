"""Loads of companies into a dataset of the test's own, by the real pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pytest_django import DjangoDbBlocker

from elt_site.environment import read_database
from subscriptions.extract import Company
from subscriptions.load import pipeline
from subscriptions.load.request import Load, Request
from subscriptions.load.tables import TABLES, Disposition
from subscriptions.load.target import Target
from subscriptions.tests.clusters import Cluster
from subscriptions.tests.load import both_ends
from subscriptions.tests.load.later_days import DAYS, START, Ways, current, watch
from subscriptions.tests.load.own_server import OwnServer
from subscriptions.tests.load.trouble import (
    DAY,
    WORKING_DIR,
    Rows,
    business_rows,
    querying,
)
from subscriptions.tests.load.trouble import load as load_few

Execute = Callable[..., None]
Run = Callable[..., pipeline.Result]
Twin = Callable[[Target], Target]


@pytest.fixture
def run(target: Target) -> Run:
    """Load as the command does: what is not named comes from the dataset."""

    def load(**named: object) -> pipeline.Result:
        day = {} if "advance" in named else {"as_of": DAY}
        request = Request(**{**day, **named})  # type: ignore[arg-type]
        return pipeline.run(target, request, WORKING_DIR, lambda _line: None)

    return load


@pytest.fixture
def execute(target: Target) -> Execute:
    """Load a company on any day under one disposition for all tables, or under the defaults."""

    def load(company: Company, as_of: date, disposition: Disposition | None = None) -> None:
        dispositions = {t.name: disposition or t.disposition for t in TABLES}
        definite = Load(company, as_of, dispositions, workers=1, started_at=datetime.now(UTC))
        pipeline.execute(target, definite, WORKING_DIR, lambda _line: None)

    return load


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """How the loads of the test find out what to bring."""
    return watch(monkeypatch)


@pytest.fixture(scope="session")
def alone(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[date, Rows]:
    """The current rows that each of some days gives alone, without a past."""
    with django_db_blocker.unblock():
        own = replace(Target.from_settings(), dataset="alone", pipeline="alone")
    found = {}
    for day in DAYS:
        request = Request(users=60, as_of=day, epoch=START, write_disposition="replace")
        pipeline.run(own, request, WORKING_DIR, lambda _line: None)
        with querying(own) as query:
            found[day] = current(query)
    both_ends.ask(own, "DROP SCHEMA alone CASCADE")
    return found


@pytest.fixture(scope="session")
def local(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Target]:
    """A source of migrations that was loaded on two days, and that no test changes."""
    with django_db_blocker.unblock():
        source = replace(Target.from_settings(), dataset="migrated", pipeline="migrated")
    both_ends.load(source, both_ends.FIRST)
    both_ends.load(source, both_ends.SECOND)
    yield source
    both_ends.ask(source, "DROP SCHEMA migrated CASCADE")


@pytest.fixture
def twin(other_server: Cluster) -> Iterator[Twin]:
    """The dataset of the same name on the other server; what is there is dropped afterwards."""
    database = Target.of(read_database(other_server.url()))
    twins = []

    def of(source: Target) -> Target:
        twins.append(replace(database, dataset=source.dataset, pipeline=source.pipeline))
        return twins[-1]

    yield of
    for end in twins:
        both_ends.ask(end, f"DROP SCHEMA IF EXISTS {end.dataset}, {end.dataset}_staging CASCADE")


@pytest.fixture
def railway(local: Target, twin: Twin) -> Target:
    """Where that source is copied to."""
    return twin(local)


@pytest.fixture(scope="session")
def good(own_server: OwnServer) -> Rows:
    """The rows of a load that nothing disturbed."""
    target = own_server.target("undisturbed")
    load_few(target)
    with querying(target) as query:
        return business_rows(query)
