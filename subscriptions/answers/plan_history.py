"""ANSWERS: which fee each plan had when, by what the dataset's loads have left of its history.

A load under `replace` begins the history anew on its day; `append` adds a version; `merge` changes
the newest in place, so that its valid_from stays; `scd2` adds one where the fee differs, and a
later load of the same day corrects that day's. `merge` and `scd2` first clear away the copies that
an `append` left, but for the oldest. Of a dataset that was copied with its history, the receipt
does not tell what loads had made that: the stored versions do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

Fees = Mapping[int, Decimal]
"""By plan_id, the monthly fee of a day."""

COPIED: Final = "copied"
"""In place of a disposition: the load was a copy of another dataset's whole history."""


@dataclass(frozen=True)
class Version:
    """What a plan cost from a day on, until a day (exclusive) or still."""

    plan_id: int
    fee: Decimal
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class PlanLoad:
    """What one load did to the plans."""

    as_of: date
    disposition: str
    fees: Fees


@dataclass(frozen=True)
class PlanHistory:
    """All versions of all plans, in the order in which they came."""

    versions: Sequence[Version]

    def fee(self, plan_id: int, start: date) -> Decimal:
        """The fee of a subscription to the plan that starts on a day.

        That of the latest version by then; before the earliest one, the earliest version's.
        """
        # Sorting is stable: of one day's versions the later comes last.
        versions = sorted(
            (version for version in self.versions if version.plan_id == plan_id),
            key=lambda version: version.valid_from,
        )
        begun = [version for version in versions if version.valid_from <= start]
        return begun[-1].fee if begun else versions[0].fee


def replay(loads: Iterable[PlanLoad], copied: Sequence[Version] = ()) -> PlanHistory:
    """What the loads, in their order, leave of the plans' history.

    Args:
        loads: from a dataset without plans on.
        copied: where a load was a copy, the versions that are stored by now, in order.
    """
    versions: list[Version] = []
    for load in loads:
        if load.disposition == COPIED:
            versions = _as_copied(copied, load)
        elif load.disposition == "replace":
            versions = _begun(load)
        elif load.disposition == "append":
            versions = versions + _begun(load)
        else:
            versions = [
                version
                for plan_id in load.fees
                for version in _gone_on(
                    [version for version in versions if version.plan_id == plan_id], load, plan_id
                )
            ]
    return PlanHistory(versions)


def _begun(load: PlanLoad) -> list[Version]:
    return [Version(plan_id, fee, load.as_of) for plan_id, fee in load.fees.items()]


def _gone_on(versions: list[Version], load: PlanLoad, plan_id: int) -> list[Version]:
    """One plan's versions after a load that keeps them: `merge` or `scd2`."""
    day, fee = load.as_of, load.fees[plan_id]
    ended = [version for version in versions if version.valid_to is not None]
    still = sorted(
        (version for version in versions if version.valid_to is None),
        key=lambda version: version.valid_from,
    )
    begins = Version(plan_id, fee, day)
    if not still:
        return [*ended, begins]
    oldest = still[0]
    if oldest.fee == fee:
        return [*ended, oldest]
    if load.disposition == "merge":
        return [*ended, replace(oldest, fee=fee)]
    if oldest.valid_from < day:
        return [*ended, replace(oldest, valid_to=day), begins]
    # What an earlier load of this day left was true on no day; the one before it may go on.
    if ended and (ended[-1].valid_to, ended[-1].fee) == (day, fee):
        return [*ended[:-1], replace(ended[-1], valid_to=None)]
    return [*ended, begins]


def _as_copied(stored: Sequence[Version], load: PlanLoad) -> list[Version]:
    """The versions that a copy brought, as they were on its day.

    What was closed by then has not changed since. Of each plan the newest open version has the
    fee of the copy's day, whatever a later `merge` has made of it.
    """
    versions = [version for version in stored if version.valid_from <= load.as_of]
    for place, version in enumerate(versions):
        if version.valid_to is not None and version.valid_to > load.as_of:
            versions[place] = replace(version, valid_to=None)
    for plan_id, fee in load.fees.items():
        still = [
            place
            for place, version in enumerate(versions)
            if version.plan_id == plan_id and version.valid_to is None
        ]
        if still:
            newest = max(still, key=lambda place: (versions[place].valid_from, place))
            versions[newest] = replace(versions[newest], fee=fee)
    return versions
