"""The contract between LOAD, TRANSFORM and SERVE: where relations lie, as Django names them.

Schema-qualified instead of found by `search_path`, because a pooler such as PgBouncer drops the
start-up option that would set it.
"""

from __future__ import annotations

from django.conf import settings


def relation(name: str) -> str:
    """A table or view of the dataset as a quoted `db_table`; migrations build theirs with it."""
    return f'"{settings.DATASET_NAME}"."{name}"'


def mart(name: str) -> str:
    """A mart in the same way."""
    return f'"{settings.DATASET_NAME}_marts"."{name}"'
