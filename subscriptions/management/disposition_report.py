"""LOAD, side by side: the comparison of the write dispositions, for people.

Plain ASCII, and no more than 100 columns: it has to look the same in any terminal, file or page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Final

from subscriptions.load.side_by_side.outcomes import Example, Outcome, Version
from subscriptions.load.side_by_side.run import SideBySide
from subscriptions.load.tables import DISPOSITIONS, TABLES, Disposition

MEANINGS: Final[Mapping[Disposition, str]] = {
    "replace": "Only the second load is left. For data whose past nobody will ask for.",
    "append": "Both loads are left, and a reader sees both. For events, each loaded once.",
    "merge": "Each key is up to date, its past overwritten. For rows that hardly change.",
    "scd2": "Each key is up to date, its past kept with its dates. For all that changes.",
}


def lines(found: SideBySide) -> Iterator[str]:
    """The report."""
    yield (
        f"A company of {found.users:,} users (seed {found.seed}), loaded as of {found.first} and "
        f"then as of {found.second},"
    )
    yield "once with each write disposition, in a scratch dataset that is gone by now."
    yield ""
    yield from _changes(found)
    yield ""
    yield from _tables(found)
    yield ""
    if found.example:
        yield from _example(found, found.example)
        yield ""
    yield "Which to choose, and how long its second load took"
    for mode in DISPOSITIONS:
        yield f"  {mode:<8}{found.modes[mode].seconds:>8.2f} s   {MEANINGS[mode]}"
    yield "load_faker_data merges usage, whose rows never change, and keeps the past of the others"
    yield "(scd2), unless --write-disposition names one for all."


def _changes(found: SideBySide) -> Iterator[str]:
    yield f"{'What the second load has':<26}{'new':>10}{'changed':>10}{'the same':>12}"
    for name, change in found.changes.items():
        yield f"  {name:<24}{change.new:>10,}{change.changed:>10,}{change.same:>12,}"


def _tables(found: SideBySide) -> Iterator[str]:
    yield (
        f"{'What it leaves':<26}{'before':>10}{'after':>10}{'versions':>10}{'duplicates':>12}"
        "   what it did"
    )
    for table in TABLES:
        for mode in DISPOSITIONS:
            name = table.name if mode == DISPOSITIONS[0] else ""
            yield f"  {name:<14}{mode:<10}{_outcome(found.modes[mode].tables[table.name])}"


def _outcome(outcome: Outcome) -> str:
    did = ", ".join(f"{count:,} {kind}" for kind, count in outcome.did.items())
    return (
        f"{outcome.before:>10,}{outcome.after:>10,}{outcome.versions:>10,}{outcome.duplicates:>12,}"
        f"   {did or 'nothing'}"
    )


def _example(found: SideBySide, example: Example) -> Iterator[str]:
    """What a reader of the current rows gets of one row, and what there is to ask beside it."""
    yield (
        f"For example the {example.table} {example.key}, whose {example.column} was "
        f"{_shown(example.before)} and is {_shown(example.after)}:"
    )
    width = 3 + max(len("a reader sees"), *map(len, map(_shown, (example.before, example.after))))
    yield f"  {'':<10}{'a reader sees':<{width}}stored versions"
    for mode in DISPOSITIONS:
        versions = found.modes[mode].example
        seen = [version.value for version in versions if version.valid_to is None]
        for place, (value, version) in enumerate(zip_longest(map(_shown, seen), versions)):
            name = "" if place else mode
            yield f"  {name:<10}{value or '':<{width}}{_validity(version)}"


def _validity(version: Version) -> str:
    until = f" to {version.valid_to}" if version.valid_to else ""
    return f"{_shown(version.value)} from {version.valid_from}{until}"


def _shown(value: str | None) -> str:
    return "none" if value is None else value
