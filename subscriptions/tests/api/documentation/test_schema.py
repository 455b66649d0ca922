"""The OpenAPI document: valid, made without a warning, and of exactly the paths that there are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator

from subscriptions.api.authentication import CREDENTIALS
from subscriptions.api.documentation.document import document
from subscriptions.api.documentation.views import OpenView
from subscriptions.api.health import HealthView


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, item["get"]) for path, item in document()["paths"].items()]


def test_valid() -> None:
    assert document()["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_made_without_a_warning_and_without_a_database() -> None:
    nowhere = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/nothing", "DEBUG": "true"}
    result = subprocess.run(
        [sys.executable, "manage.py", "spectacular", "--fail-on-warn", "--format", "openapi-json"],
        cwd=settings.BASE_DIR,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == document()


def test_every_path_of_the_readme_and_no_other() -> None:
    readme = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    table = readme.split("## The API")[1].split("\n\n")[1]
    written = set(re.findall(r"`(/[^`]*)`", "\n".join(re.findall(r"^\| (.*?) \|", table, re.M))))
    # "the same for plans and subscriptions"
    written |= {"/plans/{plan_id}/history", "/subscriptions/{subscription_id}/history"}
    assert written == set(document()["paths"])


@pytest.mark.parametrize(("path", "operation"), operations())
def test_every_query_parameter(path: str, operation: dict[str, Any]) -> None:
    view, _, arguments = get_resolver().resolve(path)
    described = {known["name"] for known in operation["parameters"] if known["in"] == "query"}
    if view.cls is HealthView:  # which lets everything pass
        assert described == set()
        return
    initial = {name: value for name, value in view.initkwargs.items() if name != "description"}
    instance = view.cls(**initial)
    instance.kwargs = arguments
    instance.action_map = getattr(view, "actions", None)
    assert described == (instance.query_parameters | instance.filter_parameters) - CREDENTIALS


@pytest.mark.parametrize(("path", "operation"), operations())
def test_everything_is_explained(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].endswith((".", ")."))
    for parameter in operation["parameters"]:
        assert len(parameter["description"]) > 10, parameter
        assert parameter["schema"]
    for row in ("User", "Plan", "Subscription", "Usage"):
        for column in document()["components"]["schemas"][row]["properties"].values():
            assert column["description"]


@pytest.mark.parametrize(("path", "operation"), operations())
def test_who_may_ask(path: str, operation: dict[str, Any], client: Client) -> None:
    view: Any = get_resolver().resolve(path).func
    if issubclass(view.cls, OpenView | HealthView) or path == "/check-tables":
        assert operation["security"] == [{}]
        return
    assert {"basic": []} in operation["security"]
    assert {"username": [], "password": []} in operation["security"]
    for requirement in operation["security"]:
        assert set(requirement) <= set(document()["components"]["securitySchemes"])
    assert client.get(path).status_code == 401
