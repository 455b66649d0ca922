"""Moments of a load, spread over its phases, and how to have something happen at one of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

_COMMIT = ("dlt.destinations.impl.postgres.sql_client", "Psycopg2SqlClient.commit_transaction")
_JOB_NOTED = ("dlt.common.storages.load_package", "PackageStorage.complete_job")

# Each is the time right after this call returns, for the nth time.
MOMENTS = {
    "locked": ("subscriptions.load.receipt", "latest", 1),
    "resolved": ("subscriptions.load.pipeline", "resolve", 1),
    "cleared": ("subscriptions.load.leftovers", "drop_schemas", 1),
    "changes found": ("subscriptions.load.advance", "since_last", 1),
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
# There is nothing yet that a load that ends here could leave in dlt's folder.
BEFORE_THE_PACKAGE = ("locked", "resolved", "cleared", "changes found", "compared", "begun")


@contextmanager
def right_after(moment: str, action: Callable[[], object]) -> Iterator[None]:
    """Have the action happen once, when the moment has come, to whatever load runs meanwhile."""
    module, path, number = MOMENTS[moment]
    owner: object = importlib.import_module(module)
    *classes, name = path.split(".")
    for part in classes:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    times = count(1)

    def eventful(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        if next(times) == number:
            action()
        return result

    setattr(owner, name, eventful)
    try:
        yield
    finally:
        setattr(owner, name, original)
