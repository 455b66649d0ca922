"""`?as_of=`: what each endpoint knew on a day, against the generator's own word for it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from subscriptions.tests.histories import LIVED, History

from .conftest import plans_of
from .test_viewsets import LISTS, duplicate, each_list, stored, table

BEFORE_A_LOAD = [day - timedelta(days=1) for day in LIVED.days[1:]]
AFTER_THE_LAST = [LIVED.days[-1] + timedelta(days=1), date(9999, 12, 31)]
each_day = pytest.mark.parametrize(
    "day", [*LIVED.days, *BEFORE_A_LOAD, *AFTER_THE_LAST], ids=date.isoformat
)


@each_list
@each_day
def test_lists(api: Client, lived: History, path: str, day: date) -> None:
    answer = api.get(f"/{path}?as_of={day}").json()
    assert list(answer) == [path]
    assert answer[path] == lived.known(LISTS[path][0], day)
    assert {" ".join(row) for row in answer[path]} == {LISTS[path][1]}


@each_list
def test_days_differ(api: Client, lived: History, path: str) -> None:
    """Or the tests above would prove little."""
    answers = [api.get(f"/{path}?as_of={day}").content for day in lived.days]
    # Prices rise 200 days after the epoch at the earliest.
    assert len(set(answers)) == (3 if path == "plans" else 4)


@each_day
def test_foreign_keys_resolve(api: Client, lived: History, day: date) -> None:
    rows = {path: api.get(f"/{path}?as_of={day}").json()[path] for path in LISTS}
    users = {row["user_id"] for row in rows["users"]}
    plans = {row["plan_id"] for row in rows["plans"]}
    for path in ("users", "subscriptions", "usages"):
        assert {row["plan_id"] for row in rows[path]} <= plans
        assert {row["user_id"] for row in rows[path]} <= users
    for path in ("subscriptions", "usages"):
        row = rows[path][-1]
        assert api.get(f"/users/{row['user_id']}?as_of={day}").status_code == 200
        assert api.get(f"/plans/{row['plan_id']}?as_of={day}").status_code == 200


def test_rows_that_were_gone_for_a_while(api: Client, interrupted: History) -> None:
    for day in interrupted.days:
        for path, (name, _) in LISTS.items():
            assert api.get(f"/{path}?as_of={day}").json()[path] == interrupted.known(name, day)


@pytest.mark.usefixtures("lived")
@each_list
def test_a_day_after_the_last_load_knows_the_current_rows(api: Client, path: str) -> None:
    now = api.get(f"/{path}").content
    assert now == api.get(f"/{path}?as_of=2026-08-01").content
    assert now == api.get(f"/{path}?as_of=9999-12-31").content
    assert now != api.get(f"/{path}?as_of=2026-07-31").content


@pytest.mark.usefixtures("lived")
def test_usage_after_the_day_does_not_count(api: Client) -> None:
    key = stored("usages")[0]["usage_id"]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('usages')} SET valid_from = '2025-06-01', usage_date = '2026-02-02' "
            "WHERE usage_id = %s",
            [key],
        )
    for day, knows in (("2026-02-01", False), ("2026-02-02", True)):
        usages = api.get(f"/usages?as_of={day}").json()["usages"]
        assert (key in {row["usage_id"] for row in usages}) is knows
        assert api.get(f"/usages/{key}?as_of={day}").status_code == (200 if knows else 404)


@pytest.mark.usefixtures("lived")
def test_usage_that_only_a_later_load_brought_does_not_count(api: Client) -> None:
    late = next(row for row in stored("usages") if "2025-06-02" <= row["usage_date"] < "2025-09-15")
    assert api.get(f"/usages/{late['usage_id']}?as_of=2025-09-14").status_code == 404
    assert api.get(f"/usages/{late['usage_id']}?as_of=2025-09-15").json() == late


@pytest.mark.usefixtures("lived")
@each_list
@pytest.mark.parametrize("detail", ["", "/1", "/00000000", "/zzz"])
@pytest.mark.parametrize("day", ["2025-05-31", "0001-01-01"])
def test_before_the_first_version(api: Client, path: str, detail: str, day: str) -> None:
    response = api.get(f"/{path}{detail}?as_of={day}")
    assert response.status_code == 400
    assert response.json() == {
        "error": 'The query parameter "as_of" must be 2025-06-01 or later: '
        "the history of this dataset begins then."
    }


JUNK = (
    "",
    "s3cret",
    "today",
    "2026-02-30",
    "2026-2-1",
    "20260201",
    "2026-W05-7",
    "2026-02-01T00:00:00Z",
    "2026-02-01 ",
    "2026-02-01\n",
    "٢٦٢٦-٣٢-٤٢",
    "0000-01-01",
    "10000-01-01",
    "-2026-02-01",
    "2026-02-01\0",
    "9" * 100_000,
)


@pytest.mark.usefixtures("lived")
def test_not_a_date(api: Client, person: Client) -> None:
    for junk in JUNK:
        for path in ("/users", "/plans/1"):
            response = api.get(path, {"as_of": junk})
            assert response.status_code == 400, junk
            assert response.json() == {
                "error": 'The query parameter "as_of" must be a date (YYYY-MM-DD).'
            }
        page = person.get("/users", {"as_of": junk})
        assert page.status_code == 400
        assert "s3cret" not in page.text


@pytest.mark.usefixtures("lived")
def test_more_than_once(api: Client) -> None:
    response = api.get("/users?as_of=2026-02-01&as_of=2026-02-01")
    assert response.status_code == 400
    assert response.json() == {
        "error": 'The query parameter "as_of" comes more than once: give one.'
    }


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("path", ["/", "/check-tables", "/plans/1/history"])
def test_where_there_is_nothing_to_ask(api: Client, path: str) -> None:
    response = api.get(f"{path}?as_of=2026-02-01")
    assert response.status_code == 400
    assert response.json()["error"].startswith('Unknown query parameter "as_of": use ')


@pytest.mark.usefixtures("no_dataset")
@each_list
def test_before_the_first_load(api: Client, path: str) -> None:
    assert api.get(f"/{path}?as_of=2026-02-01").json() == {path: []}


@pytest.mark.usefixtures("no_dataset")
def test_not_a_date_before_the_first_load(api: Client) -> None:
    assert api.get("/users?as_of=junk").json() == {
        "error": 'The query parameter "as_of" must be a date (YYYY-MM-DD).'
    }


@pytest.mark.usefixtures("lived")
@each_list
def test_pages_add_up_to_the_list(api: Client, path: str) -> None:
    duplicate("plans")
    address = f"/{path}?as_of=2026-02-01"
    facts = api.get(f"{address}&page=1").json()
    rows = [
        row
        for page in range(1, facts["pages"] + 1)
        for row in api.get(f"{address}&page={page}").json()[path]
    ]
    assert rows == api.get(address).json()[path]
    assert len(rows) == facts["total"]


@pytest.mark.usefixtures("lived")
@each_list
def test_an_append_is_all_listed(api: Client, lived: History, path: str) -> None:
    duplicate(path)
    rows = api.get(f"/{path}?as_of=2026-02-01").json()[path]
    known = lived.known(LISTS[path][0], date(2026, 2, 1))
    assert rows == [row for row in known for _ in range(2)]


@pytest.mark.usefixtures("lived")
@each_list
def test_queries(api: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(3):  # the last load, where history begins, and the rows
        api.get(f"/{path}?as_of=2026-02-01")
    with django_assert_num_queries(3):  # how many there are comes with the page
        api.get(f"/{path}?as_of=2026-02-01&page=1")


@pytest.mark.usefixtures("lived")
@each_list
def test_a_page_follows_an_index(api: Client, path: str) -> None:
    """The planner may well sort tables as small as these; here it may not."""
    name, columns = LISTS[path]
    key = columns.split()[0]
    with connection.cursor() as cursor:
        # Of five plans sorting all is as good; the incremental kind stays on.
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    page = plans_of(lambda: api.get(f"/{path}?as_of=2026-02-01&page=1"))[-1]
    assert re.search(rf"Index Scan using {name}_{key}\w*_all_idx", page)
    assert re.search(rf"Presorted Key: \S*\b{key}\b", page)
