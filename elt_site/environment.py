"""The environment: the variables that the project reads, and what it refuses to start with."""

import os
import re
import warnings
from pathlib import Path
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# Lets tests and containers point elsewhere; os.devnull stands for "no file".
ENV_FILE = os.environ.get("ENV_FILE")
environ.Env.read_env(ENV_FILE or BASE_DIR / ".env")

WEAK_SECRETS = frozenset(
    "admin administrator changeme default guest letmein pass passw0rd password postgres root "
    "secret test user welcome 123 1234 12345 123456 12345678 123456789 qwerty".split()
)
# What Django's `check --deploy` (security.W009) asks of a key.
SECRET_KEY_LENGTH = 50
SECRET_KEY_UNIQUE_CHARACTERS = 5
TRUE_WORDS = frozenset("1 true yes on y t".split())
FALSE_WORDS = frozenset("0 false no off n f".split())
# dlt's staging twin and this project's own companions add up to 15 characters to the name, and
# PostgreSQL cuts identifiers at 63.
DATASET_NAME_LENGTH = 48
RESERVED_SCHEMAS = frozenset({"public", "information_schema"})


def read(name: str, default: str = "") -> str:
    """The variable's value; an empty one counts as unset, as platforms' forms leave them."""
    return os.environ.get(name, "").strip() or default


def read_bool(name: str, *, default: bool) -> bool:
    """The variable as a switch; anything that is neither a yes nor a no is refused."""
    value = read(name).lower()
    if not value:
        return default
    if value not in TRUE_WORDS | FALSE_WORDS:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in TRUE_WORDS


def read_int(name: str, default: int, least: int = 0) -> int:
    """The variable as a whole number from `least` on."""
    value = read(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
        from_least = f" from {least} on" if least else ""
        raise ImproperlyConfigured(f"{name} must be a whole number{from_least}, not {value!r}.")
    return int(value)


def refuse_missing_file() -> None:
    """A file that was named and is not there: its variables would silently be missing.

    Raises:
        ImproperlyConfigured: it is not there.
    """
    if ENV_FILE and not Path(ENV_FILE).exists():
        raise ImproperlyConfigured(f"ENV_FILE names a file that does not exist: {ENV_FILE}")


def development() -> bool:
    """Whether DEBUG is on: by default only where nothing but the embedded database is served.

    Not on a platform that somebody forgot to tell of its database.
    """
    database = read("DATABASE_URL") or read("LOCAL_DATABASE_URL") or read("RAILWAY_DATABASE_URL")
    return read_bool("DEBUG", default=not (database or read("RAILWAY_PUBLIC_DOMAIN")))


def read_list(name: str) -> list[str]:
    """The variable's comma-separated parts."""
    return [part.strip() for part in read(name).split(",") if part.strip()]


def read_identifier(name: str, default: str) -> str:
    """The variable as a plain SQL identifier: it needs no quotes and leaves room for suffixes."""
    value = read(name, default)
    # Names that dlt's snake_case leaves as they are: it would rename any other, silently.
    plain = re.fullmatch(r"_?[a-z][a-z0-9]*(_[a-z0-9]+)*", value)
    if not plain or len(value) > DATASET_NAME_LENGTH:
        raise ImproperlyConfigured(
            f"{name} must be a plain identifier (lower-case words and digits joined by single "
            f"underscores, not starting with a digit, at most {DATASET_NAME_LENGTH} characters), "
            f"not {value!r}."
        )
    return value


def read_schema(name: str, default: str) -> str:
    """The variable as the name of a schema that dlt may own."""
    value = read_identifier(name, default)
    if value in RESERVED_SCHEMAS or value.startswith("pg_"):
        raise ImproperlyConfigured(f"{name} must not be {value!r}: PostgreSQL uses that schema.")
    if re.search(r"_(staging|marts|marts_staged|old_[0-9]+|compare_[0-9a-f]{16})$", value):
        raise ImproperlyConfigured(
            f"{name} must not end in _staging, _marts, _marts_staged, _old_ and a number, or "
            f"_compare_ and 16 digits, as {value!r} does: such schemas belong to another dataset."
        )
    return value


def read_destination(name: str, default: str) -> str:
    """The variable as dlt's destination: the models and the API read PostgreSQL, so only that."""
    value = read(name, default)
    if value != "postgres":
        raise ImproperlyConfigured(f"{name} must be 'postgres', not {value!r}.")
    return value


def read_database(
    url: str,
    variable: str = "DATABASE_URL (or LOCAL_DATABASE_URL or RAILWAY_DATABASE_URL in its place)",
) -> dict[str, object]:
    """Django's database settings from a PostgreSQL URL; the error never repeats the URL."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would repeat parts of the URL
            config: dict[str, object] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured):
        config = {}
    if config.get("ENGINE") != "django.db.backends.postgresql" or not config.get("NAME"):
        raise ImproperlyConfigured(
            f"{variable} must read like postgresql://user:password@host:5432/name."
        )
    # libpq's way to name a Unix socket: the folder, percent-encoded, in the host's place.
    config["HOST"] = unquote(str(config.get("HOST") or ""))
    options = config.get("OPTIONS")
    # libpq waits for ever, on the client's side, where a host swallows packets.
    config["OPTIONS"] = {"connect_timeout": 10, **(options if isinstance(options, dict) else {})}
    return config


def refuse_missing_secrets(secrets: dict[str, str]) -> None:
    """Refuse to start in production while a variable has no value, naming each of them."""
    missing = [name for name, value in secrets.items() if not value]
    if missing:
        raise ImproperlyConfigured(
            f"With DEBUG off, set {', '.join(missing)} (see .env.example), "
            "or set DEBUG=true for development."
        )


def refuse_weak_secrets(username: str, password: str, secret_key: str) -> None:
    """Refuse to start in production with credentials or a key that can be guessed."""
    if password.lower() in WEAK_SECRETS or password.lower() == username.lower():
        raise ImproperlyConfigured(
            "BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD are a known weak pair: "
            "choose a password that nobody can guess."
        )
    if (
        len(secret_key) < SECRET_KEY_LENGTH
        or len(set(secret_key)) < SECRET_KEY_UNIQUE_CHARACTERS
        or secret_key.startswith("django-insecure-")
    ):
        raise ImproperlyConfigured(
            f"SECRET_KEY must be at least {SECRET_KEY_LENGTH} random characters, such as "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` prints."
        )
