"""LOAD: hold what is stored against the last receipt and the generator, and change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from subscriptions.load import comparison, receipt
from subscriptions.load.checksums import Checksum
from subscriptions.load.errors import LoadError
from subscriptions.load.generation import generation
from subscriptions.load.lock import load_lock
from subscriptions.load.progress import SILENT, Phase, Progress
from subscriptions.load.request import Request, resolve
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target


@dataclass(frozen=True)
class Verified:
    """One table: rows and checksum as they are stored, as the receipt has them, and as generated.

    `made` is None where the table holds more than the company, after `append`.
    """

    table: str
    stored: Checksum
    noted: Checksum
    made: Checksum | None

    @property
    def right(self) -> bool:
        """Whether all agree."""
        return self.stored == self.noted and self.made in {None, self.stored}


def verify(
    target: Target,
    workers: int | None = None,
    wait: float = 0,
    say: Callable[[str], None] | None = None,
    progress: Progress = SILENT,
) -> list[Verified]:
    """Recompute the checksums of the current rows of all tables.

    Args:
        target: the dataset.
        workers: processes that generate; one per core by default.
        wait: seconds that a load has to end.
        say: called with a sentence while there is one to wait for.
        progress: told how far the generator got.

    Raises:
        LoadError: a load is running, there is none yet, or its release kept no checksums.
    """
    connect = partial(target.connect, "load_faker_data")
    with load_lock(target, wait, say), connect() as connection:
        recorded = receipt.latest(connection, target.dataset)
        if recorded is None:
            raise LoadError(f"There is no {target.dataset} yet to verify: load it first.")
        if not recorded.stored:
            raise LoadError(
                f"The last load of {target.dataset} left no checksums: load it again, which "
                "compares every row."
            )
        request = Request(as_of=recorded.as_of, workers=workers)
        load = resolve(request, recorded, datetime.now(UTC))
        progress.begin(Phase.COMPARING, sum(load.company.about_rows(load.as_of).values()))
        with (
            generation(load, target.folder, progress) as made,
            ThreadPoolExecutor(1) as beside,
        ):
            asking = beside.submit(
                lambda: {t.name: comparison.stored(connection, target.dataset, t) for t in TABLES}
            )
            made.sums()
            stored = asking.result()
        progress.end()
    results = []
    for table in TABLES:
        noted = _noted(recorded.stored[table.name])
        whole = noted.rows == recorded.rows[table.name]
        own = made.checksums[table.name] if whole else None
        results.append(Verified(table.name, stored[table.name].current, noted, own))
    return results


def _noted(stored: Mapping[str, int | str]) -> Checksum:
    return Checksum(int(stored["rows"]), int(str(stored["checksum"]), 16))
