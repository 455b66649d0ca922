"""Real answers, of each status and format, held against what the document says of them."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from subscriptions.api.documentation.document import document
from subscriptions.models import Subscription, Usage, User
from subscriptions.tests.conftest import AS_OF

pytestmark = pytest.mark.usefixtures("dataset", "db")

LISTS: Final = ("/users", "/plans", "/subscriptions", "/usages")
KEYS: Final[dict[str, Any]] = {"/users": User, "/subscriptions": Subscription, "/usages": Usage}


def conform(template: str, response: Any, status: int) -> Any:
    """The answer has a documented status, content type, headers and body; returns its JSON."""
    said = document()["paths"][template]["get"]["responses"][str(status)]
    if "$ref" in said:
        said = document()["components"]["responses"][said["$ref"].rpartition("/")[2]]
    assert response.status_code == status
    for name, header in said.get("headers", {}).items():
        assert name in response.headers or not header.get("required")
    if status == 304:
        assert response.content == b""
        return None
    media = response["Content-Type"].partition(";")[0]
    assert media in said["content"]
    if media != "application/json":
        return None
    schema = {**said["content"][media]["schema"], "components": document()["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(response.json())
    return response.json()


def addresses() -> list[tuple[str, str]]:
    listed = [(path, path) for path in LISTS]
    alone = [
        (path, path)
        for path in ("/", "/check-tables", "/healthz", "/docs", "/redoc", "/openapi.json")
    ]
    return [
        *listed,
        *alone,
        *((path, f"{path}?page=1&count={count}") for path in LISTS for count in ("exact", "none")),
        *((path, f"{path}?cursor=&size=3") for path in LISTS),
        *((path, f"{path}?as_of={AS_OF}&fields=plan_id") for path in LISTS),
        ("/plans/{plan_id}", "/plans/3"),
        ("/plans/{plan_id}", "/plans/3?fields=features,plan_name"),
        ("/plans/{plan_id}/history", "/plans/3/history"),
    ]


@pytest.mark.parametrize(("template", "address"), addresses())
def test_success(api: Client, template: str, address: str) -> None:
    conform(template, api.get(address), 200)


@pytest.mark.parametrize("path", KEYS)
def test_one_row(api: Client, path: str) -> None:
    row = KEYS[path].objects.order_by("pk")[0]
    key = KEYS[path]._meta.pk.attname
    assert conform(f"{path}/{{{key}}}", api.get(f"{path}/{row.pk}"), 200)[key] == row.pk
    if path != "/usages":
        conform(f"{path}/{{{key}}}/history", api.get(f"{path}/{row.pk}/history"), 200)


@pytest.mark.parametrize("path", LISTS)
def test_each_format(api: Client, path: str) -> None:
    said = document()["paths"][path]["get"]
    [formats] = [p["schema"]["enum"] for p in said["parameters"] if p["name"] == "format"]
    answered = set()
    for chosen in formats:
        response = api.get(f"{path}?format={chosen}")
        conform(path, response, 200)
        answered.add(response["Content-Type"].partition(";")[0])
    assert answered == set(said["responses"]["200"]["content"])


@pytest.mark.usefixtures("lived")
def test_a_history_with_changes(api: Client) -> None:
    told = conform("/plans/{plan_id}/history", api.get("/plans/3/history"), 200)
    assert len(told["history"]) > 1


def test_refusals(api: Client, client: Client, stranger: Client) -> None:
    tag = api.get("/users")["ETag"]
    for accept in ("application/json", "text/html"):
        headers = {"accept": accept}
        conform("/users", client.get("/users", headers=headers), 401)
        conform("/users", stranger.get("/users", headers=headers), 403)
        conform("/users", api.get("/users?junk=1", headers=headers), 400)
        conform("/users", api.get("/users?page=99", headers=headers), 404)
        conform("/plans/{plan_id}", api.get("/plans/77", headers=headers), 404)
    conform("/users", api.get("/users", headers={"accept": "image/png"}), 406)
    conform("/users", api.get("/users", headers={"if-none-match": tag}), 304)
    conform("/users", api.get("/users", headers={"if-match": '"another"'}), 412)


def test_too_many_wrong_credentials(client: Client, settings: LazySettings) -> None:
    wrong = {"username": "nobody", "password": "wrong"}
    for _ in range(settings.AUTH_FAILURES_PER_ADDRESS):
        response = client.get("/users", wrong, REMOTE_ADDR="203.0.113.99")
        if response.status_code != 401:
            break
    response = client.get("/users", wrong, REMOTE_ADDR="203.0.113.99")
    conform("/users", response, 429)


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("gone"), 503), (RuntimeError("boom"), 500)]
)
def test_failures(
    api: Client,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def fail() -> None:
        raise error

    api.raise_request_exception = False
    monkeypatch.setattr("subscriptions.api.freshness.LastLoad.read", fail)
    for settings.DEBUG in (False, True):
        told = conform("/plans", api.get("/plans"), status)
        assert ("traceback" in told) is settings.DEBUG
