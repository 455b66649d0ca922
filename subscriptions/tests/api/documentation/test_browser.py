"""The documentation in a real browser: shows every path, and asks no other server for anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.usefixtures("dataset"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
@pytest.mark.parametrize("width", [1280, 390])
def test_reading(browser: Browser, live_server: LiveServer, path: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    requested: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(live_server.url + path)
    page.get_by_text("/users/{user_id}/history").first.wait_for(state="attached")
    assert page.get_by_role("heading", name="Subscriptions API").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("getComputedStyle(document.querySelector('h2')).fontFamily")[:5] == "Inter"
    elsewhere = [url for url in requested if not url.startswith((live_server.url, "data:"))]
    assert elsewhere == []
    assert complaints == []
    page.close()


def test_trying(browser: Browser, live_server: LiveServer) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("button", name="Authorize").click()
    page.locator("#auth-basic-username:focus").wait_for()
    assert page.locator(".modal-ux-content").evaluate("(dialog) => dialog.scrollTop") == 0
    page.fill("#auth-basic-username", settings.BASIC_AUTH_USERNAME)
    page.fill("#auth-basic-password", settings.BASIC_AUTH_PASSWORD)
    page.press("#auth-basic-password", "Enter")
    page.click(".close-modal")
    operation = page.locator("#operations-Plans-listPlans")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    assert answer.locator(".response-col_status").inner_text().startswith("200")
    assert '"Premium"' in answer.inner_text()
    page.close()


def luminance(colour: str) -> float:
    """Of a colour as a browser computes it, `rgb(22, 30, 34)`, by WCAG's formula: 0 to 1."""
    parts = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_badges_can_be_read(
    browser: Browser, live_server: LiveServer, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{live_server.url}/docs")
    badges = page.locator(".info .title small")
    badges.nth(1).wait_for()
    for badge in badges.all():
        ground, text = badge.evaluate(
            "(badge) => [getComputedStyle(badge).backgroundColor,"
            " getComputedStyle(badge.querySelector('pre')).color]"
        )
        dark, light = sorted((luminance(ground), luminance(text)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    page.close()
