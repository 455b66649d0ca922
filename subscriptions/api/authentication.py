"""SERVE (step 4), API: who asks, by the settings' credentials, a personal token or a session."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.conf import settings
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.request import Request

from access import failures, tokens
from access.addresses import client_address
from access.models import Token

USERNAME: Final = "username"
PASSWORD: Final = "password"  # noqa: S105 - the parameter's name
CREDENTIALS: Final = frozenset({USERNAME, PASSWORD})

Identity = tuple[Any, Token | None]


@dataclass(frozen=True)
class Client:
    """Whoever knows the settings' credentials; no row in the database, so none is queried."""

    username: str
    is_authenticated: ClassVar = True
    is_active: ClassVar = True
    is_staff: ClassVar = True  # may read all that signed-in staff may

    @property
    def pk(self) -> str:
        """What throttles count by."""
        return self.username

    def __str__(self) -> str:
        return self.username


class WrongPair(AuthenticationFailed):
    """A username and a password that are not the settings'; does not say which of them is wrong."""

    default_detail = "Wrong username or password."

    def __init__(self, username: str) -> None:
        super().__init__()
        self.username = username


def identify(username: str, password: str) -> Identity:
    """The client with these credentials.

    Both are always compared, and in constant time: the time taken tells nothing about either.

    Raises:
        WrongPair: one of them is wrong.
        TooManyFailures: this name is refused for a while, whatever the password.
    """
    failures.refuse_name(username)
    right_username = _same(username, settings.BASIC_AUTH_USERNAME)
    right_password = _same(password, settings.BASIC_AUTH_PASSWORD)
    if not (right_username and right_password):
        raise WrongPair(username)
    return Client(settings.BASIC_AUTH_USERNAME), None


def _same(given: str, expected: str) -> bool:
    # As bytes, since compare_digest refuses other text than ASCII; lone surrogates, which the
    # environment may hold, must not raise either.
    return hmac.compare_digest(
        given.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")
    )


class QueryParameterAuthentication(BaseAuthentication):
    """`?username=...&password=...`, for clients that can be given no more than a URL."""

    def authenticate(self, request: Request) -> Identity | None:
        """None without credentials in the URL; incomplete or ambiguous ones are wrong ones.

        Raises:
            ParseError: they are turned off. That is no failed attempt: nothing was compared.
        """
        usernames = request.query_params.getlist(USERNAME)
        passwords = request.query_params.getlist(PASSWORD)
        if not usernames and not passwords:
            return None
        if not settings.QUERY_CREDENTIALS:
            raise ParseError(
                "This server takes no credentials in the URL: send them in the Authorization "
                "header, by HTTP Basic or as a Bearer token."
            )
        if len(usernames) != 1 or len(passwords) != 1:
            raise AuthenticationFailed("Give one username and one password.")
        return identify(usernames[0], passwords[0])


class HeaderAuthentication(BasicAuthentication):
    """HTTP Basic with the settings' credentials instead of a Django user's, or a Bearer token."""

    www_authenticate_realm = "subscriptions"

    def authenticate(self, request: Request) -> Identity | None:
        """None without the header; one of another scheme is a wrong credential, not an absent one.

        REST framework ignores other schemes, because another class might know them. None does.
        """
        match get_authorization_header(request).split():
            case [scheme, *rest] if scheme.lower() == b"bearer":
                return _bearer(rest)
            case [scheme, *_] if scheme.lower() != b"basic":
                raise AuthenticationFailed(
                    "Use HTTP Basic, or Bearer and a token, in the Authorization header."
                )
        return super().authenticate(request)

    def authenticate_credentials(  # type: ignore[override]  # its stubs know no second value
        self, userid: str, password: str, request: Request | None = None
    ) -> Identity:
        """Compare what the header held."""
        return identify(userid, password)

    def authenticate_header(self, request: Request) -> str:
        """The challenge at which browsers prompt, and send what was typed as UTF-8 (RFC 7617)."""
        return f'{super().authenticate_header(request)}, charset="UTF-8"'


def _bearer(parts: list[bytes]) -> Identity:
    """The owner of the token, by what follows the scheme."""
    token = tokens.find(parts[0].decode(errors="replace")) if len(parts) == 1 else None
    if token is None:
        # One sentence for all: which tokens there were is nobody's business.
        raise AuthenticationFailed("This token is not valid, or not any more.")
    return token.owner, token


class EveryCredential(BaseAuthentication):
    """All credentials that a request holds must be right; the first one says who it is.

    What is wrong counts as a failure of the client's address, and too many of them are refused. A
    session is neither counted nor refused: nobody guesses one.

    REST framework itself stops at the first class that knows the client, so that a wrong password
    beside a right one would go unnoticed. A session is never wrong, only absent when it is over.
    """

    schemes: ClassVar[tuple[type[BaseAuthentication], ...]] = (
        QueryParameterAuthentication,
        HeaderAuthentication,
    )

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Ask every scheme; none may object.

        Raises:
            AuthenticationFailed: one does.
            TooManyFailures: too many have, of this address or under this name.
            OperationalError: failures cannot be counted, so nothing is compared.
        """
        if not get_authorization_header(request) and not CREDENTIALS & request.query_params.keys():
            # Never asked without need: a session costs queries, and the database may be down.
            return SessionAuthentication().authenticate(request)
        address = client_address(request.META)
        failures.refuse_address(address)
        try:
            identities = [scheme().authenticate(request) for scheme in self.schemes]
        except AuthenticationFailed as failure:
            failures.count(address, getattr(failure, "username", None))
            raise
        return next(filter(None, identities), None) or SessionAuthentication().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        """With it REST framework answers 401 where it would answer 403."""
        return HeaderAuthentication().authenticate_header(request)
