"""No credential leaves a real server: not in its log, nor in anything that it answers."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from pytest_django import DjangoDbBlocker

from elt_site.tests.conftest import PRODUCTION, clean_environment
from elt_site.tests.test_servers import ask, free_port, serving

USER: Final = "analyst"
# Each with a word that stands nowhere else, in each of the pieces that a wrong parser makes of it.
RIGHT: Final = "r1ghtword one&r1ghtword=two+r1ghtword/ü"
WRONG: Final = "wr0ngword one&wr0ngword=two%wr0ngword?ü"
UNKNOWN_TOKEN: Final = "elt_" + "w0rd" * 10 + "abc"
WORDS: Final = ("r1ghtword", "wr0ngword", "w0rdw0rd", "dbw0rd", "k3yword")
STATUSES: Final = {200, 302, 400, 401, 403, 404, 405, 414, 500}
HTML: Final = {"Accept": "text/html"}


@dataclass
class Site:
    """A server, and all that it has answered."""

    port: int
    token: str
    database: str
    log: Path
    in_production: bool
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    asked: int = 0

    def ask(self, method: str, target: str, body: str = "", **headers: str) -> tuple[int, str]:
        """One request from an address of its own, over TLS as the proxy says; status, cookies."""
        self.asked += 1
        usual = {
            "Host": "api.example.com",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": f"192.0.2.{self.asked}",
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request(method, target, body.encode() or None, usual | named)
            answer = client.getresponse()
            text = f"{answer.headers}\n{answer.read().decode()}"
        self.answers.append((f"{method} {target} {headers}", answer.status, text))
        return answer.status, answer.headers.get("Set-Cookie", "")

    def send(self, head: str) -> None:
        """Something that is no request."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            client.sendall(f"{head}\r\n\r\n".encode())
            text = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        self.answers.append((head[:200], int(text.split()[1]), text))


def basic(password: str) -> str:
    return "Basic " + b64encode(f"{USER}:{password}".encode()).decode()


def query(password: str) -> str:
    return urlencode({"username": USER, "password": password})


def ask_the_api(site: Site) -> None:
    """Right, wrong, incomplete and misplaced credentials, on paths that answer and that fail."""
    held = [
        ({}, query(RIGHT)),
        ({}, query(WRONG)),
        ({}, f"username={USER}&password={quote(WRONG, safe='&=?')}"),
        ({}, f"{query(RIGHT)}&passwort={quote(WRONG)}"),
        ({}, f"{query(RIGHT)}&password={quote(WRONG)}"),
        ({}, f"user={USER}&{quote(WRONG)}=x"),
        ({"Authorization": basic(RIGHT)}, ""),
        ({"Authorization": basic(WRONG)}, ""),
        ({"Authorization": basic(WRONG) + "!"}, ""),
        ({"Authorization": f"Basic {quote(WRONG)}"}, ""),
        ({"Authorization": f"Digest {basic(RIGHT)}"}, ""),
        ({"Authorization": f"Bearer {site.token}"}, ""),
        ({"Authorization": f"Bearer {UNKNOWN_TOKEN}"}, ""),
        ({"Authorization": site.token}, query(RIGHT)),
        ({"Referer": f"https://api.example.com/users?{query(RIGHT)}"}, ""),
        ({"Host": "evil.example.com"}, query(RIGHT)),
        ({"Host": f"{USER}:{quote(WRONG)}@api.example.com"}, ""),
    ]
    for headers, text in held:
        for path in ("/", "/users", "/nowhere"):
            for accept in ({}, HTML):
                site.ask("GET", f"{path}?{text}", **headers, **accept)
    for path in ("/users", "/healthz", "/check-tables", "/static/none.css"):
        site.ask("GET", f"{path}?{query(WRONG)}&x=1")
        site.ask("POST", f"{path}?{query(RIGHT)}", urlencode({"password": WRONG}))
        site.ask("GET", f"{path}%3F{query(WRONG)}", **HTML)


def send_no_requests(site: Site) -> None:
    """What gunicorn refuses by itself."""
    site.send(f"GET /?{query(RIGHT)} oops")
    site.send(f"GET /?password={RIGHT} HTTP/1.1")
    site.send(f"{quote(WRONG)} / HTTP/1.1")
    site.send(f"GET / HTTP/1.1\r\nAuthorization : {basic(RIGHT)}")
    site.send(f"GET / HTTP/1.1\r\nAuthorization: Basic\r\n {basic(RIGHT)}")
    site.send(f"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {quote(WRONG)}")
    site.send(f"GET /?{query(RIGHT)}{'x' * 9000} HTTP/1.1")


def use_the_admin(site: Site) -> None:
    """The sign-in: forged, wrong, right, and addresses that hold credentials."""
    for path in ("/admin", "/admin/", "/admin/login/", "/admin/nothing/"):
        site.ask("GET", f"{path}?{query(RIGHT)}", **HTML)
    form = {"username": USER, "password": WRONG, "next": "/admin/"}
    site.ask("POST", "/admin/login/", urlencode(form), **HTML)
    for password in (WRONG, RIGHT):
        sign_in(site, password)


def sign_in(site: Site, password: str) -> int:
    """Fill in the form as a browser does, and once as if another site had sent it."""
    _, cookie = site.ask("GET", "/admin/login/", **HTML)
    page = site.answers[-1][2]
    csrf = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = urlencode({"username": USER, "password": password, "csrfmiddlewaretoken": csrf})
    headers = {
        "Cookie": cookie.split(";")[0],
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "text/html",
    }
    forger = f"https://evil.example.com/?{query(WRONG)}"
    assert site.ask("POST", "/admin/login/", form, **headers, Referer=forger)[0] == 403
    own = "https://api.example.com/admin/login/"
    return site.ask("POST", "/admin/login/", form, **headers, Referer=own)[0]


@contextmanager
def broken(url: str) -> Iterator[None]:
    """Whatever looks for an account fails."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("ALTER TABLE auth_user RENAME COLUMN last_login TO gone")
        yield
        session.execute("ALTER TABLE auth_user RENAME COLUMN gone TO last_login")


def appearances(words: tuple[str, ...], text: str) -> list[str]:
    """The secret words in a text: as they are, percent-encoded or escaped, and in base64."""
    return [word for word in words if any(form in text for form in forms(word))]


def forms(word: str) -> set[str]:
    """How a word looks; base64 has three ways, depending on where in the text it began."""
    encoded = {
        b64encode(b"x" * before + word.encode()).decode().rstrip("=")[skip:-1]
        for before, skip in ((0, 0), (1, 2), (2, 3))
    }
    return {word, quote_plus(word), "".join(f"%{byte:02X}" for byte in word.encode()), *encoded}


def test_secrets_are_found_in_every_form() -> None:
    for text in (RIGHT, quote(RIGHT), basic(RIGHT), "x" + basic("1" + RIGHT), basic("12" + RIGHT)):
        assert appearances(WORDS, text) == ["r1ghtword"]


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of this file's own, whose URL holds a password and whose dataset is broken."""
    with django_db_blocker.unblock():
        wanted = connection.get_connection_params()
    own = {name: wanted.get(name) or "" for name in ("host", "port", "user", "password", "dbname")}
    own["password"] = own["password"] or "dbw0rd"  # which a server that trusts us does not ask for
    host = quote(str(own["host"]), safe="")
    with psycopg.connect(make_conninfo(**own), autocommit=True) as session:
        session.execute("DROP DATABASE IF EXISTS secrets_site")
        session.execute("CREATE DATABASE secrets_site")
        url = f"postgresql://{own['user']}:{own['password']}@{host}:{own['port']}/secrets_site"
        try:
            with psycopg.connect(url, autocommit=True) as inside:
                inside.execute("CREATE SCHEMA broken CREATE TABLE _load_receipt (unfit integer)")
            yield url
        finally:
            session.execute("DROP DATABASE secrets_site WITH (FORCE)")


@pytest.fixture(scope="module")
def environment(database: str) -> dict[str, str]:
    """That of a server of two workers behind a proxy."""
    return PRODUCTION | {
        "DJANGO_SETTINGS_MODULE": "elt_site.tests.uncollected",
        "DATABASE_URL": database,
        "DATASET_NAME": "broken",
        "BASIC_AUTH_USERNAME": USER,
        "BASIC_AUTH_PASSWORD": RIGHT,
        "SECRET_KEY": "k3yword" + PRODUCTION["SECRET_KEY"],
        "AUTH_FAILURES_PER_NAME": "1000",
        "NUM_PROXIES": "1",
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "2",
    }


@pytest.fixture(scope="module")
def token(environment: dict[str, str]) -> str:
    """A token of the account that development makes, along with the tables."""
    made = subprocess.run(
        [sys.executable, "manage.py", "create_token", "--name", "x"],
        cwd=settings.BASE_DIR,
        env=clean_environment(**environment | {"DEBUG": "true"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    text = made.stdout.removesuffix("\n")
    assert text.startswith("elt_")
    assert appearances((*WORDS, text[8:]), made.stderr) == []
    return text


@pytest.fixture(scope="module", params=["false", "true"], ids=["production", "development"])
def site(
    request: pytest.FixtureRequest,
    environment: dict[str, str],
    token: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A real server in each mode."""
    log = tmp_path_factory.mktemp("site") / "log"
    debug = {"DEBUG": request.param}
    with serving(log, "-m", "gunicorn", "elt_site.wsgi", **environment | debug):
        port = int(environment["PORT"])
        ask(port, "/healthz")
        yield Site(port, token, environment["DATABASE_URL"], log, request.param == "false")


def test_two_workers_count_as_one(site: Site) -> None:
    same = {"X_Forwarded_For": "203.0.113.1" if site.in_production else "203.0.113.2"}
    statuses = [site.ask("GET", f"/?{query(WRONG)}", **same)[0] for _ in range(14)]
    assert statuses == [401] * 10 + [429] * 4
    time.sleep(1.1)  # a worker that has seen none of these may be as much behind
    for _ in range(6):
        assert site.ask("GET", "/", Authorization=basic(RIGHT), **same)[0] == 429
    assert "Retry-After: " in site.answers[-1][2]
    assert site.ask("GET", "/", Authorization=basic(RIGHT))[0] == 200
    # What a client writes itself before the proxy's entry makes it nobody else.
    forged = {"X_Forwarded_For": f"198.51.100.7, {same['X_Forwarded_For']}"}
    assert site.ask("GET", "/", Authorization=basic(RIGHT), **forged)[0] == 429


def test_no_credential_is_written_or_answered(site: Site) -> None:
    ask_the_api(site)
    send_no_requests(site)
    use_the_admin(site)
    with broken(site.database):
        assert sign_in(site, RIGHT) == 500
        for text in (site.token, UNKNOWN_TOKEN):
            site.ask("GET", "/", Authorization=f"Bearer {text}")
    words = (*WORDS, site.token[8:])
    for asked, status, text in site.answers:
        assert appearances(words, text) == [], f"{asked}: {status}\n{text}"
    written = site.log.read_text()
    assert appearances(words, written) == [], written
    assert {status for _, status, _ in site.answers} >= STATUSES
    assert any("Please enter the correct username" in text for _, _, text in site.answers)
    assert any("Traceback" in text for _, _, text in site.answers) != site.in_production
    assert "Traceback" in written
