"""LOAD from a shell: what `load_faker_data` tells of a load or of a verification."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.color import Style

from elt_site.bootstrap import Readiness
from subscriptions.load.pipeline import Result
from subscriptions.load.tables import TABLES
from subscriptions.load.verification import Verified


def loaded(result: Result, seconds: float, style: Style) -> Iterator[str]:
    """Each table's rows and what this load did to them, as lines for people."""
    yield ""
    yield f"  {'table':<14}{'rows now':>12}{'history':>12}   this load"
    receipt = result.receipt
    for table in TABLES:
        stored = receipt.stored[table.name]
        changes = result.changes[table.name].items()
        did = ", ".join(f"{count:,} {kind}" for kind, count in changes if count)
        yield (
            f"  {table.name:<14}{stored['rows']:>12,}{stored['closed']:>12,}"
            f"   {did or 'nothing changed'}"
        )
    yield ""
    yield from map(style.WARNING, result.notes)
    yield style.SUCCESS(
        f"Loaded the company of seed {receipt.seed}, {receipt.users:,} users at its epoch "
        f"{receipt.epoch}, as of {receipt.as_of}, in {seconds:.1f} s."
    )


def next_steps(readiness: Readiness) -> Iterator[str]:
    """Where the data lies, and how to look at it."""
    if settings.EMBEDDED:
        from elt_site.embedded_postgres import server

        where = server.location()
        because = " (the project's own folder is closed to it)" if where.fallback else ""
        yield f"The embedded PostgreSQL keeps it in {where.data}{because}."
    if not settings.DEBUG:
        return
    yield f"\nNext: {_interpreter()} manage.py runserver, then"
    yield "  http://127.0.0.1:8000/admin/   the data in a browser"
    yield "  http://127.0.0.1:8000/users    the API"
    name, password = settings.BASIC_AUTH_USERNAME, settings.BASIC_AUTH_PASSWORD
    both = get_user_model().objects.filter(username=name, is_staff=True).exists()
    how = "with BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD"
    if (name, password) == ("admin", "admin"):
        how = "as admin, password admin (development only)"
    yield f"Sign in to {'both' if both else 'the API'} {how}."
    if not both:
        yield f"For the admin: {_interpreter()} manage.py createsuperuser"
    if readiness.administrator:
        yield "(The administrator was created by this load.)"


def loaded_object(result: Result, seconds: float) -> dict[str, object]:
    """The load for scripts: its receipt, and how many seconds the command took."""
    receipt = result.receipt
    stored = receipt.stored
    return {
        "load_id": receipt.load_id,
        "version": receipt.version,
        "seed": receipt.seed,
        "users": receipt.users,
        "epoch": receipt.epoch.isoformat(),
        "as_of": receipt.as_of.isoformat(),
        "dispositions": dict(receipt.dispositions),
        "rows": {table: noted["rows"] for table, noted in stored.items()},
        "history": {table: noted["closed"] for table, noted in stored.items()},
        "checksums": {table: noted["checksum"] for table, noted in stored.items()},
        "changes": {table: dict(counts) for table, counts in result.changes.items()},
        "duration": round(seconds, 3),
        "notes": list(result.notes),
    }


def verified(results: Sequence[Verified]) -> Iterator[str]:
    """Each table's checksums, as lines for people."""
    yield f"  {'table':<14}{'rows':>12}   {'stored':<18}{'receipt':<18}generated"
    for result in results:
        sums = (result.stored, result.noted, result.made)
        digits = (f"{sum_.digits if sum_ else '(appended)':<18}" for sum_ in sums)
        yield f"  {result.table:<14}{result.stored.rows:>12,}   {''.join(digits)}".rstrip()


def verified_object(results: Sequence[Verified]) -> dict[str, object]:
    """The verification for scripts; `generated` is null where rows were appended."""
    found: dict[str, object] = {
        "right": not difference(results),
        "tables": {
            result.table: {
                "right": result.right,
                "rows": result.stored.rows,
                "stored": result.stored.digits,
                "receipt": result.noted.digits,
                "generated": result.made.digits if result.made else None,
            }
            for result in results
        },
    }
    return found | ({"error": sentence} if (sentence := difference(results)) else {})


def difference(results: Sequence[Verified]) -> str:
    """What is wrong, in a sentence; nothing if all is right."""
    wrong = [result.table for result in results if not result.right]
    if not wrong:
        return ""
    return f"{', '.join(wrong)}: what is stored is not what was loaded; load again to repair it."


def _interpreter() -> str:
    """This Python, as a person in the project's folder would type it."""
    path = Path(sys.executable)
    base = Path.cwd()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
