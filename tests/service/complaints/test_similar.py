"""Near-duplicates: found where most words are shared, and hardly ever otherwise."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence

import pytest

from service.complaints import similar

WORDS = [f"kata{number}" for number in range(3_000)]
MOMENT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def pair(shared: float, size: int, seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Two bags of words with a Jaccard similarity."""
    chosen = random.Random(seed).sample(WORDS, 2 * size)  # noqa: S311
    common = round(shared * 2 * size / (1 + shared))
    return frozenset(chosen[:size]), frozenset(chosen[size - common : 2 * size - common])


def keys(bag: Iterable[str], days: int = 30, kecamatan: str = "Bengalon") -> Sequence[str]:
    return similar.draw("", " ".join(bag), MOMENT, days, kecamatan).keys


def hits(shared: float) -> float:
    found = 0
    for seed in range(300):
        one, other = pair(shared, 40, seed)
        found += bool(set(keys(one)) & set(keys(other)))
    return found / 300


@pytest.mark.parametrize(("shared", "low", "high"), [(0.85, 0.97, 1.0), (0.7, 0.8, 0.96), (0.3, 0.0, 0.15), (0.1, 0.0, 0.01)])
def test_a_shared_key_is_as_likely_as_the_texts_are_alike(shared: float, low: float, high: float) -> None:
    assert low <= hits(shared) <= high


def test_the_same_words_have_the_same_keys_in_any_order() -> None:
    bag = similar.words("Lampu mati", "lampu jalan poros mati sejak seminggu")
    assert keys(sorted(bag)) == keys(sorted(bag, reverse=True))
    assert len(keys(bag)) == similar.BANDS


def test_elsewhere_and_in_another_period_the_keys_are_others() -> None:
    bag = WORDS[:50]
    assert not set(keys(bag)) & set(keys(bag, kecamatan="Kongbeng"))
    drawn = similar.draw("", " ".join(bag), MOMENT, 30, "")
    after = similar.draw("", " ".join(bag), MOMENT + dt.timedelta(days=30), 30, "")
    assert after.keys_before == drawn.keys
    assert not set(after.keys) & set(drawn.keys)


def test_too_little_text_has_no_keys() -> None:
    assert keys(["lampu", "mati"]) == ()
    assert keys(WORDS[:50], days=0) == ()


def test_a_long_text_is_read_only_so_far() -> None:
    assert len(similar.words("", " ".join(WORDS))) == similar.MAX_WORDS
