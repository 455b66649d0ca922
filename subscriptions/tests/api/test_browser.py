"""The browsable API in a real browser: prompt, page, next page, on a desk and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, HttpCredentials

pytestmark = [
    pytest.mark.usefixtures("dataset"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.mark.parametrize("width", [1280, 390])
def test_reading(browser: Browser, live_server: LiveServer, width: int) -> None:
    known: HttpCredentials = {
        "username": settings.BASIC_AUTH_USERNAME,
        "password": settings.BASIC_AUTH_PASSWORD,
    }
    context = browser.new_context(http_credentials=known, viewport={"width": width, "height": 800})
    page = context.new_page()
    requested: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    # Aborted is what the browser itself no longer needed, such as an icon of a page just left.
    page.on(
        "requestfailed",
        lambda request: (
            None if request.failure == "net::ERR_ABORTED" else complaints.append(request.url)
        ),
    )
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(live_server.url)
    page.click("main a:has-text('/users')")
    assert page.locator("h1").inner_text() == "Users"
    assert page.locator("tbody tr").count() == 50
    first = page.locator("tbody td").first.inner_text()
    page.click("a[rel=next]")
    page.wait_for_url("**/users?page=2")
    assert page.locator("tbody td").first.inner_text() > first

    # Without a script: search and order by the form, then turn the order by a header.
    page.fill("input[type=search]", "s")
    page.select_option("select", "-signup_date")
    page.click("text=Show")
    page.wait_for_url("**/users?search=s&ordering=-signup_date")
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("signup_date")
    page.click("th a:has-text('signup_date')")
    page.wait_for_url("**/users?search=s&ordering=signup_date")
    page.click("a[aria-label='Without search']")
    page.wait_for_url("**/users?ordering=signup_date")

    # The table scrolls by itself; the page does not scroll sideways.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter")
    assert all(url.startswith(live_server.url) for url in requested)
    assert complaints == []
    context.close()


def test_without_the_right_answer_to_the_prompt(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(http_credentials={"username": "analyst", "password": "wrong"})
    page = context.new_page()
    response = page.goto(f"{live_server.url}/users")
    assert response is not None
    assert response.status == 401
    assert page.locator("[role=alert]").inner_text() == "Wrong username or password."
    context.close()
