"""ACCESS: personal tokens, made, found again by what a request holds, and revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User as Account
from django.db import ProgrammingError
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.failures import is_missing
from access.models import Token

# By it people, and programs that look for leaked secrets, know what they have found.
PREFIX: Final = "elt_"
RANDOM_BYTES: Final = 32
FORM: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
DEFAULT_DAYS: Final = 90
LONGEST_DAYS: Final = 3650
USED_EVERY: Final = timedelta(minutes=1)


def make(name: str, owner: Account, days: int) -> tuple[Token, str]:
    """A new token that works for some days, and its text, which cannot be read again."""
    token = Token(name=name, owner=owner)
    return token, issue(token, days)


def issue(token: Token, days: int) -> str:
    """Give a new token, which has a name and an owner, its text; stores it and returns the text."""
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    token.prefix, token.digest = text[: len(PREFIX) + 4], digest(text)
    token.created = timezone.now()
    token.expires = token.created + timedelta(days=days)
    token.save()
    return text


def digest(text: str) -> str:
    """What is stored of a token's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def find(text: str) -> Token | None:
    """The token with this text, with its owner, if it may be used now; notes that it was.

    One query by the digest's index, and at most once a minute a write. Comparing digests there
    takes no constant time, but nobody can choose the digest of what they send.
    """
    if not FORM.fullmatch(text):
        return None
    try:
        token = _usable().select_related("owner").filter(digest=digest(text)).first()
    except ProgrammingError as error:
        if not is_missing(error):
            raise
        return None
    if token is not None:
        _note_use(token)
    return token


def revoke(tokens: QuerySet[Token]) -> int:
    """End these tokens at once; returns how many had not been revoked before."""
    return tokens.filter(revoked=None).update(revoked=timezone.now())


def _usable() -> QuerySet[Token]:
    return Token.objects.filter(
        revoked=None,
        expires__gt=timezone.now(),
        owner__is_active=True,
        owner__is_staff=True,
    ).order_by()


def _note_use(token: Token) -> None:
    now = timezone.now()
    if _is_recent(token.last_used, now):
        return
    # Not by saving it: somebody may be revoking it.
    earlier = Q(last_used=None) | Q(last_used__lte=now - USED_EVERY)
    Token.objects.filter(earlier, pk=token.pk).update(last_used=now)


def _is_recent(used: datetime | None, now: datetime) -> bool:
    return used is not None and now - used < USED_EVERY


def of(account: Any) -> QuerySet[Token]:
    """The tokens that an account may see: its own, and all if it is a superuser."""
    return Token.objects.all() if account.is_superuser else Token.objects.filter(owner=account)
