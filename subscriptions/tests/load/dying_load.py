"""Loads that are killed at given moments, each in a process forked from one that is warm.

Run with `python -m`, it takes lines of JSON and answers each with how the load's process ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path
from typing import Any

import django

from subscriptions.extract.vocabulary import vocabulary
from subscriptions.tests.load.moments import MOMENTS, right_after

# What a load imports as it goes, which each process would do for itself, as with Faker's words.
LATE = ("dlt.common.libs.pyarrow", "dlt.sources.helpers.requests", "subscriptions.load.source")


def die() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def load(order: dict[str, Any]) -> None:
    """Load what was ordered, in this process, which dies when the moment has come."""
    from subscriptions.load import pipeline
    from subscriptions.load.request import Request, disposition
    from subscriptions.load.target import Target

    request = Request(
        users=order["users"],
        as_of=None if order["advance"] else date.fromisoformat(order["as_of"]),
        write_disposition=disposition(order["disposition"]),
        advance=order["advance"],
    )
    with right_after(order["moment"], die):
        pipeline.run(
            Target(**order["target"]), request, Path(order["working_dir"]), lambda _line: None
        )


def main() -> None:
    """Import once what takes a second to import; then fork for each line."""
    django.setup()
    for late in LATE:
        importlib.import_module(late)
    vocabulary()
    for moment in MOMENTS:
        with right_after(moment, die):  # imports whatever the moment is in
            pass
    # A forked process would copy every page on which it looks for garbage.
    gc.freeze()
    gc.disable()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            load(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
