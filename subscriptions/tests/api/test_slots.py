"""Places for lists: who finds none is told to come back, unless a worker lets requests wait."""

from __future__ import annotations

import pytest
from django.test import Client

from elt_site.turns import Places
from subscriptions.api import slots


@pytest.mark.usefixtures("dataset", "db")
def test_a_list_needs_a_place(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "places", Places(0))
    refused = api.get("/plans")
    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    assert "Too many lists" in refused.json()["error"]
    for path in ("/healthz", "/check-tables", "/plans/1", "/users?page=2"):
        assert api.get(path).status_code == 200


@pytest.mark.usefixtures("dataset", "db")
def test_a_place_is_given_back(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "places", Places(1))
    for path in ("/plans", "/users?format=csv&as_of=1999-01-01", "/plans", "/plans"):
        assert api.get(path).status_code == (400 if "1999" in path else 200)
