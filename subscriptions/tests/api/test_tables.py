"""The tables of a person's page: lists, single rows and histories, linked to each other."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from django.db import connection
from django.test import Client

from subscriptions.models import UserVersion
from subscriptions.tests.histories import History

from .test_renderers import hrefs, text
from .test_viewsets import LISTS, stored


def cells(html: str) -> list[list[str]]:
    """The texts of a page's table, header first."""
    return [
        [unescape(text(cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    ]


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("path", LISTS)
def test_keys_lead_to_their_rows(person: Client, path: str) -> None:
    leads = {"user_id": "users", "plan_id": "plans"} | {LISTS[path][1].split()[0]: path}
    for query in ("", "?as_of=2026-02-01"):
        row = (
            stored(path)[0]
            if not query
            else person.get(f"/{path}{query}&format=json").json()[path][0]
        )
        found = hrefs(person.get(f"/{path}{query}").text)
        expected = {
            f"/{leads[column]}/{value}{query}" for column, value in row.items() if column in leads
        }
        assert expected <= set(found)


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("path", LISTS)
def test_a_row_is_a_line_for_each_column(person: Client, path: str) -> None:
    row = stored(path)[0]
    page = person.get(f"/{path}/{next(iter(row.values()))}")
    header, *lines = cells(page.text)
    assert header == ["column", "value"]
    assert [name for name, _ in lines] == LISTS[path][1].split()
    assert lines[0][1] == str(next(iter(row.values())))
    assert 'class="number"' not in page.text
    has_history = f"/{path}/{next(iter(row.values()))}/history" in hrefs(page.text)
    assert has_history == (path != "usages")


@pytest.mark.usefixtures("lived")
def test_a_history_is_a_line_for_each_version(person: Client) -> None:
    page = person.get("/plans/3/history").text
    versions = person.get("/plans/3/history?format=json").json()["history"]
    fees = [f"{version['row']['monthly_fee']:.2f}" for version in versions]
    assert "<h1>Plan history</h1>" in page
    assert cells(page) == [
        ["valid_from", "valid_to", "began", "ended", "changes"],
        ["2025-06-01", "2026-02-01", "appeared", "superseded", ""],
        ["2026-02-01", "null", "changed", "null", f"monthly_fee: {fees[0]} → {fees[1]}"],
    ]
    assert {"/plans/3", "/plans/3?as_of=2025-06-01", "/plans/3?as_of=2026-02-01"} <= set(
        hrefs(page)
    )


def test_what_is_gone_has_no_page_of_today(person: Client, interrupted: History) -> None:
    came_back = f"/users/{interrupted.known('user', date(2026, 1, 1))[0]['user_id']}"
    gone = f"/users/{interrupted.known('user', date(2026, 2, 1))[0]['user_id']}"
    assert came_back in hrefs(person.get(f"{came_back}/history").text)
    links = hrefs(person.get(f"{gone}/history").text)
    assert gone not in links
    assert person.get(f"{gone}?as_of=2026-02-01").status_code == 200
    assert f"{gone}?as_of=2026-02-01" in links


@pytest.mark.usefixtures("lived")
def test_a_list_of_a_day(person: Client) -> None:
    page = person.get("/users?as_of=2026-02-01").text
    assert "299 rows" in text(page) or "of 299" in text(page)
    assert "'http://testserver/users?as_of=2026-02-01'" in unescape(page)
    assert {"/users?as_of=2026-02-01&page=2", "/users?as_of=2026-02-01&format=json"} <= set(
        hrefs(page)
    )


@pytest.mark.usefixtures("lived")
def test_the_navigation_knows_where_one_is(person: Client) -> None:
    for path in ("/plans", "/plans/1", "/plans/1/history"):
        assert '<a href="/plans" aria-current="page">' in person.get(path).text
    assert person.get("/").text.count("aria-current") == 0


@pytest.mark.usefixtures("interrupted")
def test_a_list_that_was_empty_says_of_when(person: Client) -> None:

    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {UserVersion._meta.db_table}")
    assert "There were no rows as of 2026-02-01." in person.get("/users?as_of=2026-02-01").text
    assert "No rows yet" in person.get("/users").text
