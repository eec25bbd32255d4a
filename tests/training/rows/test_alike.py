"""Texts that are nearly the same: found by their rarest pairs of words, exactly as if each were compared with every other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from model.labelled import load
from training.rows import alike, dataset

REGION = Path("data/kutai-timur")


def compared_with_all(texts: Sequence[str], threshold: float) -> list[int]:
    """The definition itself, one pair of texts after another."""
    sets = [set(pairwise(text.split())) for text in texts]
    linked = np.array(
        [
            [
                a == b or (len(of_a & of_b) > 0 and len(of_a & of_b) >= threshold * len(of_a | of_b) - 1e-9)
                for b, of_b in zip(texts, sets, strict=True)
            ]
            for a, of_a in zip(texts, sets, strict=True)
        ]
    )
    return [int(group) for group in connected_components(linked, directed=False)[1]]


def disturbed(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Texts with words swapped for others': up to two in five, so that some stay nearly the same and some do not."""
    rng = np.random.default_rng(seed)
    vocabulary = " ".join(texts).split()
    made = []
    for number in range(count):
        words = texts[number % len(texts)].split()
        swapped = rng.random(len(words)) < rng.random() * 0.4
        made.append(
            " ".join(str(rng.choice(vocabulary)) if swap else word for word, swap in zip(words, swapped.tolist(), strict=True))
        )
    return made


@pytest.fixture(scope="module")
def keys() -> list[str]:
    return [dataset.text_key(row) for row in load(REGION / "complaints.jsonl")]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 2 / 3, 0.9, 1.0])
def test_the_groups_are_those_of_comparing_all_with_all(keys: list[str], threshold: float) -> None:
    texts = [*keys[:40], *disturbed(keys[:40], 110, seed=1), "sampah", "sampah", "sampah menumpuk", "", ""]
    found = alike.groups(texts, threshold)
    assert found == compared_with_all(texts, threshold)
    assert 1 < len(set(found)) < len(texts)


def test_no_two_complaints_of_the_default_corpus_are_nearly_the_same_and_copies_find_their_own(keys: list[str]) -> None:
    assert alike.groups(keys, dataset.NEAR) == list(range(len(keys)))
    copies = [f"{key} mohon segera ditindaklanjuti" for key in keys[:300] if len(key.split()) > 8]
    originals = [number for number, key in enumerate(keys[:300]) if len(key.split()) > 8]
    assert alike.groups([*keys, *copies], dataset.NEAR)[len(keys) :] == originals


def test_blocks_do_not_change_the_groups(keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*keys[:50], *disturbed(keys[:50], 150, seed=2)]
    whole = alike.groups(texts, 0.5)
    monkeypatch.setattr(alike, "_PRODUCTS", 400)
    monkeypatch.setattr(alike, "_COMPARED", 7)
    assert alike.groups(texts, 0.5) == whole


def test_one_text_sent_thousands_of_times_with_another_name_is_one_group_in_little_time(keys: list[str]) -> None:
    began = time.process_time()
    found = alike.groups([f"{keys[0]} salam warga rt{number}" for number in range(5_000)], 0.6)
    assert set(found) == {0}
    assert time.process_time() - began < 10


def test_nothing_at_all_has_no_groups() -> None:
    assert alike.groups([], 0.6) == []
    assert alike.groups(["", "satu", "", "dua"], 0.6) == [0, 1, 0, 2]
