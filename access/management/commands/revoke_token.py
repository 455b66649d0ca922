"""ACCESS from a shell: `manage.py revoke_token`."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.db.models import QuerySet

from access import tokens
from access.failures import is_missing
from access.models import Token


class Command(BaseCommand):
    """Arguments in, tokens ended."""

    help = "End a personal token at once. What it read stays read; it reads no more."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "token",
            nargs="?",
            help="what it begins with (elt_ and four characters, as the admin shows it), or all "
            "of it",
        )
        parser.add_argument("--user", metavar="NAME", help="all tokens of this account")

    def handle(self, *args: object, **options: str | None) -> None:
        """Revoke them; none found, or more than were meant, is an error."""
        try:
            found = _found(options["token"], options["user"])
            names = list(found.values_list("name", flat=True))
        except ProgrammingError as error:
            if not is_missing(error):
                raise
            names = []
        if not names:
            raise CommandError("There is no such token that is not revoked already.")
        if len(names) > 1 and options["token"]:
            raise CommandError(
                f"{len(names)} tokens begin like that: give the whole token, or revoke the one "
                "that you mean in the admin."
            )
        tokens.revoke(found)
        self.stdout.write(f"Revoked: {', '.join(names)}.")


def _found(text: str | None, user: str | None) -> QuerySet[Token]:
    """The tokens that are meant and not revoked yet."""
    if (text is None) == (user is None):
        raise CommandError("Give what the token begins with, or --user and a name.")
    current = Token.objects.filter(revoked=None)
    if user is not None:
        return current.filter(owner__username=user)
    assert text is not None  # noqa: S101 - or else the user
    if tokens.FORM.fullmatch(text):
        return current.filter(digest=tokens.digest(text))
    return current.filter(prefix=text)
