"""ANSWERS: which company a dataset holds, and which loads have brought it there.

All that is read of the dataset is its receipts; the rows come from the generator. There is one
exception: of a dataset that `migrate_to_railway --with-history` has copied, the receipts of the
loads that made the history stayed behind, so the stored versions of the plans have to tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any, Final

import psycopg
from psycopg import sql

from subscriptions.answers.plan_history import COPIED, PlanHistory, PlanLoad, Version, replay
from subscriptions.answers.truth import Truth, fees, truth
from subscriptions.extract import CompanyError
from subscriptions.load import receipt
from subscriptions.load.errors import LoadError
from subscriptions.load.receipt import WITH_HISTORY, Receipt

_PLAN: Final = "plan"
# What `load_faker_data` does to the plans unless it is told otherwise.
_PLAIN_LOAD: Final = "scd2"

_VERSIONS: Final = """
    SELECT plan_id, monthly_fee, (valid_from AT TIME ZONE 'UTC')::date,
        (valid_to AT TIME ZONE 'UTC')::date
    FROM {} ORDER BY valid_from, _dlt_id
"""


@dataclass(frozen=True)
class Recorded:
    """What a dataset remembers."""

    receipts: Sequence[Receipt]
    """Of all loads of the company that it holds, oldest first: at least one."""
    copied: Sequence[Version]
    """The stored versions of the plans, where one of those loads was a copy with its history."""

    @property
    def last(self) -> Receipt:
        """The last load's, which says which company it is, and as of when."""
        return self.receipts[-1]

    def truth(self, as_of: date | None = None) -> Truth:
        """The company as of a day: that of the last load, unless another is named.

        For another one it is as if the loads up to that day had been all, and the last of them a
        plain one of that day.

        Raises:
            LoadError: the company cannot be had as of that day.
        """
        day = as_of or self.last.as_of
        company = self.last.company
        try:
            company.partitions(day)
            return truth(company, day, self.plan_history(day))
        except CompanyError as refusal:
            raise LoadError(str(refusal)) from refusal

    def plan_history(self, as_of: date) -> PlanHistory:
        """What the loads up to a day have left of the plans' history, and one of that day."""
        company = self.last.company
        loads = []
        for load in self.receipts:
            disposition, day = load.dispositions[_PLAN], load.as_of
            if disposition == WITH_HISTORY:
                # What it brought was there before, also where the copy itself came later.
                disposition, day = COPIED, min(day, as_of)
            if day <= as_of:
                loads.append(PlanLoad(day, disposition, fees(company, day)))
        if not loads or loads[-1].as_of != as_of:
            loads.append(PlanLoad(as_of, _PLAIN_LOAD, fees(company, as_of)))
        return replay(loads, self.copied)


def recorded(connection: psycopg.Connection[Any], dataset: str) -> Recorded:
    """Read what a dataset remembers.

    Raises:
        LoadError: nothing has been loaded yet.
    """
    every = receipt.every(connection, dataset)
    if not every:
        raise LoadError(f"There is no {dataset} yet: run load_faker_data first.")
    company = every[-1].company
    receipts = list(takewhile(lambda load: load.company == company, reversed(every)))[::-1]
    copied = []
    if any(load.dispositions[_PLAN] == WITH_HISTORY for load in receipts):
        query = sql.SQL(_VERSIONS).format(sql.Identifier(dataset, _PLAN))
        copied = [Version(*row) for row in connection.execute(query).fetchall()]
    return Recorded(receipts, copied)
