"""TRANSFORM from a shell: what a command tells of a run."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.management.color import Style

from subscriptions.transform.marts import schema_of
from subscriptions.transform.run import Transformed


def transformed(result: Transformed, style: Style) -> Iterator[str]:
    """Each mart's rows, as lines for people."""
    yield ""
    yield f"  {'mart':<22}{'rows':>12}"
    for mart, rows in result.rows.items():
        yield f"  {mart:<22}{rows:>12,}"
    yield ""
    yield style.SUCCESS(in_short(result))


def in_short(result: Transformed) -> str:
    """One sentence."""
    schema = schema_of(settings.DATASET_NAME)
    if not result.built:
        return f"The marts in {schema} are those of the last load, as of {result.as_of}, already."
    how = "anew" if result.full_refresh else "from what has changed"
    return (
        f"Built {len(result.rows)} marts in {schema} {how}, as of {result.as_of}, "
        f"in {result.seconds:.1f} s."
    )


def transformed_object(result: Transformed) -> dict[str, object]:
    """The run for scripts."""
    return {
        "load_id": result.load_id,
        "as_of": result.as_of.isoformat(),
        "built": result.built,
        "full_refresh": result.full_refresh,
        "rows": dict(result.rows),
        "seconds": round(result.seconds, 3),
    }
