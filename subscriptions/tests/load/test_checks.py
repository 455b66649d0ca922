"""Each check finds the fault that it is there for, planted in a real load; a clean one has none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from subscriptions.load import receipt
from subscriptions.load.checks import CHECKS
from subscriptions.load.checks.history import HISTORY
from subscriptions.load.checks.run import Connection, Finding, findings
from subscriptions.load.pipeline import Result
from subscriptions.load.tables import TABLES
from subscriptions.load.target import Target


def _change(table: str, what: str, where: str = "true") -> str:
    """Change one row of the table."""
    one = f'SELECT min(_dlt_id) FROM "{table}" WHERE {where}'
    return f'UPDATE "{table}" SET {what} WHERE _dlt_id = ({one})'


def _copy(table: str, differing: str = "") -> str:
    """Store one row of the table once more, with the values of `differing`, a part of JSON."""
    values = f'\'{{"_dlt_id": "planted"{differing}}}\''
    one = f'SELECT min(_dlt_id) FROM "{table}"'
    return (
        f'INSERT INTO "{table}" SELECT (jsonb_populate_record(stored, {values})).*'
        f' FROM "{table}" AS stored WHERE _dlt_id = ({one})'
    )


def _everywhere(plant: str) -> str:
    """The same fault in each table: what holds of all versions is checked in all four."""
    return "; ".join(plant.replace("{table}", table.name) for table in TABLES)


_OTHER_PLAN = "plan_id = plan_id % 5 + 1"
_OTHER_STATUS = "status = CASE status WHEN 'Active' THEN 'Inactive' ELSE 'Active' END"
# A user with two subscriptions.
_TWICE = """
    user_id = (
        SELECT min(user_id) FROM (
            SELECT user_id FROM subscription GROUP BY user_id HAVING count(*) = 2
        ) AS twice
    )
"""

PLANTS = {
    "plan-keys-unique": _copy("plan"),
    "user-keys-unique": _copy("user"),
    "subscription-keys-unique": _copy("subscription"),
    "usage-keys-unique": _copy("usage"),
    "user-emails-unique": _copy("user", ', "user_id": "00000000"'),
    "user-plan-there": _change("user", "plan_id = 6"),
    "subscription-user-there": _change("subscription", "user_id = 'nobody'"),
    "subscription-plan-there": _change("subscription", "plan_id = 6"),
    "usage-user-there": _change("usage", "user_id = 'nobody'"),
    "usage-plan-there": _change("usage", "plan_id = 6"),
    "user-starts-at-signup": _change("user", "signup_date = signup_date - 1"),
    "subscriptions-apart": f"UPDATE subscription SET end_date = '2099-01-01' WHERE {_TWICE}",
    "user-on-latest-plan": _change("user", _OTHER_PLAN),
    "free-costs-nothing": _change("subscription", "payment_method = 'paypal'", "plan_id = 1"),
    "free-ends-at-the-next": _change("subscription", "end_date = start_date", "end_date IS NULL"),
    "free-then-paid": f"UPDATE subscription SET plan_id = 1 WHERE {_TWICE}",
    "paid-has-a-method": _change("subscription", "payment_method = NULL", "plan_id > 1"),
    "paid-lasts-a-month": _change("subscription", "end_date = end_date - 1", "plan_id > 1"),
    "status-listed": _change("subscription", "status = 'active'"),
    "status-of-the-day": _change("subscription", _OTHER_STATUS),
    "usage-in-a-subscription": _change("usage", "usage_date = '2024-07-31'"),
    "usage-on-its-plan": _change("usage", _OTHER_PLAN),
    "usage-fits-its-plan": _change("usage", "storage_used_mb = 500.01", "plan_id = 1"),
    "user-by-as-of": _change("user", "signup_date = '2026-11-24'"),
    "user-since-opening": _change("user", "signup_date = '2024-07-31'"),
    "subscription-by-as-of": _change("subscription", "start_date = '2026-11-24'"),
    "subscription-since-opening": _change("subscription", "start_date = '2024-07-31'"),
    "usage-by-as-of": _change("usage", "usage_date = '2026-11-24'"),
    "usage-since-opening": _change("usage", "usage_date = '2024-07-31'"),
    "plan-complete": _change("plan", "features = NULL"),
    "user-complete": _change("user", "region = NULL"),
    "subscription-complete": _change("subscription", "status = NULL"),
    "usage-complete": _change("usage", "api_calls = NULL"),
    "user-keys-formed": _change("user", "user_id = upper('abcdef01')"),
    "subscription-keys-formed": _change("subscription", "subscription_id = 'abcdef0'"),
    "usage-keys-formed": _change("usage", "usage_id = 'abcdefg0'"),
    "plan-listed": "DELETE FROM plan WHERE plan_id = 3",
    "plan-features": _change(
        "plan", """features = '["25 GB", "Reports", "Export"]'""", "plan_id = 3"
    ),
    "plan-fees": _change("plan", "monthly_fee = 36", "plan_id = 3"),
    "user-region-listed": _change("user", "region = 'europe'"),
    "user-referral-source-listed": _change("user", "referral_source = 'friends'"),
    "subscription-payment-method-listed": _change(
        "subscription", "payment_method = 'cash'", "plan_id > 1"
    ),
    "user-emails-reserved": _change("user", "email = 'a@example.de'"),
    "subscription-not-backwards": _change(
        "subscription", "end_date = start_date - 1", "plan_id > 1"
    ),
    "usage-counted": _change("usage", "active_minutes = 1441"),
    "versions-at-midnight": _everywhere(
        _change("{table}", "valid_from = valid_from - interval '1 hour'")
    ),
    "versions-last": _everywhere(_change("{table}", "valid_to = valid_from")),
    "versions-apart": _everywhere(
        _copy("{table}", ', "valid_from": "2026-11-01Z", "valid_to": "2026-11-24Z"')
    ),
    "versions-differ": """
        UPDATE _load_receipt SET dispositions = dispositions || '{"usage": "scd2"}';
    """
    + _everywhere(_copy("{table}", ', "valid_from": "2026-11-01Z", "valid_to": "2026-11-23Z"')),
    "versions-by-as-of": _everywhere(_change("{table}", "valid_from = '2026-11-24Z'")),
    "version-ids-unique": _everywhere(
        'DROP INDEX "{table}_dlt_id_all_idx"; UPDATE "{table}" SET _dlt_id = \'same\''
        ' WHERE _dlt_id IN (SELECT _dlt_id FROM "{table}" ORDER BY _dlt_id LIMIT 2)'
    ),
    "version-loads-noted": _everywhere(_change("{table}", "_dlt_load_id = 'unknown'")),
}
_OF_HISTORY = {check.name for check in HISTORY}


@pytest.fixture
def session(dataset: Result) -> Iterator[Connection]:
    """A connection that finds the dataset's tables; what a test does with it is rolled back."""
    target = Target.from_settings()
    with target.connect("test") as connection, connection.transaction(force_rollback=True):
        connection.execute(f'SET LOCAL search_path = "{target.dataset}"')
        connection.execute("SET LOCAL timezone = 'UTC'")
        yield connection


def _found(session: Connection, *names: str) -> dict[str, Finding]:
    dataset = Target.from_settings().dataset
    recorded = receipt.latest(session, dataset)
    assert recorded is not None
    checks = [check for check in CHECKS if check.name in names] or CHECKS
    found = findings(session, dataset, recorded, checks)
    return {finding.check.name: finding for finding in found}


def test_every_check_has_a_fault_to_find() -> None:
    assert set(PLANTS) == {check.name for check in CHECKS}
    assert len(PLANTS) == len(CHECKS), "two checks have the same name"


def test_a_clean_load_passes_every_check(session: Connection) -> None:
    found = _found(session)
    assert len(found) == len(CHECKS)
    assert {name: f.examples for name, f in found.items() if f.violations} == {}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found_and_named(session: Connection, name: str) -> None:
    session.execute(PLANTS[name])
    finding = _found(session, name)[name]
    assert finding.violations == (len(TABLES) if name in _OF_HISTORY else 1)
    assert len(finding.examples) == min(finding.violations, 3)
    assert all(finding.examples)
