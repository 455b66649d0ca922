"""The company and the history of its prices, from a real dataset's receipts.

What the versions of the plans are that real loads have stored is the measure: whatever the
dispositions, the receipts have to lead to the same fees.
"""

from __future__ import annotations

from datetime import date

import pytest

from subscriptions.answers.recorded import recorded
from subscriptions.load.errors import LoadError
from subscriptions.load.target import Target
from subscriptions.tests.answers.conftest import Known, Load
from subscriptions.tests.answers.prices import DAYS, EPOCH, Query, reckoned_fees, stored_fees


def test_whatever_the_dispositions_the_fees_are_those_of_the_stored_versions(
    load: Load, known: Known, query: Query
) -> None:
    load(users=8, epoch=EPOCH, as_of=DAYS[1])
    told = set()
    loads = [
        (DAYS[3], None),
        (DAYS[4], "append"),
        (DAYS[6], "merge"),
        (DAYS[7], "append"),
        (DAYS[8], None),
        (DAYS[2], "replace"),
    ]
    for day, disposition in loads:
        load(as_of=day, write_disposition=disposition)
        fees = reckoned_fees(known().plan_history(day))
        assert fees == stored_fees(query), (day, disposition)
        told.add(tuple(fees))
    assert len(told) == len(loads)  # each of them was worth looking at


def test_a_day_before_the_last_load_is_as_it_was_then_and_loaded_once_more(
    load: Load, known: Known, query: Query
) -> None:
    load(users=8, epoch=EPOCH, as_of=DAYS[1])
    load(as_of=DAYS[3])
    then, stored_then = known().truth(), stored_fees(query)
    later = known().truth(DAYS[4])
    load(as_of=DAYS[5], write_disposition="merge")
    assert reckoned_fees(known().plan_history(DAYS[3])) == stored_then
    assert known().truth(DAYS[3]) == then
    assert known().truth(DAYS[4]) == later != then

    ahead = reckoned_fees(known().plan_history(DAYS[7]))
    load(as_of=DAYS[7])
    assert ahead == stored_fees(query) != stored_then


def test_loads_of_the_company_before_do_not_count(load: Load, known: Known) -> None:
    load(users=5, seed=1, epoch=EPOCH, as_of=DAYS[1])
    load(users=6, seed=2, epoch=EPOCH, as_of=DAYS[4], write_disposition="replace")
    assert [(r.seed, r.as_of) for r in known().receipts] == [(2, DAYS[4])]
    assert len(known().truth().users) > 6  # it has grown since its epoch


def test_without_a_load_and_on_an_impossible_day_it_says_so(
    target: Target, load: Load, known: Known
) -> None:
    with target.connect("test") as session, pytest.raises(LoadError) as nothing:
        recorded(session, target.dataset)
    assert str(nothing.value) == f"There is no {target.dataset} yet: run load_faker_data first."
    load(users=5, epoch=EPOCH, as_of=DAYS[1])
    with pytest.raises(LoadError, match="opened on 2024-08-01"):
        known().truth(date(2024, 7, 31))
    with pytest.raises(LoadError, match="runs out of 32-bit keys"):
        known().truth(date(2999, 1, 1))
