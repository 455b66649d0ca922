"""What a company refuses, each in one sentence."""

from datetime import date, timedelta

import pytest

from subscriptions.extract import Company, CompanyError
from subscriptions.tests.extract.datasets import EPOCH


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((42, 0, EPOCH), "A company has 1 to 50,000,000 users, not 0."),
        ((42, -3, EPOCH), "A company has 1 to 50,000,000 users, not -3."),
        ((42, 50_000_001, EPOCH), "A company has 1 to 50,000,000 users, not 50,000,001."),
        ((-1, 10, EPOCH), "The seed must be 0 to 9223372036854775807, not -1."),
        ((2**63, 10, EPOCH), "The seed must be 0 to 9223372036854775807, not 9223372036854775808."),
        (
            (42, 10, date(2024, 7, 31)),
            "The company opened on 2024-08-01, so its epoch cannot be 2024-07-31.",
        ),
    ],
)
def test_impossible_companies_are_refused(arguments: tuple[int, int, date], message: str) -> None:
    with pytest.raises(CompanyError) as refusal:
        Company(*arguments)
    assert str(refusal.value) == message


def test_the_largest_seed_works() -> None:
    assert Company(2**63 - 1, 3, EPOCH).partition(0, EPOCH)["user"].num_rows == 3


def test_a_day_before_the_opening_is_refused() -> None:
    company = Company(42, 10, EPOCH)
    for ask in (company.partitions, company.plans, lambda day: company.partition(0, day)):
        with pytest.raises(CompanyError, match="opened on 2024-08-01, so there is nothing as of"):
            ask(date(2024, 7, 31))


def test_running_out_of_keys_is_refused_not_wrapped() -> None:
    for company, far in (
        (Company(42, 50_000_000, EPOCH), EPOCH + timedelta(days=74)),  # numbers of users
        (Company(42, 4, EPOCH), date(2110, 1, 1)),  # subscriptions of a user
        (Company(42, 270, date(2024, 8, 2)), date(2100, 1, 1)),  # numbers of usage rows
    ):
        assert company.partitions(company.epoch) >= 1
        with pytest.raises(CompanyError, match="runs out of 32-bit keys before"):
            company.partitions(far)
    with pytest.raises(CompanyError, match="runs out of 32-bit keys"):
        Company(42, 4, date(9999, 12, 31))


def test_a_partition_that_is_not_there_is_refused() -> None:
    with pytest.raises(CompanyError, match="There is no partition 1 on 2026-11-23"):
        Company(42, 10, EPOCH).partition(1, EPOCH)


def test_a_delta_cannot_go_back_in_time() -> None:
    company = Company(42, 10, EPOCH)
    nothing = company.changes(0, EPOCH, EPOCH)
    assert [
        table.num_rows for table in (*nothing.before.values(), *nothing.after.values())
    ] == 6 * [0]
    with pytest.raises(CompanyError, match="Nothing can have changed between"):
        company.changes(0, EPOCH, EPOCH + timedelta(days=1))
