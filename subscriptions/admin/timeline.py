"""SERVE, people: a record's history as a timeline: when, which field, from what to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import models

from subscriptions.admin.display import follow, url
from subscriptions.history import NEWEST_FIRST, Chapter, story
from subscriptions.models import Version

NOTHING: Final = "none"  # a dash would read like a part of the arrow
NOT_BUSINESS: Final = {"current", *(column.name for column in Version._meta.fields)}
TITLES: Final = {
    "appeared": "First seen",
    "changed": "Changed",
    "repeated": "Loaded again, unchanged",
    "returned": "Back in the data",
    "disappeared": "No longer in the data",
}


@dataclass(frozen=True)
class Difference:
    """One field that a version changed, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Moment:
    """One thing that happened to a record."""

    day: datetime
    title: str
    href: str
    changes: Sequence[Difference] = field(default_factory=tuple)


def timeline(record: Any, limit: int = 10) -> list[Moment]:
    """The last `limit` moments of a record's history, newest first."""
    keys = [column.name for column in record._meta.fields if column.is_relation]
    versions = record.versions.order_by(*NEWEST_FIRST).prefetch_related(*keys)
    # One more than shown, to tell the first version from the oldest shown.
    rows = list(versions[: limit + 1])
    fields = [field for field in versions.model._meta.fields if field.name not in NOT_BUSINESS]
    chapters = story(rows[::-1], [field.attname for field in fields])
    return [moment for chapter in chapters[::-1] for moment in _moments(chapter)][:limit]


def _moments(chapter: Chapter[Any]) -> Iterator[Moment]:
    version = chapter.version
    href = url(type(version), "change", version.pk)
    if chapter.ended == "disappeared":
        yield Moment(version.valid_to, TITLES[chapter.ended], href)
    yield Moment(version.valid_from, TITLES[chapter.began], href, list(_differences(chapter)))


def _differences(chapter: Chapter[Any]) -> Iterator[Difference]:
    older, newer = chapter.previous, chapter.version
    for change in chapter.changes:
        column = newer._meta.get_field(change.column)
        yield Difference(str(column.verbose_name), _text(older, column), _text(newer, column))


def _text(version: Any, column: models.Field[Any, Any]) -> str:
    """The value; instead of a key the name of what it leads to, if it still leads anywhere."""
    if column.is_relation:
        return str(follow(version, column.name) or getattr(version, column.attname))
    value = getattr(version, column.name)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return NOTHING if value is None else str(value)
