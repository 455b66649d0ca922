"""SERVE (step 4), for programs and people: what was known on a day, and what became of a record.

`models` gives the versions `Versions` as their manager; `story` is pure: it takes versions, however
they were fetched, and tells what each of them changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Self, TypeVar, cast

from django.db.models import F, ForeignKey, Min, Q, QuerySet

if TYPE_CHECKING:
    from subscriptions.models import Version

V = TypeVar("V", bound="Version")

# In time; then, since an `append` repeats versions, by load, and by what is unique.
OLDEST_FIRST: Final = ("valid_from", "dlt_load_id", "dlt_id")
NEWEST_FIRST: Final = tuple(f"-{column}" for column in OLDEST_FIRST)

Began = Literal["appeared", "changed", "repeated", "returned"]
Ended = Literal["superseded", "disappeared"]


class Versions(QuerySet[V]):
    """Stored versions, of which some were known on a given day."""

    def as_of(self, day: date) -> Self:
        """The versions that held at 00:00 UTC of a day: `valid_from` <= then < `valid_to`.

        That is the state that the last load as of that day or earlier left. A day after the last
        load's gets the current rows, which are all that is known of it.
        """
        moment = datetime.combine(day, time(), UTC)
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=moment), valid_from__lte=moment)

    def keyed(self) -> Self:
        """The same with the key under its column's name, as the models of current rows have it."""
        current = cast("ForeignKey[Any, Any]", self.model._meta.get_field("current"))
        return self.annotate(**{str(current.column): F("current_id")})

    def first_day(self) -> date | None:
        """The day on which the first version begins; None if there is none."""
        first: datetime | None = self.aggregate(first=Min("valid_from"))["first"]
        return first.date() if first else None


class UsageVersions(Versions[V]):
    """Usage, which `merge` keeps without history."""

    def as_of(self, day: date) -> Self:
        """Usage up to a day, as far as it was known then.

        A row of an earlier day that only a later load brought does not count: neither was it known
        then, nor, perhaps, its user, so that a foreign key would lead nowhere.
        """
        return super().as_of(day).filter(usage_date__lte=day)


@dataclass(frozen=True)
class Change:
    """One column that a version changed, and its values before and after."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Chapter(Generic[V]):
    """One version as a part of its record's story.

    began    appeared: the first version that is known; changed: it took over from one with other
             values; repeated: from one with the same values, as an `append` does; returned: after
             a time without any.
    ended    None: it is current; superseded: the next one took over; disappeared: none did.
    changes  against the previous version, also across such a time; none in the first one.
    """

    version: V
    previous: V | None
    began: Began
    ended: Ended | None
    changes: Sequence[Change]


def story(versions: Sequence[V], columns: Collection[str]) -> list[Chapter[V]]:
    """What each version did to its record, judged by these columns.

    Args:
        versions: those of one key, in the order OLDEST_FIRST.
        columns: the attributes that count as the record's values.
    """
    chapters = []
    older: V | None = None
    for version, newer in zip(versions, [*versions[1:], None], strict=False):
        changes = list(_changes(older, version, columns)) if older else []
        began = _began(older, version, changes)
        chapters.append(Chapter(version, older, began, _ended(version, newer), changes))
        older = version
    return chapters


def _changes(older: V, newer: V, columns: Collection[str]) -> Iterator[Change]:
    for column in columns:
        before, after = getattr(older, column), getattr(newer, column)
        if before != after:
            yield Change(column, before, after)


def _began(older: V | None, version: V, changes: Sequence[Change]) -> Began:
    if older is None:
        return "appeared"
    if _ended(older, version) == "disappeared":
        return "returned"
    return "changed" if changes else "repeated"


def _ended(version: V, newer: V | None) -> Ended | None:
    if version.valid_to is None:
        return None
    followed = newer is not None and newer.valid_from <= version.valid_to
    return "superseded" if followed else "disappeared"
