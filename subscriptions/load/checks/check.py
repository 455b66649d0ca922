"""LOAD, checks: what one check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The company's first day, as SQL.
OPENING: Final = "date '2024-08-01'"


@dataclass(frozen=True)
class Check:
    """A claim about the stored data, and the query that finds what breaks it.

    The query selects one text column, which names the offender, and one row for each violation.
    It finds the dataset's tables and views by their bare names, and may use the parameters
    `as_of` and `epoch`, the dates of the newest load. Whatever the number of rows, it reads each
    table a few times at most: joins are by equality (a subquery for each row is none), and a null
    is left to the checks of nulls.
    """

    name: str  # lower-case words with hyphens, unique
    expects: str  # one sentence: what is true when nothing is found
    sql: str
