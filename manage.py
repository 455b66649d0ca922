#!/usr/bin/env python
"""The command line of the project."""

import gc
import os
import sys

# Start-up makes a few hundred thousand objects, nearly all of them to stay: looking for garbage
# every 700 of them, as Python does, takes a tenth of the time that the smallest load needs.
gc.set_threshold(50_000, 20, 20)


def main() -> None:
    """Run a management command.

    A wrong configuration, or a database that cannot be used, is one line on stderr; `--traceback`
    shows where it arose.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Error: {' '.join(str(error).split())}")  # PostgreSQL's span several lines


if __name__ == "__main__":
    main()
