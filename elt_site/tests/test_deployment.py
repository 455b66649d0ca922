"""Deployment: one description for every platform, and static files that are all there."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client, override_settings

from elt_site.tests.conftest import PRODUCTION, clean_environment

RAILWAY = json.loads((settings.BASE_DIR / "railway.json").read_text())
PROCFILE = dict(
    line.split(": ", 1) for line in (settings.BASE_DIR / "Procfile").read_text().splitlines()
)


def test_procfile_and_railway_say_the_same() -> None:
    assert RAILWAY["deploy"]["startCommand"] == PROCFILE["web"]
    assert RAILWAY["deploy"]["preDeployCommand"] == [PROCFILE["release"]]


@pytest.mark.parametrize(
    ("variables", "bound"),
    [
        (PRODUCTION | {"PORT": "8010"}, "0.0.0.0:8010"),
        (PRODUCTION | {"PORT": ""}, "127.0.0.1:8000"),
        ({"PORT": "8010"}, "127.0.0.1:8010"),  # development, with a password that all know
    ],
)
def test_who_can_reach_the_server(variables: dict[str, str], bound: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--print-config", "elt_site.wsgi"],
        cwd=settings.BASE_DIR,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"['{bound}']" in result.stdout.replace('"', "'")


def test_the_health_check_is_not_redirected(client: Client) -> None:
    path = RAILWAY["deploy"]["healthcheckPath"]
    exempt = {"SECURE_SSL_REDIRECT": True, "SECURE_REDIRECT_EXEMPT": [r"^healthz/?$"]}
    with override_settings(**exempt, ALLOWED_HOSTS=["healthcheck.railway.app"]):
        hello = Client(headers={"host": "healthcheck.railway.app"})
        assert hello.get(path).status_code != 301
        assert hello.get("/admin/").status_code == 301


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Path]:
    """Static files as production collects them: hashed names, every reference resolved."""
    storage = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(
        STATIC_ROOT=tmp_path, STORAGES={**settings.STORAGES, "staticfiles": storage}
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield tmp_path


@pytest.mark.django_db
def test_production_finds_every_static_file_of_the_admin(collected: Path) -> None:
    assert "unfold/css/styles." in staticfiles_storage.url("unfold/css/styles.css")
    assert (collected / "staticfiles.json").exists()
    answer = Client().get("/admin/login/")
    assert answer.status_code == 200
    assert b"/static/unfold/css/styles." in answer.content
