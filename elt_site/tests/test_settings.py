"""The settings: what each variable does, and what is refused, in one sentence."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from elt_site.environment import read_database
from elt_site.tests.conftest import PRODUCTION, Manage

SECRETS = ["SECRET_KEY", "ALLOWED_HOSTS", "BASIC_AUTH_USERNAME", "BASIC_AUTH_PASSWORD"]
DATABASE = {"DATABASE_URL": "postgresql://app:secret@db.example.com:5432/app"}
SHOW = "from django.conf import settings as s; print(({}))"


def refusal(manage: Manage, **variables: str) -> str:
    """The one line that a command prints before it exits with an error."""
    result = manage("check", **variables)
    assert result.returncode != 0
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def value(manage: Manage, expression: str, **variables: str) -> str:
    """An expression over the settings `s`, evaluated under these variables."""
    result = manage("shell", "--no-imports", "-c", SHOW.format(expression), **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_each_missing_secret_is_named(manage: Manage) -> None:
    line = refusal(manage, **DATABASE)
    assert all(name in line for name in SECRETS)


@pytest.mark.parametrize("name", SECRETS)
def test_only_the_missing_secret_is_named(manage: Manage, name: str) -> None:
    line = refusal(manage, **PRODUCTION | {name: ""})  # empty counts as unset
    assert [secret for secret in SECRETS if secret in line] == [name]


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"BASIC_AUTH_USERNAME": "admin", "BASIC_AUTH_PASSWORD": "admin"}, "weak pair"),
        ({"BASIC_AUTH_USERNAME": "admin", "BASIC_AUTH_PASSWORD": "password"}, "weak pair"),
        ({"BASIC_AUTH_PASSWORD": "Analyst"}, "weak pair"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DATASET_NAME": 'x"; drop schema public'}, "DATASET_NAME"),
        ({"DATASET_NAME": "Faker"}, "DATASET_NAME"),
        ({"DATASET_NAME": "public"}, "DATASET_NAME"),
        ({"DATASET_NAME": "pg_catalog"}, "DATASET_NAME"),
        ({"DATASET_NAME": "d" * 49}, "DATASET_NAME"),
        ({"DATASET_NAME": "mine_compare_0123456789abcdef"}, "_compare_ and 16 digits"),
        ({"DATASET_NAME": "mine_marts"}, "_marts"),
        ({"DATASET_NAME": "mine_marts_staged"}, "_marts_staged"),
        ({"PIPELINE_NAME": "../pipeline"}, "PIPELINE_NAME"),
        ({"DESTINATION": "duckdb"}, "DESTINATION"),
        ({"DEBUG": "maybe"}, "DEBUG"),
        ({"NUM_PROXIES": "-1"}, "NUM_PROXIES"),
        ({"AUTH_FAILURES_PER_ADDRESS": "0"}, "AUTH_FAILURES_PER_ADDRESS must be a whole number"),
        ({"QUERY_CREDENTIALS": "never"}, "QUERY_CREDENTIALS"),
        ({"DATABASE_URL": "mysql://app:hunter2@db/app"}, "DATABASE_URL"),
        ({"DATABASE_URL": "db.example.com:hunter2"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://app:hunter2@db:port/app"}, "DATABASE_URL"),
    ],
)
def test_refused_in_one_sentence(manage: Manage, variables: dict[str, str], word: str) -> None:
    line = refusal(manage, **PRODUCTION | variables)
    assert word in line
    assert "hunter2" not in line


def test_a_database_that_does_not_answer_is_one_line(manage: Manage) -> None:
    url = "postgresql://app:hunter2@127.0.0.1:1/app"
    result = manage("migrate", **PRODUCTION | {"DATABASE_URL": url})
    assert result.returncode != 0
    assert result.stderr.startswith("Error: connection")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr


def test_production_passes_the_deployment_check_without_warnings(manage: Manage) -> None:
    result = manage("check", "--deploy", "--fail-level", "DEBUG", **PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_development_needs_no_variable(manage: Manage) -> None:
    shown = value(
        manage,
        "s.DEBUG, s.EMBEDDED, s.BASIC_AUTH_USERNAME, s.BASIC_AUTH_PASSWORD, s.ALLOWED_HOSTS",
    )
    assert shown == "(True, True, 'admin', 'admin', ['localhost', '127.0.0.1', '[::1]'])"


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"DATABASE_URL": "a", "LOCAL_DATABASE_URL": "b", "RAILWAY_DATABASE_URL": "c"}, "a"),
        ({"LOCAL_DATABASE_URL": "b", "RAILWAY_DATABASE_URL": "c"}, "b"),
        ({"DATABASE_URL": "", "RAILWAY_DATABASE_URL": "c"}, "c"),
    ],
)
def test_the_first_database_url_that_is_set_serves(
    manage: Manage, variables: dict[str, str], host: str
) -> None:
    urls = {name: host and f"postgresql://u:p@{host}/d" for name, host in variables.items()}
    expression = "s.DATABASES['default']['HOST'], s.DEBUG"
    assert (
        value(manage, expression, **PRODUCTION | {"DATABASE_URL": ""} | urls)
        == f"('{host}', False)"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p%40ss@h/d", ("h", "", "p@ss", {"connect_timeout": 10})),
        ("postgresql://u:@%2Frun%2Fpg/d", ("/run/pg", "", "", {"connect_timeout": 10})),
        (
            "postgresql://u:p@h:6543/d?sslmode=require&connect_timeout=3",
            ("h", 6543, "p", {"connect_timeout": 3, "sslmode": "require"}),
        ),
    ],
)
def test_a_database_url_is_read_in_full(url: str, expected: tuple[object, ...]) -> None:
    config = read_database(url)
    assert tuple(config[key] for key in ("HOST", "PORT", "PASSWORD", "OPTIONS")) == expected


def test_railway_is_allowed_trusted_and_one_proxy(manage: Manage) -> None:
    railway = PRODUCTION | {"ALLOWED_HOSTS": "", "RAILWAY_PUBLIC_DOMAIN": "x.up.railway.app"}
    shown = value(manage, "s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS, s.NUM_PROXIES", **railway)
    assert shown == (
        "(['x.up.railway.app', 'healthcheck.railway.app'], ['https://x.up.railway.app'], 1)"
    )


def test_the_forwarded_protocol_is_believed_behind_a_proxy_only(manage: Manage) -> None:
    expression = "s.SECURE_PROXY_SSL_HEADER"
    assert value(manage, expression, **PRODUCTION) == "None"
    assert "FORWARDED_PROTO" in value(manage, expression, **PRODUCTION, NUM_PROXIES="1")


def test_an_env_file_is_read_and_the_environment_wins(manage: Manage, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("DATASET_NAME=from_file\nPIPELINE_NAME=from_file\n")
    shown = value(
        manage, "s.DATASET_NAME, s.PIPELINE_NAME", ENV_FILE=str(file), PIPELINE_NAME="from_shell"
    )
    assert shown == "('from_file', 'from_shell')"


def test_a_file_that_was_named_has_to_be_there(manage: Manage) -> None:
    result = manage("check", ENV_FILE="/nowhere/.env")
    assert result.returncode
    assert "ENV_FILE names a file that does not exist: /nowhere/.env" in result.stderr
    assert "Traceback" not in result.stderr


def test_dlt_works_under_the_local_folder(manage: Manage) -> None:
    code = "import dlt; print(dlt.pipeline('p').pipelines_dir)"
    result = manage("shell", "--no-imports", "-c", code)
    assert result.stdout.strip().startswith(str(settings.LOCAL_DIR / "dlt")), result.stderr


def test_env_example_lists_exactly_the_variables_that_are_read() -> None:
    read = {"ENV_FILE"}  # where to read the others
    for source in ("elt_site/settings.py", "elt_site/environment.py", "gunicorn.conf.py"):
        for node in ast.walk(ast.parse((settings.BASE_DIR / source).read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("env"), attr=function) | ast.Name(function),
                    args=[ast.Constant(str(name)), *_],
                ) if function.startswith("read"):
                    read.add(name)
    listed = re.findall(r"^([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.M)
    assert sorted(listed) == sorted(read)


def test_the_switches_of_safety(manage: Manage) -> None:
    expression = (
        "s.AUTH_FAILURES_PER_ADDRESS, s.AUTH_FAILURES_PER_NAME, s.AUTH_FAILURES_SECONDS, "
        "s.QUERY_CREDENTIALS, s.PROTECT_CHECK_TABLES"
    )
    assert value(manage, expression) == "(10, 100, 60, True, False)"
    variables = {
        "AUTH_FAILURES_PER_ADDRESS": "5",
        "AUTH_FAILURES_PER_NAME": "500",
        "AUTH_FAILURES_SECONDS": "600",
        "QUERY_CREDENTIALS": "false",
        "PROTECT_CHECK_TABLES": "true",
    }
    assert value(manage, expression, **variables) == "(5, 500, 600, False, True)"


def test_a_platform_without_a_database_is_not_taken_for_development(manage: Manage) -> None:
    result = manage("check", RAILWAY_PUBLIC_DOMAIN="x.up.railway.app")
    assert result.returncode != 0
    assert "With DEBUG off, set SECRET_KEY" in result.stderr
