"""LOAD, checks: what has to be true of the stored data, declared as SQL and run as one.

`invariants` has the contract's six, `values` what a single row may hold, `history` what holds of
all versions; `run` counts the violations of each. They state the contract in their own words, not
by the generator's constants: a fault of the generator must not be a fault of its checks as well.
"""

from subscriptions.load.checks.check import Check
from subscriptions.load.checks.history import HISTORY
from subscriptions.load.checks.invariants import INVARIANTS
from subscriptions.load.checks.values import VALUES

CHECKS = (*INVARIANTS, *VALUES, *HISTORY)

__all__ = ["CHECKS", "Check"]
