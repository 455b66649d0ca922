"""Vocabulary: enough names for each region, in Latin letters, by Faker's weights."""

import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from faker.providers.person.en_US import Provider as American

from subscriptions.extract.randomness import Stream, draw
from subscriptions.extract.vocabulary import LOCALES, REGIONS, Names, vocabulary


def of_region(names: Names, number: int) -> set[str]:
    """All names that can be drawn for a region."""
    mine = [LOCALES.index(locale) for locale, _ in REGIONS[number][2]]
    previous = np.concatenate([[0], names.bounds[:-1]])
    starts = np.maximum(previous, names.bounds >> 32 << 32)
    chosen = np.isin((names.bounds - 1) >> 32, mine) & (starts < names.bounds)
    return set(names.text.take(pa.array(names.index[chosen])).to_pylist())


@pytest.mark.parametrize("number", range(6), ids=[name for name, _, _ in REGIONS])
def test_each_region_has_500_first_and_500_last_names(number: int) -> None:
    assert len(of_region(vocabulary().first, number)) >= 500
    assert len(of_region(vocabulary().last, number)) >= 500


def test_regions_and_shares_are_complete() -> None:
    assert [name for name, _, _ in REGIONS] == [
        "North America",
        "Europe",
        "Asia",
        "South America",
        "Africa",
        "Oceania",
    ]
    assert sum(percent for _, percent, _ in REGIONS) == 100
    assert all(sum(share for _, share in locales) == 100 for _, _, locales in REGIONS)


def test_names_are_latin_and_clean() -> None:
    for names in (vocabulary().first, vocabulary().last):
        for name in names.text.to_pylist():
            assert name == name.strip()
            assert not re.search(r"[\d,.@_]", name), name
            assert not name.isupper() or len(name) == 1, name
            letters = [letter for letter in name if letter.isalpha()]
            assert all("LATIN" in unicodedata.name(letter) for letter in letters), name


def test_names_keep_their_own_capitals() -> None:
    assert {"Chen", "McDonald", "de la Fuente"} <= set(vocabulary().last.text.to_pylist())


def test_spellings_for_addresses_are_plain_letters_and_close_to_the_name() -> None:
    for names in (vocabulary().first, vocabulary().last):
        pairs = dict(zip(names.text.to_pylist(), names.ascii.to_pylist(), strict=True))
        assert all(re.fullmatch("[a-z]+", spelling) for spelling in pairs.values())
        assert all(
            pairs[name] == re.sub("[^a-z]", "", name.lower()) for name in pairs if name.isascii()
        )
    last = dict(
        zip(vocabulary().last.text.to_pylist(), vocabulary().last.ascii.to_pylist(), strict=True)
    )
    assert last["Gonçalves"] == "goncalves"
    assert last["Heß"] == "hess"


def test_names_are_drawn_by_fakers_weights() -> None:
    locale = np.full(400_000, LOCALES.index("en_US"))
    names = vocabulary().last
    drawn = names.draw(locale, draw(1, Stream.LAST_NAME, np.arange(len(locale))))
    counts = Counter(names.text.take(pa.array(drawn)).to_pylist())
    weights = dict(American.last_names)
    total = sum(weights.values())
    assert set(counts) <= set(weights)
    for name in ("Smith", "Johnson", "Wyatt"):
        assert counts[name] / len(drawn) == pytest.approx(weights[name] / total, rel=0.15)


def test_domains_are_reserved_for_documentation() -> None:
    assert sorted(vocabulary().domains.to_pylist()) == ["example.com", "example.net", "example.org"]


def test_importing_the_step_does_not_import_faker() -> None:
    """Faker costs as much as the rest together; only who builds users pays for it."""
    script = "import sys, subscriptions.extract; sys.exit('faker' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=root).returncode == 0
