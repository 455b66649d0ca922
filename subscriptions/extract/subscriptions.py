"""EXTRACT, subscriptions: each user's chain of subscriptions, and which of them come about."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np

from subscriptions.extract.growth import OPENING, day_number
from subscriptions.extract.plans import FREE
from subscriptions.extract.randomness import Floats, Ints, Mask, Stream, below, draw, share, unit

PLAN_SHARES = (33, 27, 18, 16, 6)
PAYMENT_METHODS = ("credit card", "paypal", "bank transfer")
PAYMENT_SHARES = (60, 30, 10)
OPEN_END = int(np.iinfo(np.int64).max)

# Where each renewal leads, in percent, by the plan before: 3 in 10 change plan, more of them
# upwards. Leaving Free is always a change; the day of it is drawn apart.
_MOVES = np.array(
    [
        [0, 55, 28, 13, 4],
        [2, 70, 21, 6, 1],
        [1, 9, 70, 17, 3],
        [1, 2, 10, 70, 17],
        [1, 1, 6, 22, 70],
    ]
)
_NEXT_PLAN = np.array([np.repeat(np.arange(1, 6), row) for row in _MOVES])

# Odds of staying, as multiples: most users come to look around, some like it, a few stay for good.
_LOYALTY_SHARES = (50, 40, 10)
_LOYALTY_ODDS = np.array([1.0, 3.0, 30.0])
_FREE_ODDS = 0.3
_HIGHEST_TENURE = 3

# The longest times between two starts: 180 days on Free, 31 + 120 + 1 on a paid plan. So whoever
# signs up on the opening day can have a second subscription by this day, 184 days later.
ENOUGH_TIME = date(2025, 2, 1)
_SHORTEST_FREE, _LONGEST_FREE = 14, 180
_SHORTEST_RETURN, _LONGEST_RETURN = 30, 120

# After the epoch users stay as they did before, but a small company's luck is no law: the bar
# that its few users happen to need is kept between these.
_LOWEST_BAR, _HIGHEST_BAR = 0.15, 0.45
# Bars that are tried in turn until one leaves enough: a low one spares most of the work.
_TRIED_BARS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Slots:
    """Subscriptions as columns of equal length, one entry each."""

    user: Ints
    """User number."""
    step: Ints
    """0 for a user's first subscription, 1 for the next, and so on."""
    plan: Ints
    start: Ints
    """Day number."""
    payment: Ints
    """Position in PAYMENT_METHODS; means nothing on Free."""
    hurdle: Floats
    """How willing to stay the company's users must be for this one to come about, 0 to 1.

    It never falls along a chain, so those under any bar are the beginnings of chains.
    """

    def __len__(self) -> int:
        return len(self.user)

    def where(self, chosen: Mask | Ints) -> "Slots":
        """The chosen entries."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Slots(*(getattr(self, field.name)[places] for field in fields(self)))


def join(parts: Sequence[Slots]) -> Slots:
    """All entries by user number, then step, given parts of ascending step."""
    columns = [np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Slots)]
    return Slots(*columns).where(np.argsort(columns[0], kind="stable"))


def month_later(days: Ints) -> Ints:
    """`(day + interval '1 month')::date` as PostgreSQL reckons it, for day numbers.

    The same day of the next month, or that month's last day where it has no such day.
    """
    if len(days) == 0:
        return days
    # Calendar arithmetic is slow, and there are far fewer days than subscriptions.
    first_day = int(days.min())
    every_day = np.arange(first_day, int(days.max()) + 1)
    months = every_day.astype("datetime64[D]").astype("datetime64[M]")
    day_of_month = every_day - months.astype("datetime64[D]").astype(np.int64)
    first = (months + 1).astype("datetime64[D]").astype(np.int64)
    following = (months + 2).astype("datetime64[D]").astype(np.int64)
    later: Ints = np.minimum(first + day_of_month, following - 1)[days - first_day]
    return later


def first_slots(seed: int, users: Ints, signup: Ints) -> Slots:
    """Everybody's first subscription: it starts on the day of sign-up, whatever happens."""
    return Slots(
        user=users,
        step=np.zeros_like(users),
        plan=1 + share(draw(seed, Stream.PLAN, users), PLAN_SHARES),
        start=signup,
        payment=share(draw(seed, Stream.PAYMENT, users), PAYMENT_SHARES),
        hurdle=np.zeros(len(users)),
    )


def _next_start(seed: int, slots: Slots, step: Ints) -> Ints:
    """The day on which the next subscription would start."""
    bits = draw(seed, Stream.PAUSE, slots.user, step)
    # The upper half of the bits decides the length, the lower half its kind.
    returning = (bits & np.uint64(31)) == 0
    gap = np.where(
        returning,
        _SHORTEST_RETURN + below(bits, _LONGEST_RETURN - _SHORTEST_RETURN + 1),
        below(bits, 8),
    )
    # Squaring a uniform draw makes early conversions the most frequent ones.
    patience = below(bits, 1 << 16)
    spell = _SHORTEST_FREE + (patience * patience * (_LONGEST_FREE - _SHORTEST_FREE + 1) >> 32)
    paid_start = month_later(slots.start) + 1 + gap
    return np.where(slots.plan == FREE, slots.start + spell, paid_start)


def _next_hurdle(seed: int, slots: Slots) -> Floats:
    """The hurdle of the next subscription: that of the given one, or its own where it is higher."""
    step = slots.step + 1
    tenure = np.minimum(step, _HIGHEST_TENURE)
    loyalty = _LOYALTY_ODDS[share(draw(seed, Stream.LOYALTY, slots.user), _LOYALTY_SHARES)]
    odds = loyalty * tenure * np.where(slots.plan == FREE, _FREE_ODDS, 1.0)
    # A user stays where u <= odds * bar / (1 - bar + odds * bar); solved for the bar.
    luck = unit(draw(seed, Stream.CONTINUE, slots.user, step))
    return np.maximum(slots.hurdle, luck / (luck + odds * (1.0 - luck)))


def following(seed: int, slots: Slots, last_day: int, bar: float) -> Slots:
    """The subscriptions that follow the given ones, start by `last_day` and stay under the bar.

    What leaves the most out is reckoned first, and the rest of those alone that are left.
    """
    hurdle = _next_hurdle(seed, slots)
    under = np.flatnonzero(hurdle <= bar)
    slots, hurdle = slots.where(under), hurdle[under]
    start = _next_start(seed, slots, slots.step + 1)
    timely = np.flatnonzero(start <= last_day)
    slots, hurdle, start = slots.where(timely), hurdle[timely], start[timely]
    step = slots.step + 1
    move = below(draw(seed, Stream.MOVE, slots.user, step), 100)
    change = draw(seed, Stream.PAYMENT_CHANGE, slots.user, step)
    return Slots(
        user=slots.user,
        step=step,
        plan=_NEXT_PLAN[slots.plan - 1, move],
        start=start,
        # One renewal in eight draws the method anew, from the same shares.
        payment=np.where(
            (change & np.uint64(7)) == 0, share(change, PAYMENT_SHARES), slots.payment
        ),
        hurdle=hurdle,
    )


def _grow(seed: int, first: Slots, last_day: int, bar: float) -> list[Slots]:
    """The slots that follow `first`, step by step, start by `last_day` and stay under the bar."""
    rounds = []
    current = first
    while len(current):
        current = following(seed, current, last_day, bar)
        rounds.append(current)
    return rounds


def _easiest(parts: Sequence[Slots], wanted: int) -> tuple[Slots, float]:
    """The `wanted` entries of least hurdle, by user and step, and the bar that this makes.

    Equal hurdles occur along a chain, where a high one is carried on: the earlier entry wins.
    """
    hurdles = np.concatenate([part.hurdle for part in parts])
    bar = float(np.partition(hurdles, wanted - 1)[wanted - 1])
    slots = join([part.where(part.hurdle <= bar) for part in parts])
    chosen = slots.hurdle < bar
    ties = np.flatnonzero(~chosen)
    chosen[ties[: wanted - int(chosen.sum())]] = True
    return slots.where(chosen), bar


def settle(seed: int, first: Slots, epoch: int, wanted: int) -> tuple[Slots, float]:
    """The subscriptions of a partition that started by the epoch, and the bar after it.

    Every user has a chain of possible subscriptions; the `wanted` entries with the least hurdle
    come about, so their number is exact and each chain is kept from its beginning. Where the
    chains are too short for that by the epoch, all sign-ups move towards the opening in eighths
    until they suffice (only a small partition is ever so unlucky), or, at an epoch that is too
    early for it anyway, every possible subscription is taken.
    """
    pulls = range(8, -1, -1) if epoch >= day_number(ENOUGH_TIME) else (8,)
    for pull in pulls:
        moved = replace(first, start=OPENING + (first.start - OPENING) * pull // 8)
        for bar in _TRIED_BARS:
            parts = [moved, *_grow(seed, moved, epoch, bar)]
            if sum(map(len, parts)) >= wanted:
                chosen, reached = _easiest(parts, wanted)
                return chosen, min(max(reached, _LOWEST_BAR), _HIGHEST_BAR)
    return join(parts), _HIGHEST_BAR


def go_on(seed: int, slots: Slots, epoch: int, bar: float, as_of: int) -> Slots:
    """`slots` and what follows them after the epoch, up to `as_of`, under the bar."""
    last = np.flatnonzero(np.append(slots.user[1:] != slots.user[:-1], True))
    current = slots.where(last)
    current = replace(current, hurdle=np.zeros(len(current)))
    upcoming = following(seed, current, as_of, bar)
    # A possible start by the epoch that was not chosen then: this user has left.
    upcoming = upcoming.where(upcoming.start > epoch)
    return join([slots, upcoming, *_grow(seed, upcoming, as_of, bar)])


def ends(slots: Slots) -> Ints:
    """The last day of each: a month on for paid ones, the eve of the next one or OPEN_END on Free.

    `slots` is ordered by user and step.
    """
    eve = np.full(len(slots), OPEN_END, np.int64)
    followed = np.flatnonzero(slots.user[1:] == slots.user[:-1])
    eve[followed] = slots.start[followed + 1] - 1
    return np.where(slots.plan == FREE, eve, month_later(slots.start))
