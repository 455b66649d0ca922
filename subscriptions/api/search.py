"""SERVE (step 4), API: `?search=`: whole keys, and the beginnings of names and e-mail addresses.

Never parts of them: no index finds those, and tables have millions of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from subscriptions.api import values

SEARCH: Final = "search"
CASES: Final = 3  # characters of which both cases are looked up: by then few rows are left


def users(term: str) -> Q:
    """A user id, the start of an e-mail address or last name, or a first name and such a start."""
    found = Q(user_id=term.lower()) | starts("email", term) | starts("last_name", term)
    first, _, last = term.partition(" ")
    if last:
        # The index finds the last name, so that the first one may be in any case.
        found |= starts("last_name", last.strip()) & Q(first_name__iexact=first)
    return found


def plans(term: str) -> Q:
    """A plan id, or a part of a name: plans are few."""
    found = Q(plan_name__icontains=term)
    try:
        return found | Q(plan_id=values.Whole().read(term))
    except ValueError:
        return found


def subscriptions(term: str) -> Q:
    """A subscription id, or a user id: all that this user had."""
    return Q(subscription_id=term.lower()) | Q(user_id=term.lower())


def usages(term: str) -> Q:
    """A usage id, or a user id: all that this user did."""
    return Q(usage_id=term.lower()) | Q(user_id=term.lower())


def starts(column: str, term: str) -> Q:
    """A column begins with a term, in whatever case.

    PostgreSQL finds beginnings in an index by case only, hence one look for each way to write
    the first characters; the whole term is then compared with the rows that were found.
    """
    ways = product(*({c, c.lower()[:1], c.upper()[:1]} for c in term[:CASES]))
    begun = Q()
    for way in sorted("".join(way) for way in ways):
        begun |= Q((f"{column}__startswith", way))
    return begun & Q((f"{column}__istartswith", term))


@dataclass(frozen=True)
class Finding:
    """What a table is searched for, in code and in a person's words."""

    condition: Callable[[str], Q]
    hint: str


USERS: Final = Finding(users, "User id, or start of e-mail or last name")
PLANS: Final = Finding(plans, "Plan id, or part of its name")
SUBSCRIPTIONS: Final = Finding(subscriptions, "Subscription id or user id")
USAGES: Final = Finding(usages, "Usage id or user id")


class Search(BaseFilterBackend):
    """What a view's own `finding` makes of the term."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        """The rows that are found; none is asked of the database yet.

        Raises:
            ParseError: it is longer than anything that could be found.
        """
        text = request.query_params.get(SEARCH, "").strip()
        if not text:
            return queryset  # as the page's form sends it: everything begins with nothing
        try:
            term = values.Text().read(text)
        except ValueError:
            raise ParseError(
                f'The query parameter "{SEARCH}" must be {values.Text.expected}.'
            ) from None
        finding: Finding = view.finding
        return queryset.filter(finding.condition(term))
