"""What a fresh database needs before the first load: Django's tables and a way to sign in."""

import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections

# An arbitrary number that no other advisory lock of this project uses.
ADVISORY_LOCK = 7_316_200_501
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Readiness:
    """What `ensure_ready` did: whether it migrated, and the administrator that it created."""

    migrated: bool = False
    administrator: str | None = None


def ensure_ready() -> Readiness:
    """Apply pending migrations, and in development create the administrator if there is none.

    Two processes may call it at once. Where nothing is to be done it costs two small queries.
    """
    if not _pending() and not _missing_administrator():
        return Readiness()
    with _one_at_a_time():
        # Asked again: another process may have done it while this one waited.
        if pending := _pending():
            call_command("migrate", verbosity=0, interactive=False)
        if administrator := _missing_administrator():
            get_user_model().objects.create_superuser(
                administrator, password=settings.BASIC_AUTH_PASSWORD
            )
    return Readiness(pending, administrator)


def _pending() -> bool:
    """Whether a migration on disk is not recorded as applied; imports none of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return True
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    folders = ((app.label, Path(app.path, "migrations")) for app in apps.get_app_configs())
    return any(
        (label, module.name) not in applied
        for label, folder in folders
        for module in pkgutil.iter_modules([str(folder)])
    )


def _missing_administrator() -> str | None:
    """The name of the development administrator that is yet to be created.

    None in production, and with DEBUG on against another machine's database as well: a guessable
    administrator does not belong there.
    """
    host = str(connection.get_connection_params().get("host", ""))
    if not settings.DEBUG or not (host in LOOPBACK or host.startswith("/")):
        return None
    name: str = settings.BASIC_AUTH_USERNAME
    return None if get_user_model().objects.filter(username=name).exists() else name


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold an advisory lock until the block ends.

    On a connection of its own, in a transaction: PgBouncer hands a session's lock to strangers.
    """
    lock = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        lock.set_autocommit(False)
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        yield
    finally:
        lock.close()
