"""EXTRACT, vocabulary: names that fit the region, and reserved domains, from Faker's data."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

import numpy as np
import pyarrow as pa

from subscriptions.extract.randomness import Bits, Ints, share

# Region, its share of the users in percent, and its locales with their shares. Only locales that
# write names in Latin letters, or offer a romanised list; together they give every region well
# over 500 first and 500 last names. The shares are those of a product sold in English first.
REGIONS: tuple[tuple[str, int, tuple[tuple[str, int], ...]], ...] = (
    ("North America", 38, (("en_US", 76), ("es_MX", 14), ("fr_CA", 10))),
    (
        "Europe",
        27,
        (
            ("en_GB", 24),
            ("de_DE", 22),
            ("fr_FR", 16),
            ("it_IT", 12),
            ("es_ES", 12),
            ("nl_NL", 8),
            ("sv_SE", 6),
        ),
    ),
    ("Asia", 18, (("en_IN", 50), ("id_ID", 18), ("zh_TW", 10), ("ja_JP", 12), ("en_PK", 10))),
    ("South America", 8, (("pt_BR", 45), ("es_CO", 20), ("es_AR", 20), ("es_CL", 15))),
    ("Africa", 5, (("en_KE", 40), ("yo_NG", 20), ("zu_ZA", 20), ("tw_GH", 20))),
    ("Oceania", 4, (("en_NZ", 100),)),
)
LOCALES = tuple(locale for _, _, locales in REGIONS for locale, _ in locales)
# Letters that have no decomposition into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ɔ": "o"}
)


@dataclass(frozen=True)
class Names:
    """Names of all locales in one list, and the tables that draw from it by weight."""

    text: pa.Array
    """Distinct names as people write them."""
    ascii: pa.Array
    """The same names as they appear in an e-mail address: a-z only."""
    bounds: Ints
    """Upper bounds, ascending: locale number in the high half, cumulative weight in the low."""
    index: Ints
    """For each bound, the position of its name in `text`."""

    def draw(self, locale: Ints, bits: Bits) -> Ints:
        """Positions in `text`, drawn from each locale's names by Faker's weights."""
        target = (locale << 32) | (bits >> np.uint64(32)).astype(np.int64)
        return self.index[np.searchsorted(self.bounds, target, side="right")]


@dataclass(frozen=True)
class Vocabulary:
    """What a company draws its people from."""

    first: Names
    last: Names
    domains: pa.Array


def _weighted(provider: type, kind: str) -> dict[str, int]:
    """A provider's names with whole-number weights; a plain list gives each name the same."""
    if hasattr(provider, f"{kind}_romanized_names"):
        attributes = [f"{kind}_romanized_names"]
    elif hasattr(provider, f"{kind}_names_male"):
        attributes = [f"{kind}_names_male", f"{kind}_names_female"]
    else:
        attributes = [f"{kind}_names"]
    weights: dict[str, int] = {}
    for attribute in attributes:
        names = getattr(provider, attribute)
        pairs = names.items() if isinstance(names, Mapping) else ((name, 0.001) for name in names)
        for raw, weight in pairs:
            # Some lists shout, or leave blanks behind.
            name = raw.strip().title() if raw.isupper() else raw.strip()
            # Faker's weights are fractions or counts; whole numbers add up alike everywhere.
            weights[name] = weights.get(name, 0) + max(1, int(weight * 1_000_000))
    return weights


def _plain(name: str) -> str:
    """The letters a-z of a name, as an e-mail address spells it; "" where there are none."""
    lower = name.lower()
    if lower.isascii() and lower.isalpha():
        return lower
    decomposed = unicodedata.normalize("NFKD", lower.translate(_PLAIN))
    return "".join(filter(str.isalpha, decomposed.encode("ascii", "ignore").decode()))


def _is_clean(name: str, plain: str) -> bool:
    """Whether a name is in Latin letters, each of which has a plain form, and in reading order."""
    if name.isascii() and name.isalpha():  # as nearly all are
        return True
    letters = sum(map(str.isalpha, name))
    # Some lists also hold a Greek letter, "Bourgondië, van" or "Hans D.".
    return len(plain) >= letters > 0 and not {",", "."} & set(name)


def _names(kind: str) -> Names:
    plain: dict[str, str] = {}
    positions: dict[str, int] = {}
    bounds: list[Ints] = []
    index: list[int] = []
    for number, locale in enumerate(LOCALES):
        provider = import_module(f"faker.providers.person.{locale}").Provider
        weights = _weighted(provider, kind)
        plain.update((name, _plain(name)) for name in weights if name not in plain)
        usable = [name for name in weights if _is_clean(name, plain[name])]
        running = np.cumsum(np.array([weights[name] for name in usable], np.int64))
        # The sums are exact, and a quotient of floats is the same on every machine.
        scaled = np.floor(running / running[-1] * (1 << 32)).astype(np.int64)
        bounds.append((number << 32) + scaled)
        index.extend(positions.setdefault(name, len(positions)) for name in usable)
    return Names(
        pa.array(positions, pa.string()),
        pa.array([plain[name] for name in positions], pa.string()),
        np.concatenate(bounds),
        np.array(index, np.int64),
    )


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Faker's data, imported at the first use and only the modules that are needed."""
    internet = import_module("faker.providers.internet").Provider
    domains = pa.array(internet.safe_domain_names, pa.string())
    return Vocabulary(_names("first"), _names("last"), domains)


def draw_regions(bits: Bits) -> Ints:
    """Positions in REGIONS, by their shares."""
    return share(bits, tuple(percent for _, percent, _ in REGIONS))


def draw_locales(region: Ints, bits: Bits) -> Ints:
    """Positions in LOCALES: for each region's number one of its locales, by their shares."""
    locale = np.empty(len(region), np.int64)
    first = 0
    for number, (_, _, locales) in enumerate(REGIONS):
        here = region == number
        locale[here] = first + share(bits[here], tuple(percent for _, percent in locales))
        first += len(locales)
    return locale
