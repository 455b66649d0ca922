"""The examples' clients, run as a person runs them, against a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from subscriptions.tests.conftest import AS_OF

pytestmark = [
    pytest.mark.usefixtures("dataset"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

EXAMPLES = settings.BASE_DIR / "examples"


def run(server: LiveServer, *command: str, **variables: str) -> str:
    """What a client says."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        command,
        env=kept
        | {
            "API_URL": server.url,
            "API_USERNAME": settings.BASIC_AUTH_USERNAME,
            "API_PASSWORD": settings.BASIC_AUTH_PASSWORD,
            "API_AS_OF": str(AS_OF),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_all(live_server: LiveServer, tmp_path: Path) -> None:
    """In one test, because each would have to fill Django's own tables again."""
    if shutil.which("curl"):
        told = run(live_server, "sh", str(EXAMPLES / "curl.sh"))
        assert told.count("\n1000 rows") == 5
        assert "\n1001\n" in told.replace(" ", "")
        assert '"began":"appeared"' in told
        assert told.endswith("\n304\n")

    told = run(live_server, sys.executable, str(EXAMPLES / "pandas_read.py"))
    assert told.startswith("1000 users, 5000 usage records\n")
    assert "Enterprise" in told
    assert told.endswith(f"as of {AS_OF}\n")

    kept: dict[str, Any] = {
        "DUCKDB_FILE": str(tmp_path / "copy.duckdb"),
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
    }
    command = (sys.executable, str(EXAMPLES / "dlt_to_duckdb.py"))
    assert run(live_server, *command, **kept) == (
        "plans: 5 rows came, 5 are there\n"
        "users: 1000 rows came, 1000 are there\n"
        "subscriptions: 1717 rows came, 1717 are there\n"
        "usages: 5000 rows came, 5000 are there\n"
    )
    # Nothing is new, and nothing comes twice.
    assert run(live_server, *command, **kept).endswith("usages: 0 rows came, 5000 are there\n")


def test_what_they_need_is_what_the_tests_have() -> None:
    asked = (EXAMPLES / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ours = "".join(
        (settings.BASE_DIR / name).read_text(encoding="utf-8")
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    for line in asked[1:]:
        assert line.replace("[duckdb]", "[postgres]") in ours
