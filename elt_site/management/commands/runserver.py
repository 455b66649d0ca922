"""Django's development server, on a database that is ready for it."""

from __future__ import annotations

from django.conf import settings
from django.db.utils import OperationalError
from whitenoise.runserver_nostatic.management.commands import runserver

from elt_site.bootstrap import ensure_ready


class Command(runserver.Command):  # type: ignore[misc]
    """Makes in development what signing in to the admin needs, before the first load as well."""

    def check_migrations(self) -> None:
        """Apply migrations instead of asking for it; without a database, serve all the same."""
        try:
            if not settings.DEBUG:
                super().check_migrations()
                return
            readiness = ensure_ready()
        except OperationalError as error:
            reason = " ".join(str(error).split())
            self.stdout.write(
                self.style.NOTICE(f"Until the database answers, pages are a 503: {reason}")
            )
            return
        if readiness.migrated:
            self.stdout.write("Django's own tables have been made.")
        if readiness.administrator:
            self.stdout.write(f"So has the administrator, {readiness.administrator}.")
