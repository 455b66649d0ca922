"""EXTRACT, users: who they are, and how their e-mail address and region change."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from subscriptions.extract.randomness import Ints, Mask, Stream, below, draw, share
from subscriptions.extract.tables import dates, integers, keys, table, words
from subscriptions.extract.vocabulary import REGIONS, draw_locales, draw_regions, vocabulary

REFERRALS = ("web search", "paid ads", "social media", "referral")
REFERRAL_SHARES = (20, 45, 10, 25)

# Something about a user may change once in each stretch of this many days after sign-up, in one of
# so many: an address about every eight years, a region about every twenty.
_STRETCH = 512
_EMAIL_CHANGES_ONE_IN = 6
_REGION_CHANGES_ONE_IN = 16
_CHANGES = (
    (Stream.EMAIL_CHANGE, _EMAIL_CHANGES_ONE_IN),
    (Stream.REGION_CHANGE, _REGION_CHANGES_ONE_IN),
)


@dataclass(frozen=True)
class Person:
    """What can change about users, as columns: how often the address did, and the region."""

    emails: Ints
    region: Ints

    def where(self, chosen: Mask) -> "Person":
        """The chosen users."""
        return Person(self.emails[chosen], self.region[chosen])

    def differs(self, other: "Person") -> Mask:
        """Which users changed between the two days."""
        changed: Mask = (self.emails != other.emails) | (self.region != other.region)
        return changed


def _changes(
    seed: int, stream: Stream, one_in: int, users: Ints, signup: Ints, stretch: int
) -> tuple[Mask, Ints, Ints]:
    """Who will change in that stretch, on what day, and bits left over to say how."""
    bits = draw(seed, stream, users, stretch)
    day = signup + 1 + stretch * _STRETCH + below(bits, _STRETCH)
    rest = (bits & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return rest % one_in == 0, day, rest // one_in


def may_have_changed(seed: int, users: Ints, signup: Ints, since: int, as_of: int) -> Mask:
    """Whose address or region has changed between two days, even if it has changed back."""
    found = np.zeros(len(users), np.bool_)
    for stretch in _stretches(signup, as_of):
        for stream, one_in in _CHANGES:
            changing, day, _ = _changes(seed, stream, one_in, users, signup, stretch)
            found |= changing & (day > since) & (day <= as_of)
    return found


def _stretches(signup: Ints, as_of: int) -> range:
    """Those in which any of the users can have changed by a day."""
    return range((as_of - int(signup.min(initial=as_of))) // _STRETCH + 1)


def people(seed: int, users: Ints, signup: Ints, as_of: int) -> Person:
    """Addresses and regions as of a day; of users yet to sign up, as they will be then."""
    region = draw_regions(draw(seed, Stream.REGION, users))
    emails = np.zeros_like(users)
    for stretch in _stretches(signup, as_of):
        where = (users, signup, stretch)
        changing, day, _ = _changes(seed, Stream.EMAIL_CHANGE, _EMAIL_CHANGES_ONE_IN, *where)
        emails += changing & (day <= as_of)
        moving, day, rest = _changes(seed, Stream.REGION_CHANGE, _REGION_CHANGES_ONE_IN, *where)
        # One to five places on, so that a move always leads elsewhere.
        region = np.where(moving & (day <= as_of), (region + 1 + rest % 5) % 6, region)
    return Person(emails, region)


def _addresses(seed: int, users: Ints, emails: Ints, first: pa.Array, last: pa.Array) -> pa.Array:
    """An address for each user that nobody else has: its local part ends in the user's number.

    The names hold no digits, so the number can be read off, whatever form the rest takes; a user's
    next address takes the next form.
    """
    number = pc.cast(pa.array(users + 1), pa.string())
    form = emails % 3
    initial = pc.utf8_slice_codeunits(first, 0, 1)
    before = pc.choose(pa.array(form), first, initial, last)
    dot = words(pa.array([".", "", "."]), form)
    after = pc.choose(pa.array(form), last, last, first)
    at = pa.array([f"@{domain}" for domain in vocabulary().domains.to_pylist()])
    domain = words(at, below(draw(seed, Stream.DOMAIN, users, emails), len(at)))
    return pc.binary_join_element_wise(before, dot, after, number, domain, "")


def user_table(seed: int, users: Ints, signup: Ints, plan: Ints, person: Person) -> pa.Table:
    """The contract's `user` rows, in the order given; `plan` is each one's latest plan."""
    names = vocabulary()
    # People keep the name of where they signed up.
    home = draw_regions(draw(seed, Stream.REGION, users))
    locale = draw_locales(home, draw(seed, Stream.LOCALE, users))
    first = names.first.draw(locale, draw(seed, Stream.FIRST_NAME, users))
    last = names.last.draw(locale, draw(seed, Stream.LAST_NAME, users))
    email = _addresses(
        seed, users, person.emails, words(names.first.ascii, first), words(names.last.ascii, last)
    )
    referral = share(draw(seed, Stream.REFERRAL, users), REFERRAL_SHARES)
    columns = [
        keys(seed, Stream.USER_KEY, users),
        words(names.first.text, first),
        words(names.last.text, last),
        email,
        dates(signup),
        integers(plan),
        words(pa.array([name for name, _, _ in REGIONS]), person.region),
        words(pa.array(REFERRALS), referral),
    ]
    return table("user", columns)
