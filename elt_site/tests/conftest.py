"""Processes as a person or a platform starts them, with no variable but those that a test names."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.conf import settings

Manage = Callable[..., "subprocess.CompletedProcess[str]"]

PRODUCTION = {
    "DEBUG": "false",
    "DATABASE_URL": "postgresql://app:secret@db.example.com:5432/app",
    "SECRET_KEY": "v3ry-l0ng-And-random_" + "kJ8dPq2xZw7LmNc4" * 3,
    "ALLOWED_HOSTS": "api.example.com",
    "BASIC_AUTH_USERNAME": "analyst",
    "BASIC_AUTH_PASSWORD": "correct horse & battery",
}


def clean_environment(**variables: str) -> dict[str, str]:
    """An environment without a `.env` and without this session's own variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"ENV_FILE": os.devnull, "LOCAL_DIR": str(settings.LOCAL_DIR)} | variables


@pytest.fixture
def manage() -> Manage:
    """Run manage.py with these arguments and variables."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=clean_environment(**variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
