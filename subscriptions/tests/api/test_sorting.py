"""How PostgreSQL goes about an order: what is rare is found first, and what is not is walked to."""

from __future__ import annotations

import pytest
from django.test import Client

from subscriptions.api.ordering import By
from subscriptions.api.sorting import sorts_first

from .conftest import plans_of
from .test_pagination import grown

pytestmark = pytest.mark.usefixtures("dataset", "db")
BY_KEY = (By("usage_id"),)
BY_DAY = (By("usage_date"), By("usage_id"))


def test_what_is_rare_is_sorted() -> None:
    assert sorts_first(100, BY_KEY, 50, entangled=False)
    assert not sorts_first(500_000, BY_KEY, 50, entangled=False)
    assert sorts_first(500_000, BY_KEY, 1000, entangled=False) is False
    assert sorts_first(50_000, BY_DAY, 50, entangled=False)
    assert sorts_first(500_000, BY_DAY, 50, entangled=True)
    assert not sorts_first(500_000, BY_DAY, None, entangled=True)


@pytest.mark.parametrize(
    ("address", "walks"),
    [
        ("/usages?size=5", True),
        ("/usages?size=5&ordering=usage_date", True),
        ("/usages?size=5&api_calls__gt=99999", False),
        ("/usages?cursor=&api_calls__gt=99999", False),
        ("/usages?size=5&count=none&api_calls__gt=99999&ordering=-usage_date", False),
        ("/subscriptions?size=5&status=Active&ordering=start_date", False),
    ],
)
def test_no_index_is_walked_for_what_is_rare(api: Client, address: str, walks: bool) -> None:  # noqa: FBT001
    grown(5_000_000)
    for plan in plans_of(lambda: api.get(address)):
        assert ("Index Scan" in plan) == walks
