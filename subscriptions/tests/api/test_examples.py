"""The README's commands and its example answer, as far as they speak of the API."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest
from django.conf import settings
from django.test import Client

from subscriptions.tests.conftest import AS_OF

README: Final = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
COMMAND: Final = re.compile(
    r"""^.*\bcurl .*--user admin:admin.* "?http://127\.0\.0\.1:8000(/[^"\s]*)""",
    re.MULTILINE,
)


@pytest.mark.usefixtures("dataset", "db")
def test_the_commands(api: Client) -> None:
    addresses = COMMAND.findall(README.replace("$(date -u +%F)", str(AS_OF)))
    assert {"/plans", "/plans/3", "/plans/3/history", "/users?format=csv"} <= {*addresses}
    for address in addresses:
        response = api.get(address)
        assert response.status_code == 200, address


@pytest.mark.usefixtures("lived")
def test_the_history(api: Client) -> None:
    [example] = re.findall(r'```json\n(\{"history".*?)```', README, re.DOTALL)
    shown = json.loads(example.replace(", …}", "}"))["history"]
    answer = api.get("/plans/3/history").json()["history"]
    assert len(shown) == len(answer)
    for version, full in zip(shown, answer, strict=True):
        assert list(version) == list(full)
        assert version["row"].items() <= {**full["row"], "features": ""}.items()
        assert {**version, "row": {}} == {**full, "row": {}}
