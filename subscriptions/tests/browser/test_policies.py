"""No page violates the policy that it is sent with, in a real browser, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User as Account
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from access import tokens
from subscriptions.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, settings: Settings) -> Iterator[Page]:
    """A page on which nothing may violate a policy."""
    # A hash that is made to be slow would be most of the test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    violations: list[str] = []
    context.add_init_script(
        "addEventListener('securitypolicyviolation', event =>"
        " console.error('CSP', event.violatedDirective, event.blockedURI, event.sample))"
    )
    opened.on("console", lambda said: violations.append(f"{opened.url}: {said.text}"))
    opened.on("pageerror", lambda error: violations.append(f"{opened.url}: {error}"))
    yield opened
    context.close()
    assert [line for line in violations if "the server responded with a status" not in line] == []


@pytest.mark.usefixtures("dataset")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_page_violates_its_policy(page: Page, live_server: LiveServer) -> None:
    account = Account.objects.create_superuser("editor", password="a password")
    token, _ = tokens.make("Nightly report", account, 30)
    user = User.objects.order_by("user_id")[0]
    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "a password")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{live_server.url}/admin/")
    assert "sessionid" in {cookie.get("name") for cookie in page.context.cookies()}
    for path in (
        "/admin/subscriptions/user/",
        f"/admin/subscriptions/user/{user.pk}/change/",
        "/admin/subscriptions/subscription/?status=Active",
        "/admin/auth/user/",
        f"/admin/auth/user/{account.pk}/change/",
        "/admin/access/token/",
        f"/admin/access/token/{token.pk}/change/",
        "/",
        "/users",
        f"/users/{user.pk}/history",
        "/unknown",
    ):
        page.goto(f"{live_server.url}{path}")
        page.wait_for_selector("h1")
    page.goto(f"{live_server.url}/admin/access/token/add/")
    page.fill("input[name=name]", "Another")
    page.click("[name=_save]")
    text = page.inner_text("#token")
    assert tokens.find(text) is not None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
