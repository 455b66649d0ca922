"""A migration that is killed at a given moment, in a process of its own; run with `python -m`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

from subscriptions.tests.load.dying_load import die
from subscriptions.tests.load.moments import right_after


def main() -> None:
    """Arguments: the moment, and both ends, as JSON."""
    django.setup()
    from subscriptions.load.migration.run import Migration
    from subscriptions.load.target import Target

    moment, details = sys.argv[1], json.loads(sys.argv[2])
    with right_after(moment, die):
        Migration(
            Target(**details["source"]),
            Target(**details["target"]),
            Path(details["working_dir"]),
            lambda _line: None,
            history=details["history"],
        ).run()


if __name__ == "__main__":
    main()
