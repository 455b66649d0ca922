#!/usr/bin/env python
"""The command line of the project."""

import gc
import os
import signal
import sys

# Start-up and a load make a few hundred thousand objects, nearly all of them to stay: looking for
# garbage every 700 of them, as Python does, takes a tenth of the time that the smallest load needs,
# and every 50,000 of them a twentieth.
USUAL = gc.get_threshold()
gc.set_threshold(500_000, 20, 20)


def main() -> None:
    """Run a management command.

    A wrong configuration, or a database that cannot be used, is one line on stderr; `--traceback`
    shows where it arose. Ctrl-C and SIGTERM are one line as well.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of the very first imports
    from elt_site import ending

    ending.end_at_once()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")
    if os.environ.get("NO_COLOR"):  # https://no-color.org, which Django does not know
        os.environ["DJANGO_COLORS"] = "nocolor"
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import BaseCommand, ManagementUtility
    from django.db.utils import OperationalError

    class Utility(ManagementUtility):
        def fetch_command(self, subcommand: str) -> BaseCommand:
            """The project's own commands see to signals themselves, when they begin.

            What goes on for long, as a server does, needs its garbage collected: the connections
            of threads that have ended are part of it.
            """
            command = super().fetch_command(subcommand)
            if not type(command).__module__.startswith("subscriptions."):
                ending.end_as_usual()
                gc.set_threshold(*USUAL)
            return command

    try:
        Utility(sys.argv).execute()
    except ending.Interrupted as interrupt:
        ending.leave(str(interrupt), interrupt.number)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        ending.tell(" ".join(str(error).split()), "Error: ")  # PostgreSQL's span several lines
        sys.exit(1)
    finally:
        # Or Python would look through all of it for garbage, several times, before it ends.
        gc.freeze()


if __name__ == "__main__":
    main()
