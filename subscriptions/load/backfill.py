"""LOAD: a history from the company's opening on, as one load for each step of time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from subscriptions.extract.company import OPENING_DATE
from subscriptions.load import clock
from subscriptions.load.clock import Step
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import Receipt
from subscriptions.load.request import Request, last_day
from subscriptions.load.tables import PLAN, RECEIPT_TABLE


def requests(
    request: Request,
    step: Step,
    recorded: Receipt | None,
    loaded: Collection[date],
    now: datetime,
) -> list[Request]:
    """The loads that build the history which was asked for, in order.

    A dataset that holds the beginning of it is gone on with, so that a history that was interrupted
    is completed by asking for it again. All loads are of one company: that of the last day.

    Args:
        request: what was asked for.
        step: how far apart the loads are.
        recorded: the receipt of the dataset's last load, if there is one.
        loaded: the days that the dataset's history was loaded as of.
        now: in UTC.

    Raises:
        LoadError: no such history can be built; the message says what to do.
    """
    opening = request.first or OPENING_DATE
    last = last_day(request, recorded, now)
    if opening > last:
        raise LoadError(f"--from {opening} is later than {last}, the day to end on.")
    days = list(clock.days(opening, last, step))
    plain = replace(request, advance=None, backfill=None, first=None)
    if recorded is None or request.write_disposition == "replace":
        founding = replace(plain, epoch=request.epoch or _epoch(request, recorded, last))
        kept = None if request.write_disposition == "replace" else request.write_disposition
        later = replace(founding, write_disposition=kept)
        first, *others = days
        return [
            replace(founding, as_of=first),
            *(replace(later, as_of=day) for day in others),
        ]
    if missing := [day for day in days if day < recorded.as_of and day not in loaded]:
        raise LoadError(
            f"The dataset was not loaded as of {missing[0]}, and history cannot be put in behind "
            f"what is loaded, which is as of {recorded.as_of}: add --write-disposition replace to "
            f"build it anew from {opening}."
        )
    return [replace(plain, as_of=day) for day in days if day > recorded.as_of] or [
        replace(plain, as_of=last)
    ]


def _epoch(request: Request, recorded: Receipt | None, last: date) -> date:
    """The epoch of a company that is founded: the last day, unless it is the recorded one."""
    return last if recorded is None or request.named() else recorded.epoch


def loaded_days(connection: psycopg.Connection[Any], dataset: str) -> set[date]:
    """The days that a dataset which is there was loaded as of, since it was last replaced."""
    query = """
        WITH loads AS (
            SELECT as_of, published_at, dispositions ->> {table} LIKE 'replace%' AS founding
            FROM {receipts})
        SELECT as_of FROM loads WHERE published_at >= coalesce(
            (SELECT max(published_at) FROM loads WHERE founding), '-infinity')
    """
    receipts = sql.Identifier(dataset, RECEIPT_TABLE)
    loads = sql.SQL(query).format(receipts=receipts, table=sql.Literal(PLAN.name))
    return {as_of for (as_of,) in connection.execute(loads).fetchall()}
