"""Near-duplicates: found where most words are shared, and hardly ever otherwise."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from service import similar

WORDS = [f"kata{number}" for number in range(3_000)]
MOMENT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def pair(shared: float, size: int, seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Two bags of words with a Jaccard similarity."""
    chosen = random.Random(seed).sample(WORDS, 2 * size)  # noqa: S311
    common = round(shared * 2 * size / (1 + shared))
    return frozenset(chosen[:size]), frozenset(chosen[size - common : 2 * size - common])


def hits(shared: float) -> float:
    found = 0
    for seed in range(300):
        one, other = pair(shared, 40, seed)
        found += bool(set(similar.keys(one, MOMENT, 30)) & set(similar.keys(other, MOMENT, 30)))
    return found / 300


@pytest.mark.parametrize(("shared", "low", "high"), [(0.85, 0.97, 1.0), (0.7, 0.8, 0.96), (0.3, 0.0, 0.15), (0.1, 0.0, 0.01)])
def test_a_shared_key_is_as_likely_as_the_texts_are_alike(shared: float, low: float, high: float) -> None:
    assert low <= hits(shared) <= high


def test_the_same_words_have_the_same_keys_in_any_order() -> None:
    bag = similar.words("Lampu mati", "lampu jalan poros mati sejak seminggu")
    assert similar.keys(bag, MOMENT, 30) == similar.keys(frozenset(sorted(bag)), MOMENT, 30)
    assert len(similar.keys(bag, MOMENT, 30)) == similar.BANDS


def test_too_little_text_has_no_keys() -> None:
    assert similar.keys(similar.words("", "lampu mati"), MOMENT, 30) == ()
    assert similar.keys(frozenset(WORDS[:50]), MOMENT, 0) == ()


def test_a_long_text_is_read_only_so_far() -> None:
    assert len(similar.words("", " ".join(WORDS))) == similar.MAX_WORDS
