"""profiles.yml: what dbt takes out of a database's URL."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml
from django.conf import settings


@pytest.mark.parametrize(
    ("url", "host", "port", "password"),
    [
        ("postgresql://u:p%40@[::1]:5433/db", "::1", 5433, "p@"),
        ("postgresql://u:p@[fe80::1]/db", "fe80::1", 5432, "p"),
        ("postgresql://u:p[x@here.example:77/db", "here.example", 77, "p[x"),
        ("postgresql://here.example/db", "here.example", 5432, ""),
        ("postgresql://u:p@:5/db?host=/srv/a%20b", "/srv/a b", 5, "p"),
    ],
)
def test_host_port_and_password_are_the_urls(url: str, host: str, port: int, password: str) -> None:
    read = rendered({"DATABASE_URL": url})
    assert (read["host"], read["port"], read["password"]) == (host, port, password)
    assert read["dbname"] == "db"


def rendered(environment: Mapping[str, str]) -> Mapping[str, object]:
    """The profile's values, as dbt renders them under these variables."""
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context

    written = yaml.safe_load((settings.BASE_DIR / "profiles.yml").read_text(encoding="utf-8"))
    set_invocation_context(dict(environment))
    profile = written["subscriptions"]["outputs"]["marts"]
    return dict(ProfileRenderer({}).render_data(profile))
