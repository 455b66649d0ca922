"""ACCESS from a shell: `manage.py create_token`."""

from __future__ import annotations

import re
from typing import Final

from django.contrib.auth.models import User as Account
from django.core.management.base import BaseCommand, CommandError, CommandParser

from access import tokens
from access.models import NAME_LENGTH
from elt_site.bootstrap import ensure_ready

TIME: Final = re.compile("([1-9][0-9]{0,3})d", re.ASCII)


class Command(BaseCommand):
    """Arguments in, one token out."""

    help = (
        "Make a personal token that reads the API in the name of a staff account. It is printed "
        "once, alone on stdout, and stored nowhere; send it as `Authorization: Bearer TOKEN`."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--name", required=True, help="what will use it: “Nightly report”")
        parser.add_argument(
            "--user", metavar="NAME", help="whose it is (default: the only staff account)"
        )
        parser.add_argument(
            "--expires",
            metavar="TIME",
            default=f"{tokens.DEFAULT_DAYS}d",
            help=f"after how many days it ends: 7d, 90d (default: {tokens.DEFAULT_DAYS}d)",
        )

    def handle(self, *args: object, **options: str) -> None:
        """Make it, and say what it is on stderr, so that a script gets nothing but the token."""
        ensure_ready()
        name = options["name"].strip()
        if not name or len(name) > NAME_LENGTH or not name.isprintable():
            raise CommandError(f"--name must be 1 to {NAME_LENGTH} characters that can be shown.")
        days = _days(options["expires"])
        owner = _owner(options["user"])
        token, text = tokens.make(name, owner, days)
        self.stdout.write(text)
        self.stderr.write(
            f"The token {name!r} of {owner.username} reads the API until "
            f"{token.expires:%Y-%m-%d %H:%M} UTC; it is not shown again. To end it earlier: "
            f"manage.py revoke_token {token.prefix}",
            self.style.NOTICE,
        )


def _days(text: str) -> int:
    match = TIME.fullmatch(text)
    if not match or int(match[1]) > tokens.LONGEST_DAYS:
        raise CommandError(
            f"--expires must be a number of days such as 90d, at most {tokens.LONGEST_DAYS}d, "
            f"not {text!r}."
        )
    return int(match[1])


def _owner(name: str | None) -> Account:
    """The staff account with this name, or the only one there is."""
    staff = Account.objects.filter(is_staff=True, is_active=True)
    if name is not None:
        owner = staff.filter(username=name).first()
        if owner is None:
            raise CommandError(f"There is no active staff account {name!r}: name one by --user.")
        return owner
    found = list(staff.order_by("username")[:2])
    if not found:
        raise CommandError("There is no staff account yet: run `manage.py createsuperuser` first.")
    if len(found) > 1:
        raise CommandError("There are several staff accounts: say whose token it is by --user.")
    return found[0]
