"""The dashboard: its figures, what its address chooses, and what it says without marts."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.admin.dashboard.charts import Chart
from subscriptions.admin.dashboard.figures import one_transform
from subscriptions.admin.dashboard.page import Card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dataset")]

MARTS = f'"{settings.DATASET_NAME}_marts"'


def ask(query: str, *parameters: date) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query.format(marts=MARTS), parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def shown(admin: Client, address: str = "/admin/") -> tuple[dict[str, Card], dict[str, Chart]]:
    context = admin.get(address).context
    return (
        {card.title: card for card in context["cards"]},
        {chart.name: chart for chart in context["charts"]},
    )


def test_the_cards_are_the_marts(admin: Client) -> None:
    cards, _ = shown(admin)
    (now, mrr, paying), (_, before, _) = ask(
        "SELECT month, sum(mrr), sum(paying_customers) FROM {marts}.mrr_monthly"
        " GROUP BY month ORDER BY month DESC LIMIT 2"
    )
    assert now == date(2026, 11, 1)
    assert cards["Monthly recurring revenue"].value == f"${mrr:,.0f}"
    assert cards["Monthly recurring revenue"].change == f"{abs(mrr / before - 1):.1%}"
    assert cards["Revenue per paying customer"].value == f"${mrr / paying:,.2f}"
    ((active,),) = ask(
        "SELECT sum(active_customers) FROM {marts}.customer_monthly WHERE month = %s", now
    )
    assert cards["Active customers"].value == f"{active:,}"
    ((rate,),) = ask(
        "SELECT customer_churn_rate FROM {marts}.churn_monthly WHERE month = '2026-10-01'"
    )
    assert cards["Customer churn"].value == f"{rate:.1%}"


def test_the_charts_are_the_marts_and_their_tables_too(admin: Client) -> None:
    _, charts = shown(admin, "/admin/?period=6&plan=Premium&region=Europe")
    rows = ask(
        "SELECT month, closing_mrr, new_mrr FROM {marts}.mrr_movements"
        " WHERE plan_name = 'Premium' AND region = 'Europe' ORDER BY month DESC LIMIT 6"
    )[::-1]
    revenue = json.loads(charts["mrr"].data)
    assert revenue["labels"] == [f"{month:%b %y}" for month, _, _ in rows]
    assert revenue["datasets"][0]["data"] == [float(mrr) for _, mrr, _ in rows]
    movements = json.loads(charts["movements"].data)["datasets"]
    assert movements[0]["data"] == [float(new) for _, _, new in rows]
    assert movements[-1]["label"] == "Transfer"
    for chart in charts.values():
        data = json.loads(chart.data)
        assert [row[0] for row in chart.rows] == data["labels"]
        assert len(chart.head) == 1 + len(data["datasets"])
    assert charts["mrr"].href == "/metrics/mrr?plan_name=Premium&region=Europe&month__gte=2026-06"


@pytest.mark.parametrize("plan", ["Basic", "Free"])
def test_each_chart_leads_to_its_data(plan: str, admin: Client) -> None:
    # As a load with --no-transform leaves it, which has brought another name.
    change(f"UPDATE \"{settings.DATASET_NAME}\".plan SET plan_name = 'New ' || plan_name")
    response = admin.get(f"/admin/?plan={plan}&region=Asia&period=all")
    links = [chart.href for chart in response.context["charts"]]
    for href in [*links, response.context["cohorts_href"]]:
        assert admin.get(href, headers={"Accept": "application/json"}).status_code == 200, href


def test_the_heat_map_is_the_mart(admin: Client) -> None:
    rows = admin.get("/admin/").context["cohorts"]["rows"]
    assert len(rows) == 12
    ((rate,),) = ask(
        "SELECT retention_rate FROM {marts}.cohort_retention"
        " WHERE cohort_month = '2026-06-01' AND months_since = 3"
    )
    assert rows[-6]["cells"][3]["text"] == f"{rate:.0%}"


def test_the_heat_map_goes_back_as_far_as_the_period(admin: Client) -> None:
    every = admin.get("/admin/?period=all")
    ((months,),) = ask("SELECT count(DISTINCT cohort_month) FROM {marts}.cohort_retention")
    assert len(every.context["cohorts"]["rows"]) == len(every.context["cohorts"]["head"]) == months
    assert every.context["cohorts_href"] == "/metrics/cohorts?cohort_month__gte=2024-08"
    assert len(admin.get("/admin/?period=6").context["cohorts"]["rows"]) == 6


@pytest.mark.parametrize("query", ["period=7", "plan=Silver", "region=Mars"])
def test_what_there_is_not_gives_the_usual_and_a_message(query: str, admin: Client) -> None:
    response = admin.get(f"/admin/?{query}")
    assert response.status_code == 200
    assert f"There is no such {query.partition('=')[0]}" in response.text
    assert response.context["form"][0]["is"] == "12"


def change(statement: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(marts=MARTS), parameters)


def test_churn_is_of_a_month_of_which_all_is_known(admin: Client) -> None:
    change("UPDATE {marts}._transform_receipt SET as_of = '2026-11-06'")
    card = shown(admin)[0]["Customer churn"]
    ((rate,),) = ask(
        "SELECT customer_churn_rate FROM {marts}.churn_monthly WHERE month = '2026-09-01'"
    )
    assert card.value == f"{rate:.1%}"
    assert card.note == "in September, the last settled month"
    change("UPDATE {marts}._transform_receipt SET as_of = '2026-11-07'")
    assert "October" in shown(admin)[0]["Customer churn"].note


def test_churn_of_nobody_says_so(admin: Client) -> None:
    card = shown(admin, "/admin/?plan=Free")[0]["Customer churn"]
    assert (card.value, card.note) == ("–", "Nobody was a customer before October 2026.")


def test_a_change_is_as_it_is_shown(admin: Client) -> None:
    of_before = "UPDATE {marts}.mrr_movements AS old SET closing_mrr = "
    of_same = (
        " FROM {marts}.mrr_movements AS now WHERE old.month = '2026-10-01'"
        " AND now.month = '2026-11-01' AND (now.plan_id, now.region) = (old.plan_id, old.region)"
    )
    change(of_before + "now.closing_mrr * 1.0001" + of_same)
    card = shown(admin)[0]["Monthly recurring revenue"]
    assert (card.direction, card.change, card.is_good) == ("same", "0.0%", None)
    assert card.note == "since October 31"
    change(of_before + "0" + of_same)
    card = shown(admin)[0]["Monthly recurring revenue"]
    assert (card.direction, card.change) == ("up", "from none")


def test_a_month_that_is_not_over_is_called_so(admin: Client) -> None:
    says = shown(admin)[1]["mrr"].says
    assert says.endswith("November is not over yet.")
    change("UPDATE {marts}._transform_receipt SET as_of = '2026-11-30'")
    assert "over yet" not in shown(admin)[1]["mrr"].says


def test_plans_have_whatever_name(admin: Client) -> None:
    name = "</script><img src=x onerror=alert(1)>\"'&, of a length that no axis has room for"
    for mart in ("customer_monthly", "mrr_monthly", "mrr_movements", "usage_daily"):
        change(
            f"UPDATE {{marts}}.{mart} SET plan_name = CASE plan_id WHEN 1 THEN 'Starter'"
            " WHEN 2 THEN %s ELSE plan_name END",
            name,
        )
    response = admin.get("/admin/", {"plan": name})
    assert "<img" not in response.text
    assert response.context["form"][1]["is"] == name
    chart = {chart.name: chart for chart in response.context["charts"]}["by-plan"]
    assert [row[0] for row in chart.rows] == [name, "Premium", "Enterprise", "Ultimate"]
    data = json.loads(chart.data)
    assert data["labels"][0] == "</script><img src=x o…"
    chosen, *others = data["datasets"][0]["backgroundColor"]
    assert chosen not in others


def test_marts_that_plain_dbt_is_building_are_no_error(admin: Client) -> None:
    for mart in ("customer_monthly", "mrr_monthly", "mrr_movements", "cohort_retention"):
        change(f"DELETE FROM {{marts}}.{mart} WHERE measured_on > '2026-10-31'")
    assert shown(admin)[0]["Active customers"].value == "0"
    change("DELETE FROM {marts}.cohort_retention")
    assert admin.get("/admin/").status_code == 200
    change("DROP TABLE {marts}.cohort_retention")
    assert "There are no marts yet" in admin.get("/admin/").text


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_all_figures_are_of_one_transform() -> None:
    with one_transform():
        assert ask("SHOW transaction_isolation") == [("repeatable read",)]


def test_free_has_users_but_no_revenue(admin: Client) -> None:
    cards, charts = shown(admin, "/admin/?plan=Free")
    assert cards["Monthly recurring revenue"].value == "$0"
    assert set(json.loads(charts["mrr"].data)["datasets"][0]["data"]) == {0}


def test_without_marts_it_says_what_to_run(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SCHEMA {MARTS} RENAME TO away")
    text = admin.get("/admin/").text
    assert "There are no marts yet" in text
    assert "python manage.py transform" in text
    assert "Last load" in text


def test_marts_of_an_earlier_load_say_so(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {MARTS}._transform_receipt SET load_id = 'earlier'")
    assert "These figures are of an earlier load" in admin.get("/admin/").text


def test_an_empty_company_is_no_error(admin: Client) -> None:
    with connection.cursor() as cursor:
        for mart in ("churn_monthly", "customer_monthly", "mrr_monthly", "mrr_movements"):
            cursor.execute(f"DELETE FROM {MARTS}.{mart}")
    assert "has no users yet" in admin.get("/admin/").text


def test_no_query_grows_with_the_users(admin: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        admin.get("/admin/?period=all")
    of_marts = [query["sql"] for query in captured if "_marts" in query["sql"]]
    assert len(of_marts) <= 12
    read = set(re.findall(r'_marts"\."(\w+)"', " ".join(of_marts)))
    assert read <= {
        "_transform_receipt",
        "churn_monthly",
        "cohort_retention",
        "customer_monthly",
        "mrr_monthly",
        "mrr_movements",
        "usage_daily",
    }
