"""The browsable API: a page to read, whose links give nothing away."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.conf import settings
from django.test import Client

from .conftest import HTML, credentials
from .test_viewsets import stored

pytestmark = pytest.mark.usefixtures("dataset", "db")

PAGES = (
    "/",
    "/users",
    "/users?page=3",
    "/users?as_of=2026-11-23&page=2",
    "/users?region=Asia&plan_id__in=1,2&search=a&ordering=-signup_date&size=5&page=2",
    "/users?region=Asia&user_id=00000000",
    "/subscriptions?cursor=&ordering=end_date&fields=end_date,user_id",
    "/plans",
    "/plans/2",
    "/plans/2?as_of=2026-11-23",
    "/plans/2/history",
    "/subscriptions",
    "/usages",
    "/check-tables",
)


def hrefs(html: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'(?:href|src|action)="([^"]*)"', html)]


def text(html: str) -> str:
    return re.sub("<[^>]*>", "", html)


@pytest.mark.parametrize("path", [*PAGES, "/users?page=99", "/users?junk=1", "/nothing"])
def test_credentials_are_nowhere_in_the_page(client: Client, path: str) -> None:
    query = path.partition("?")[2]
    parameters = dict(part.split("=") for part in query.split("&") if part)
    response = client.get(
        path.partition("?")[0], parameters | credentials(), headers={"accept": HTML}
    )
    assert response["Content-Type"].startswith("text/html")
    assert response.text.count("horse") == 0
    assert "username=" not in response.text
    assert "password=" not in response.text


def test_credentials_are_nowhere_in_a_refusal(client: Client) -> None:
    response = client.get(
        "/users", {"username": "an-analyst", "password": "a-secret"}, headers={"accept": HTML}
    )
    assert response.status_code == 401
    assert "a-secret" not in response.text
    assert "an-analyst" not in response.text
    assert "/admin/login/?next=/users" in hrefs(response.text)


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_nowhere_else_and_work(person: Client, path: str) -> None:
    for url in hrefs(person.get(path).text):
        assert url.startswith("/")
        if not url.startswith(settings.STATIC_URL):
            assert person.get(url, follow=True).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_nothing_to_write_with_and_no_script(person: Client, path: str) -> None:
    html = person.get(path).text
    assert re.findall("<form[^>]*>", html) == re.findall(
        '<form class="ask" method="get"[^>]*>', html
    )
    assert "<script" not in html
    assert "style=" not in html
    assert "csrf" not in html


def test_rows_are_a_table(person: Client) -> None:
    html = person.get("/users?page=2").text
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    header, *lines = [
        [unescape(text(cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t", row)] for row in rows
    ]
    expected = stored("users")[50:100]
    assert header == list(expected[0])
    assert lines == [[str(value) for value in row.values()] for row in expected]
    assert "Rows 51 to 100 of 1,000" in html


def test_values_of_each_kind(person: Client) -> None:
    plans = person.get("/plans").text
    assert '<td class="number">20.00</td>' in plans
    assert '<td class="list">' in plans
    assert "5 rows" in plans
    assert '<td class="null">null</td>' in person.get("/subscriptions").text


def test_values_are_escaped(person: Client) -> None:
    html = person.get("/%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>" not in html


def test_page_links(person: Client) -> None:
    urls = hrefs(person.get("/users?page=3&format=api").text)
    assert "/users?format=api&page=2" in urls or "/users?page=2&format=api" in urls
    urls = hrefs(person.get("/users?page=2").text)
    assert {"/users", "/users?page=3", "/users?page=20"} <= set(urls)
    assert "/users?page=1" not in urls  # the first page has one address
    assert "?page=" not in person.get("/plans").text


def test_says_who_is_signed_in(person: Client, staff: Client, client: Client) -> None:
    assert "Signed in as <b>analyst</b>" in person.get("/plans").text
    assert "Signed in as <b>staff</b>" in staff.get("/plans?format=api").text
    # Where nobody is asked, nobody is told to sign in either.
    assert "ign in" not in client.get("/check-tables?format=api").text


def test_options_for_a_person(person: Client) -> None:
    response = person.options("/users")
    assert response.status_code == 200
    assert "application/json" in response.text
