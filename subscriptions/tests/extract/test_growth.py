"""Growth: exactly the users by the epoch, twice as many every 150 days, and the same rate later."""

from datetime import date, timedelta

import numpy as np
import pytest

from subscriptions.extract.growth import OPENING, Signups, day_number, weekday

EPOCH = day_number(date(2026, 11, 23))


def test_day_numbers_and_weekdays_are_those_of_the_calendar() -> None:
    days = [date(1970, 1, 1) + timedelta(days=n) for n in (0, 1, 11_016, 19_936, 20_780, 40_000)]
    numbers = np.array([day_number(day) for day in days])
    assert numbers.tolist() == np.array(days, "datetime64[D]").astype(int).tolist()
    assert weekday(numbers).tolist() == [day.weekday() for day in days]
    assert day_number(date(2024, 8, 1)) == OPENING


@pytest.mark.parametrize("users", [1, 2, 999, 60_001])
def test_everybody_has_signed_up_by_the_epoch(users: int) -> None:
    signups = Signups(1, users, EPOCH)
    days = signups.days(np.arange(users), EPOCH)
    assert OPENING <= days.min() <= days.max() <= EPOCH
    assert signups.counts[-1] == signups.count(EPOCH) == users
    # The counts by day are those that the users' own days add up to.
    assert np.cumsum(np.bincount(days - OPENING, minlength=len(signups.counts))).tolist() == (
        signups.counts.tolist()
    )


def test_the_company_doubles_every_150_days() -> None:
    """The number of users n(t) = c * (2^(t/150) - 1): sign-ups a day double, and so do they."""
    counts = Signups(1, 1_000_000, EPOCH).counts
    week = np.diff(counts[::7])
    assert week[-1] / week[-1 - 21] == pytest.approx(2 ** (147 / 150), rel=0.02)
    assert week[-30] / week[-30 - 21] == pytest.approx(2 ** (147 / 150), rel=0.02)


def test_working_days_bring_more_users_than_weekends() -> None:
    days = Signups(1, 50_000, EPOCH).days(np.arange(50_000), EPOCH)
    by_weekday = np.bincount(weekday(days))
    assert by_weekday[:5].min() > 1.5 * by_weekday[5:].max()


def test_any_range_of_users_is_a_sample_of_all_times() -> None:
    days = Signups(1, 100_000, EPOCH).days(np.arange(100_000), EPOCH)
    for part in np.split(days, 10):
        assert np.median(part) == pytest.approx(np.median(days), abs=2)


def test_another_seed_lets_others_sign_up_first() -> None:
    one, two = (Signups(seed, 1000, EPOCH).days(np.arange(1000), EPOCH) for seed in (1, 2))
    assert (one != two).mean() > 0.9
    assert sorted(one) == sorted(two)


def test_later_signups_keep_the_rate_of_the_epoch() -> None:
    signups = Signups(1, 100_000, EPOCH)
    before = signups.counts[-1] - signups.counts[-1 - 28]
    after = signups.count(EPOCH + 28) - 100_000
    much_later = signups.count(EPOCH + 2828) - signups.count(EPOCH + 2800)
    # A constant rate, while the curve's last four weeks started some 13 % lower.
    assert after == pytest.approx(before * 1.066, rel=0.01)
    assert much_later == pytest.approx(after, abs=1)


def test_later_users_come_in_order_of_time_and_as_counted() -> None:
    signups = Signups(1, 5000, EPOCH)
    until = EPOCH + 100
    numbers = np.arange(5000, signups.count(until))
    days = signups.days(numbers, until)
    assert (np.diff(days) >= 0).all()
    assert EPOCH < days.min() <= days.max() <= until
    for day in range(EPOCH + 1, until + 1):
        assert 5000 + (days <= day).sum() == signups.count(day)
    assert signups.later_counts(until) == [signups.count(d) for d in range(EPOCH + 1, until + 1)]
    assert (signups.days(numbers[:50], until + 999) == days[:50]).all()


def test_the_opening_day_can_be_the_epoch() -> None:
    assert set(Signups(1, 10, OPENING).days(np.arange(10), OPENING)) == {OPENING}
