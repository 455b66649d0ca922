"""ACCESS: the tables of personal tokens and of failed attempts to sign in."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

NAME_LENGTH: Final = 100


class Failure(models.Model):
    """How often an address or a name has failed; gone a while after the time is over.

    Unlogged: it is worth no disk's write-ahead log, and empty again after a crash of PostgreSQL.
    """

    who = models.TextField(primary_key=True, help_text="The scope, and whom it counts within it.")
    failures = models.IntegerField()
    until = models.DateTimeField(help_text="When counting begins anew.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.who}: {self.failures}"


class Token(models.Model):
    """A personal token, which reads the API in the name of a staff account.

    The token itself is stored nowhere. It is 256 random bits, so that nobody finds it by trying,
    and a fast hash (SHA-256) hides it as well as a slow one would. Slow hashes and salts are for
    what people make up: they make each of a few likely guesses dear, for every request as well.
    """

    name = models.CharField(
        max_length=NAME_LENGTH, help_text="What uses it, such as “Nightly report”."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens", editable=False
    )
    prefix = models.CharField(
        "begins with", max_length=8, editable=False, help_text="Enough to recognise it by."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(editable=False)
    last_used = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    revoked = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created", "-pk"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Whether it works, if its owner may still read: active, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "active" if timezone.now() < self.expires else "expired"
