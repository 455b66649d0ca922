"""TRANSFORM: failures a person can act on, in one sentence."""

from __future__ import annotations

from subscriptions.load.errors import LoadError


class TransformError(LoadError):
    """A transform that cannot go on; the message is one sentence that says what to do."""
