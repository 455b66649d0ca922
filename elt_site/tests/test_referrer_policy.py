"""The Referrer-Policy: a browser can sign in to the admin, and nobody learns the API's URLs."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django.live_server_helper import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.django_db
def test_only_the_admin_may_send_the_referrer_and_to_itself_alone(client: Client) -> None:
    assert client.get("/admin/login/").headers["Referrer-Policy"] == "same-origin"
    assert client.get("/unknown").headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_real_browser_signs_in(browser: "Browser", live_server: LiveServer) -> None:
    get_user_model().objects.create_superuser("editor", password="a password")
    page = browser.new_page()
    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "a password")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{live_server.url}/admin/")
    assert "sessionid" in {cookie.get("name") for cookie in page.context.cookies()}
    page.close()
