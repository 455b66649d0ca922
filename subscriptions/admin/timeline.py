"""SERVE, people: a record's versions told as a story: when, which field, from what to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from subscriptions.admin.display import NOTHING, follow, url
from subscriptions.models import Version

NOT_BUSINESS = {"current", *(column.name for column in Version._meta.fields)}


@dataclass(frozen=True)
class Change:
    """One field that a version changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Moment:
    """One thing that happened to a record."""

    day: datetime
    title: str
    href: str
    changes: Sequence[Change] = field(default_factory=tuple)


def timeline(record: Any, limit: int = 10) -> list[Moment]:
    """The last `limit` moments of a record's history, newest first."""
    keys = [column.name for column in record._meta.fields if column.is_relation]
    versions = record.versions.order_by("-valid_from", "-dlt_id").prefetch_related(*keys)
    # One more than shown, to tell the first version from the oldest shown.
    rows = list(versions[: limit + 1])
    return list(_moments(rows))[:limit]


def _moments(versions: Sequence[Any]) -> Iterator[Moment]:
    newer: Any = None
    for version, older in zip(versions, [*versions[1:], None], strict=True):
        href = url(type(version), "change", version.pk)
        if version.valid_to and (newer is None or newer.valid_from > version.valid_to):
            yield Moment(version.valid_to, "No longer in the data", href)
        if older is None:
            yield Moment(version.valid_from, "First seen", href)
        else:
            changes = list(_changes(older, version))
            title = "Changed" if changes else "Loaded again, unchanged"
            yield Moment(version.valid_from, title, href, changes)
        newer = version


def _changes(older: models.Model, newer: models.Model) -> Iterator[Change]:
    for column in newer._meta.fields:
        if column.name in NOT_BUSINESS:
            continue
        if getattr(older, column.attname) != getattr(newer, column.attname):
            yield Change(str(column.verbose_name), _text(older, column), _text(newer, column))


def _text(version: models.Model, column: models.Field[Any, Any]) -> str:
    if column.is_relation:
        return str(follow(version, column.name) or getattr(version, column.attname))
    value = getattr(version, column.name)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return NOTHING if value is None else str(value)
