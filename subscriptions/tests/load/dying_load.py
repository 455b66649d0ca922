"""A load in a process of its own that kills itself at a given moment; run with `python -m`."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from datetime import date
from itertools import count
from pathlib import Path

import django

_COMMIT = ("dlt.destinations.impl.postgres.sql_client", "Psycopg2SqlClient.commit_transaction")
_JOB_NOTED = ("dlt.common.storages.load_package", "PackageStorage.complete_job")

# Where it dies: right after this call returns, for the nth time.
MOMENTS = {
    "locked": ("subscriptions.load.receipt", "latest", 1),
    "resolved": ("subscriptions.load.pipeline", "resolve", 1),
    "cleared": ("subscriptions.load.leftovers", "drop_schemas", 1),
    "compared": ("subscriptions.load.comparison", "compare", 1),
    "begun": ("subscriptions.load.generation", "Generation.begin", 1),
    "extracted": ("dlt.pipeline.pipeline", "Pipeline.extract", 1),
    "normalized": ("dlt.pipeline.pipeline", "Pipeline.normalize", 1),
    **{
        f"one job copied, {n}": ("subscriptions.load.copying", "CopyJob._copy", n)
        for n in range(1, 5)
    },
    **{f"commit {n}": (*_COMMIT, n) for n in range(1, 8)},
    **{f"job {n} noted": (*_JOB_NOTED, n) for n in range(1, 4)},
    "staged": ("subscriptions.load.publication", "Publication.prepare", 1),
    "noted, not published": ("subscriptions.load.publication", "Publication._note", 1),
    "published, not committed": ("subscriptions.load.publication", "Publication.publish", 1),
    "committed, dlt knows nothing of it": (
        "subscriptions.load.destination",
        "DatasetClient.complete_load",
        1,
    ),
    "noted by dlt": ("dlt.pipeline.pipeline", "Pipeline.load", 1),
    "done, but for its note": ("subscriptions.load.pipeline", "execute", 1),
}


def die_after(moment: str) -> None:
    """Arrange that the process is killed, as by `kill -9`, when the moment has come."""
    module, path, number = MOMENTS[moment]
    owner: object = importlib.import_module(module)
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    times = count(1)

    def deadly(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        if next(times) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def main() -> None:
    """Arguments: the moment (or "never"), and the target and request as JSON."""
    django.setup()
    from subscriptions.load import pipeline
    from subscriptions.load.request import Request, disposition
    from subscriptions.load.target import Target

    moment, details = sys.argv[1], json.loads(sys.argv[2])
    if moment != "never":
        die_after(moment)
    request = Request(
        users=details["users"],
        as_of=date.fromisoformat(details["as_of"]),
        write_disposition=disposition(details["disposition"]),
    )
    pipeline.run(Target(**details["target"]), request, Path(details["working_dir"]), print)


if __name__ == "__main__":
    main()
