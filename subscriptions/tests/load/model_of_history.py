"""What a table's versions must be after any loads, in plain Python: slow, and obviously right.

It shares nothing with the load step, and says in the contract's words:

replace  The table holds exactly the load: all history goes, and every row begins on that day.
append   The load's rows are added, whatever is there.
merge    Of each key one row is current, with the load's values. Its valid_from stays, also where
         the values change: the version is changed in place. A key that the load does not have is
         deleted, a new one begins on that day. Closed versions stay as they are, so that after
         one of them the same values may come again, or an older version may seem to go on.
scd2     A current version that has the load's values stays as it is. Any other one ends on the
         load's day, because its row has changed or is gone; and where a row has no current
         version, one begins on that day. So a row that changes back has three versions, and one
         that was gone for a while has a gap between two.

After an `append` a key may have several current versions. Before anything else `merge` and `scd2`
drop all but the oldest (by valid_from, then by load), which tells since when there has been such a
row.

Days have no hours. What a load finds to have begun on its own day was not true on any earlier one,
so `scd2` does not keep it: it is dropped, and not closed. For the same reason a version that an
earlier load closed on that very day goes on as if nothing had happened, when its values are the
row's again. So several loads of one day leave what the last of them alone would have left, and
there is one version for each change between days.

Damage by hand is no load: it changes what is stored, and the next load finds it there. It is kept
as history if it is older than the load's day, which nobody can tell from a true change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Row = dict[str, Any]


@dataclass
class Version:
    """A row as it was from a day on, until a day (exclusive) or still."""

    row: Row
    valid_from: date
    valid_to: date | None = None


@dataclass
class ModelTable:
    """The versions of one table, in the order in which they came."""

    key: str
    versions: list[Version] = field(default_factory=list)

    def load(self, disposition: str, rows: Iterable[Row], day: date) -> None:
        """Take a load in."""
        {
            "replace": self._replace,
            "append": self._append,
            "merge": self._merge,
            "scd2": self._scd2,
        }[disposition]({row[self.key]: row for row in rows}, day)

    def current(self) -> list[Version]:
        """The versions that have not ended."""
        return [version for version in self.versions if version.valid_to is None]

    def _replace(self, rows: dict[Any, Row], day: date) -> None:
        self.versions = []
        self._append(rows, day)

    def _append(self, rows: dict[Any, Row], day: date) -> None:
        self.versions += [Version(dict(row), day) for row in rows.values()]

    def _merge(self, rows: dict[Any, Row], day: date) -> None:
        self._keep_the_oldest()
        for version in self.current():
            if version.row[self.key] in rows:
                version.row = dict(rows[version.row[self.key]])
            else:
                self._drop(version)
        self._append(self._missing(rows), day)

    def _scd2(self, rows: dict[Any, Row], day: date) -> None:
        self._keep_the_oldest()
        for version in self.current():
            if version.row == rows.get(version.row[self.key]):
                continue
            if version.valid_from < day:
                version.valid_to = day
            else:
                self._drop(version)
        for version in self.versions:
            if version.valid_to == day and version.row in self._missing(rows).values():
                version.valid_to = None
        self._append(self._missing(rows), day)

    def _keep_the_oldest(self) -> None:
        kept: dict[Any, Version] = {}
        for version in self.current():
            oldest = kept.setdefault(version.row[self.key], version)
            if version.valid_from < oldest.valid_from:
                kept[version.row[self.key]] = version
        for version in self.current():
            if kept[version.row[self.key]] is not version:
                self._drop(version)

    def _missing(self, rows: dict[Any, Row]) -> dict[Any, Row]:
        """The rows whose keys have no current version."""
        there = {version.row[self.key] for version in self.current()}
        return {key: row for key, row in rows.items() if key not in there}

    def _drop(self, version: Version) -> None:
        self.versions = [other for other in self.versions if other is not version]
