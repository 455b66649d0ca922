"""A list's page for people: what it shows is in effect, and each control keeps the others."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from .conftest import HTML, credentials
from .test_pagination import grown
from .test_renderers import hrefs, text

pytestmark = pytest.mark.usefixtures("dataset", "db")
QUERY = "/users?region=Asia&size=5&ordering=-signup_date"


def test_filters_in_effect(person: Client) -> None:
    html = person.get(f"{QUERY}&search=a&page=2").text
    effects = re.findall(r"<li><code>(.*?)</code> <a href=\"(.*?)\"", html)
    assert [unescape(effect) for effect, _ in effects] == ["region=Asia", "search=a"]
    without = unescape(effects[0][1])
    assert without == "/users?size=5&ordering=-signup_date&search=a"


def test_headers_order_where_an_index_does(person: Client) -> None:
    html = person.get(f"{QUERY}&page=2").text
    assert "/users?region=Asia&size=5&ordering=signup_date" in hrefs(html)
    assert "/users?region=Asia&size=5&ordering=email" in hrefs(html)
    assert "ordering=plan_id" not in html.replace("-plan_id", "")
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>(\w+)', html) == [("descending", "signup_date")]


def test_the_form_keeps_the_rest(person: Client) -> None:
    html = person.get(f"{QUERY}&search=%22a%26b").text
    kept = re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', html)
    assert kept == [("region", "Asia"), ("size", "5")]
    assert 'name="search" value="&quot;a&amp;b"' in html
    assert "<option selected>-signup_date</option>" in html


def test_the_form_holds_no_credentials(client: Client) -> None:
    response = client.get("/users", credentials(), headers={"accept": HTML})
    assert "<form" in response.text
    assert "horse" not in response.text
    assert 'name="password"' not in response.text


def test_rows_shown(person: Client) -> None:
    assert "No rows match." in person.get("/users?user_id=x").text
    grown(5_000_000)
    assert "Rows 51 to 100 of about 5,000,000" in text(person.get("/users?page=2").text)
    assert "Rows 51 to 100<" in person.get("/users?page=2&count=none").text
    pages = hrefs(person.get("/users?page=2").text)
    assert "/users?page=3" in pages
    assert "/users?page=100000" not in pages


def test_a_walk(person: Client) -> None:
    html = person.get("/users?cursor=&size=5").text
    [further] = [url for url in hrefs(html) if url.startswith("/users?") and "cursor=W" in url]
    assert person.get(further).status_code == 200
