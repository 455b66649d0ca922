"""TRANSFORM from a shell: `manage.py dbt ...`: any of dbt's commands on the project."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import Final

from django.core.management.base import BaseCommand

from subscriptions.load.errors import explain
from subscriptions.load.lock import load_lock
from subscriptions.load.target import Target
from subscriptions.transform.project import invoke, variables

# What builds marts, which then shall all be of one load.
BUILDING: Final = frozenset({"build", "run", "retry"})


class Command(BaseCommand):
    """dbt with the project, the database and dataset of this site; its exit code."""

    help = "Run dbt on subscriptions/transform, as in: manage.py dbt docs generate"
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Give dbt all that follows, options too; the embedded PostgreSQL runs meanwhile."""
        from dbt.cli.exceptions import ResultExit

        arguments = argv[2:] or ["--help"]
        try:
            target = Target.from_settings()
            os.environ.update(variables(target))
            alone = load_lock(target, purpose="dbt") if BUILDING & set(arguments) else nullcontext()
            with alone:
                done = invoke(target, arguments)
        except Exception as failure:  # noqa: BLE001  (whatever it is, it has to be explained)
            self.stderr.write(f"CommandError: {explain(failure)}")
            sys.exit(1)
        if done.exception is not None and not isinstance(done.exception, ResultExit):
            self.stderr.write(str(done.exception))
        sys.exit(0 if done.success else 1)
