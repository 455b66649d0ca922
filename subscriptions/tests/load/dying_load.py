"""A load in a process of its own that kills itself at a given moment; run with `python -m`."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path

import django

# Where it dies: right after this call returns.
MOMENTS = {
    "generated": ("subscriptions.load.files", "write_plans"),
    "extracted": ("dlt.pipeline.pipeline", "Pipeline.extract"),
    "normalized": ("dlt.pipeline.pipeline", "Pipeline.normalize"),
    "staged": ("subscriptions.load.publication", "Publication.prepare"),
    "published, not committed": ("subscriptions.load.publication", "Publication.publish"),
    "committed, dlt knows nothing of it": (
        "dlt.destinations.impl.postgres.sql_client",
        "Psycopg2SqlClient.commit_transaction",
    ),
    "noted by dlt": ("dlt.pipeline.pipeline", "Pipeline.load"),
    "done, but for its note": ("subscriptions.load.pipeline", "execute"),
}
MODULES_TO_PATCH = {"write_plans": "subscriptions.load.source"}


def die_after(moment: str) -> None:
    """Arrange that the process is killed, as by `kill -9`, when the moment has come."""
    module, path = MOMENTS[moment]
    owner: object = importlib.import_module(MODULES_TO_PATCH.get(path, module))
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    def deadly(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        if not moment.startswith("committed") or committed_a_load():
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def committed_a_load() -> bool:
    """Whether the commit that just returned was that of a whole load, not of a staged file."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "complete_load":
            return True
    return False


def main() -> None:
    """Arguments: the moment (or "never"), and the target and request as JSON."""
    django.setup()
    from subscriptions.load import pipeline
    from subscriptions.load.request import Request, disposition
    from subscriptions.load.target import Target

    moment, details = sys.argv[1], json.loads(sys.argv[2])
    if moment != "never":
        die_after(moment)
    request = Request(users=details["users"], write_disposition=disposition(details["disposition"]))
    pipeline.run(Target(**details["target"]), request, Path(details["working_dir"]), print)


if __name__ == "__main__":
    main()
