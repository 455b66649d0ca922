"""The first page, the navigation, the accounts, and everything before the first load."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Account
from django.contrib.staticfiles import finders
from django.db.models import Model
from django.test import Client
from pytest_django.fixtures import Settings

from access.models import Token
from subscriptions.admin import site
from subscriptions.admin.display import url
from subscriptions.models import DltLoad, Plan, User
from subscriptions.tests.admin.conftest import MODELS, Queries, record

pytestmark = pytest.mark.django_db

NO_DATA = "No data yet: run"
COMMAND = "python manage.py load_faker_data"


def test_the_first_page_counts_and_tells_of_the_last_load(admin: Client) -> None:
    text = admin.get("/admin/").content.decode()
    for number in ("1,000", "1,717", "5,000"):
        assert f'<strong class="text-important">{number}</strong>' in text
    assert record(DltLoad.objects.get()) in text
    assert "As of" in text
    assert "2026-11-23" in text


def test_the_first_page_reads_no_whole_table(
    queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "COUNTED", 100)
    statements = queries("/admin/")
    of_tables = [sql for sql in statements if "_marts" not in sql]
    assert len(of_tables) <= 9
    assert all(" LIMIT " in sql or " IN (" in sql or "EXPLAIN" in sql for sql in of_tables)


@pytest.mark.usefixtures("dataset")
def test_large_numbers_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "COUNTED", 100)
    assert re.fullmatch(r"≈ [1-9][0-9,]*", site.rows(User))
    assert site.rows(Plan) == "5"


def test_the_navigation_leads_everywhere(admin: Client) -> None:
    text = admin.get("/admin/").content.decode()
    for model in MODELS:
        assert f'href="{url(model)}"' in text
    for title in ("Business", "History", "Pipeline", "Access", "Accounts", "Browsable API"):
        assert title in text


def test_a_person_sees_what_they_may(dataset: object, client: Client) -> None:
    reader = Account.objects.create(username="reader", is_staff=True)
    reader.user_permissions.add(
        Permission.objects.get(codename="view_plan", content_type__app_label="subscriptions")
    )
    client.force_login(reader)
    text = client.get("/admin/").content.decode()
    assert 'class="flex h-[38px]' in text
    assert client.get(url(Plan)).status_code == 200
    assert client.get(url(User)).status_code == 403
    links = re.findall(r'href="(/admin/[^"]+/)" class="flex h-\[38px\]', text)
    assert links == [url(Plan), url(Token)]  # of which they see their own
    assert re.findall(r'href="([^"]+)" class="tile"', text) == [url(Plan)]
    assert url(DltLoad) not in text


def test_a_stranger_is_sent_to_the_form(dataset: object, client: Client) -> None:
    response = client.get(url(User))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_the_label_tells_development_from_production(admin: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert "Development" in admin.get("/admin/").content.decode()
    settings.DEBUG = False
    assert "Production" in admin.get("/admin/").content.decode()


@pytest.mark.parametrize("path", ["subscriptions/admin.css", "subscriptions/favicon.svg"])
def test_what_the_pages_ask_for_is_there(admin: Client, path: str) -> None:
    assert f"/static/{path}" in admin.get("/admin/").content.decode()
    assert finders.find(path)


def test_the_search_that_is_not_offered_is_not_there(superuser: Client) -> None:
    assert superuser.get("/admin/search/?s=user&page=junk").status_code == 404


@pytest.mark.parametrize("page", ["auth/user/", "auth/user/add/", "auth/group/", "auth/group/add/"])
def test_accounts_can_be_kept(superuser: Client, page: str) -> None:
    assert superuser.get(f"/admin/{page}").status_code == 200


def test_an_account_can_be_opened(superuser: Client) -> None:
    account = Account.objects.get(username="root")
    assert superuser.get(f"/admin/auth/user/{account.pk}/change/").status_code == 200
    assert superuser.get(f"/admin/auth/user/{account.pk}/password/").status_code == 200


@pytest.mark.usefixtures("no_dataset")
class TestBeforeTheFirstLoad:
    """Every page says which command to run."""

    def test_the_first_page(self, superuser: Client) -> None:
        text = superuser.get("/admin/").content.decode()
        assert NO_DATA in text
        assert COMMAND in text

    @pytest.mark.parametrize("model", MODELS)
    def test_each_list(self, superuser: Client, model: type[Model]) -> None:
        response = superuser.get(url(model), {"q": "x", "region": "Asia"})
        assert response.status_code == 200
        assert COMMAND in response.content.decode()

    @pytest.mark.parametrize("model", MODELS)
    def test_each_record(self, superuser: Client, model: type[Model]) -> None:
        response = superuser.get(url(model, "change", "1"))
        assert response.status_code == 200
        assert COMMAND in response.content.decode()

    @pytest.mark.parametrize("model", MODELS)
    def test_what_a_record_leads_to(self, superuser: Client, model: type[Model]) -> None:
        for page in ("history", "delete"):
            assert superuser.get(url(model, page, "1")).status_code in (302, 403)


def test_nothing_completes_what_no_form_asks(superuser: Client) -> None:
    sought = {
        "app_label": "subscriptions",
        "model_name": "usage",
        "field_name": "user",
        "term": "\0",
    }
    assert superuser.get("/admin/autocomplete/", sought).status_code == 404
