"""One company: exact counts, the same bytes everywhere, prefixes, deltas and refusals."""

import hashlib
import io
import pickle
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from subscriptions.extract import PARTITION_USERS, SCHEMAS, TABLES, Company
from subscriptions.tests.extract.datasets import EPOCH, OPENING, rows, whole

GOLDEN = {
    "plan": "00dc72e55b8f12446146c5b648121b6b246839786ebe1a36feb376e41cbfb6d1",
    "user": "676655f05aed8f926bd873418d64660ad92f5617afa9332930cca7a13d68928f",
    "subscription": "ccc24256c0d45cbbaf9d41d239f3bb5fec12a983bfa1e74c433726ec1d3a15c9",
    "usage": "0c824e244f5ee5afd57632aa7eaa547fa4aff559eaace77b90fb910fd0fab895",
}


def due(users: int) -> int:
    """The contract's number of subscriptions."""
    return (1717 * users + 500) // 1000


def fingerprint(table: pa.Table) -> str:
    """SHA-256 of a table as CSV."""
    text = io.BytesIO()
    pyarrow.csv.write_csv(table, text)
    return hashlib.sha256(text.getvalue()).hexdigest()


def test_a_default_company_has_the_contracts_rows() -> None:
    counts = {
        name: table.num_rows for name, table in whole(Company(42, 1000, EPOCH), EPOCH).items()
    }
    assert counts == {"plan": 5, "user": 1000, "subscription": 1717, "usage": 5000}


def test_tables_have_the_published_schemas_and_order() -> None:
    tables = whole(Company(42, 7, EPOCH), EPOCH)
    assert tuple(tables) == TABLES == tuple(SCHEMAS)
    for name, table in tables.items():
        assert table.schema == SCHEMAS[name]
        required = set(table.column_names) - {"end_date", "payment_method"}
        assert all(table[column].null_count == 0 for column in required)


@pytest.mark.parametrize(
    "epoch",
    [date(2025, 2, 1), date(2025, 2, 2), date(2025, 5, 31), EPOCH, date(2033, 1, 1)],
    ids=str,
)
@pytest.mark.parametrize("users", [1, 2, 3, 10])
def test_counts_are_exact_however_unlucky_a_small_company_is(users: int, epoch: date) -> None:
    for seed in range(60):
        tables = Company(seed, users, epoch).partition(0, epoch)
        counts = [tables[name].num_rows for name in ("user", "subscription", "usage")]
        assert counts == [users, due(users), 5 * users], seed


def test_counts_are_exact_in_every_partition() -> None:
    company = Company(9, 2 * PARTITION_USERS + 1, EPOCH)
    assert company.partitions(EPOCH) == 3
    for number, (first, after) in enumerate([(0, 50_000), (50_000, 100_000), (100_000, 100_001)]):
        tables = company.partition(number, EPOCH)
        counts = [tables[name].num_rows for name in ("user", "subscription", "usage")]
        assert counts == [after - first, due(after) - due(first), 5 * (after - first)]


@pytest.mark.parametrize("epoch", [OPENING, date(2024, 8, 20), date(2024, 10, 1)], ids=str)
def test_an_early_epoch_has_what_the_calendar_allows_and_says_so(epoch: date) -> None:
    company = Company(3, 1000, epoch)
    tables = whole(company, epoch)
    subscriptions = tables["subscription"].num_rows
    assert (tables["user"].num_rows, tables["usage"].num_rows) == (1000, 5000)
    assert 1000 <= subscriptions < 1717
    sentence = "An epoch before 2025-02-01 leaves too little time for 1,717 subscriptions"
    assert company.notes(epoch, subscriptions) == [f"{sentence}: {subscriptions:,} were possible."]
    assert company.notes(epoch, 1717) == []
    assert company.notes(epoch + timedelta(days=1), subscriptions) == []


def test_the_bytes_never_change() -> None:
    """Whoever breaks this makes another company of everybody's: do it in a release, knowingly."""
    tables = whole(Company(42, 300, EPOCH), EPOCH + timedelta(days=400))
    assert {name: fingerprint(table) for name, table in tables.items()} == GOLDEN


def test_another_process_builds_the_same_partition_from_a_pickled_company() -> None:
    company = Company(7, 60_000, EPOCH)
    as_of = EPOCH + timedelta(days=9)
    last = company.partitions(as_of) - 1
    expected = [
        fingerprint(table)
        for number in (last, 0, 1)
        for table in company.partition(number, as_of).values()
    ]
    script = (
        "import pickle, sys\n"
        "from datetime import date\n"
        "from subscriptions.tests.extract.test_company import fingerprint\n"
        "company = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "as_of = date.fromisoformat(sys.argv[2])\n"
        "parts = {n: company.partition(n, as_of) for n in range(company.partitions(as_of))}\n"
        f"for n in ({last}, 0, 1):\n"
        "    for table in parts[n].values(): print(fingerprint(table))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, pickle.dumps(company).hex(), str(as_of)],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parents[3],
    ).stdout
    assert output.split() == expected


def test_companies_are_equal_and_hashable_by_their_arguments() -> None:
    company = Company(1, 2, EPOCH)
    company.partition(0, EPOCH)
    assert company == Company(1, 2, EPOCH)
    assert len({company, Company(1, 2, EPOCH), Company(2, 2, EPOCH)}) == 2


def test_another_seed_is_another_company() -> None:
    one, two = (whole(Company(seed, 100, EPOCH), EPOCH) for seed in (1, 2))
    for name in ("user", "subscription", "usage"):
        assert not set(one[name][f"{name}_id"].to_pylist()) & set(
            two[name][f"{name}_id"].to_pylist()
        )
    assert one["user"]["first_name"] != two["user"]["first_name"]


@pytest.mark.parametrize(
    "later", [OPENING + timedelta(days=n) for n in (200, 400, 845, 880, 1300)], ids=str
)
def test_an_earlier_day_is_a_prefix_of_a_later_one(later: date) -> None:
    company = Company(11, 400, EPOCH)
    earlier = later - timedelta(days=45)
    before, after = rows(company, earlier), rows(company, later)
    usage = {row["usage_id"]: row for row in after["usage"]}
    assert before["usage"] == [usage[row["usage_id"]] for row in before["usage"]]
    new = usage.keys() - {row["usage_id"] for row in before["usage"]}
    assert all(usage[key]["usage_date"] > earlier for key in new)
    users = {row["user_id"]: row for row in after["user"]}
    lasting = ("user_id", "first_name", "last_name", "signup_date", "referral_source")
    for row in before["user"]:
        assert [users[row["user_id"]][name] for name in lasting] == [row[name] for name in lasting]
    subscriptions = {row["subscription_id"]: row for row in after["subscription"]}
    for row in before["subscription"]:
        now = subscriptions[row["subscription_id"]]
        assert row["status"] == "Active" or row == now
        assert row["end_date"] in {None, now["end_date"]}
        changeable = {"end_date", "status"}
        assert {k: v for k, v in row.items() if k not in changeable} == {
            k: v for k, v in now.items() if k not in changeable
        }


@pytest.mark.parametrize(
    ("since", "as_of"),
    [
        (date(2024, 12, 24), date(2025, 6, 1)),
        (date(2026, 10, 20), EPOCH),
        (EPOCH, EPOCH + timedelta(days=1)),
        (EPOCH - timedelta(days=3), EPOCH + timedelta(days=30)),
        (EPOCH + timedelta(days=100), EPOCH + timedelta(days=500)),
    ],
)
def test_a_delta_is_exactly_what_is_new_or_different(since: date, as_of: date) -> None:
    company = Company(4, 700, EPOCH)
    before, after = rows(company, since), rows(company, as_of)
    parts = [company.changes(n, as_of, since) for n in range(company.partitions(as_of))]
    for name in ("user", "subscription", "usage"):
        old = {row[f"{name}_id"]: row for row in before[name]}
        changed = [row for row in after[name] if old.get(row[f"{name}_id"]) != row]
        assert [row for part in parts for row in part.after[name].to_pylist()] == changed
        assert 0 < len(changed) < len(after[name])
        were = [old[row[f"{name}_id"]] for row in changed if row[f"{name}_id"] in old]
        assert [row for part in parts for row in part.before[name].to_pylist()] == were


def test_new_users_get_partitions_of_their_own_and_leave_the_others_alone() -> None:
    company = Company(42, 1000, EPOCH)
    later = EPOCH + timedelta(days=60)
    assert (company.partitions(EPOCH), company.partitions(later)) == (1, 2)
    ids = company.partition(0, EPOCH)["user"]["user_id"]
    assert company.partition(0, later)["user"]["user_id"] == ids
    assert company.partition(1, later)["user"]["signup_date"].to_pylist()[0] > EPOCH


def test_the_largest_company_has_room_and_builds_any_partition() -> None:
    company = Company(42, 50_000_000, EPOCH)
    later = EPOCH + timedelta(days=30)
    assert company.partitions(EPOCH) == 1000
    assert company.partitions(later) > 1000
    tables = company.partition(999, EPOCH)
    assert tables["user"].num_rows == PARTITION_USERS
    assert tables["usage"].num_rows == 5 * PARTITION_USERS
