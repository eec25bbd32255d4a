"""The stemmer gives PySastrawi's stems, all of them, and does not take its time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Context.Visitor.VisitorProvider import VisitorProvider
from Sastrawi.Stemmer.Stemmer import Stemmer

from model.stemming import INFIX_RULES, INFIXES, OPENERS, _number, make_stemmer
from model.text import load_roots

ROOTS = load_roots()
OURS, STOCK = make_stemmer(ROOTS), Stemmer(ArrayDictionary(ROOTS))
PREFIXES = (
    *(
        "",
        "ber",
        "be",
        "bel",
        "ter",
        "te",
        "me",
        "mem",
        "men",
        "meng",
        "menge",
        "meny",
        "pe",
        "pem",
        "pen",
        "peng",
        "penge",
        "peny",
    ),
    *("per", "pel", "di", "ke", "se", "ku", "kau", "memper", "diper", "keber", "berke", "menter", "bers", "mempel", "sepe"),
)
SUFFIXES = (
    *("", "i", "kan", "an", "nya", "ku", "mu", "lah", "kah", "pun", "tah", "is", "isme", "isasi"),
    *("annya", "kannya", "ilah", "kanlah", "anku", "nyalah", "k"),
)


def affixed_words(seed: int) -> Iterator[str]:
    """Roots with affixes that may or may not fit, a third of them with a letter lost, wrong, or an infix between."""
    chance = random.Random(seed)  # noqa: S311
    roots = sorted(root for root in ROOTS if root.isascii() and root.isalpha() and len(root) > 2)
    while True:
        root, way = chance.choice(roots), chance.random()
        if way < 0.1:
            root = root[1:]
        elif way < 0.2:
            root = root[0] + chance.choice("aeioubrkn") + root[2:]
        elif way < 0.3:
            root = root[0] + chance.choice(sorted(INFIXES)) + root[1:]
        yield chance.choice(PREFIXES) + root + chance.choice(SUFFIXES)


def test_affixed_words_have_the_stems_of_the_stock_stemmer() -> None:
    words = list(islice(affixed_words(seed=0), 6_000))
    assert [OURS.stem_word(word) for word in words] == [STOCK.stem_word(word) for word in words]


@settings(max_examples=400, deadline=None)
@given(st.text("abdeghiklmnprstuy", min_size=1, max_size=12))
def test_any_letters_have_the_stem_of_the_stock_stemmer(word: str) -> None:
    assert OURS.stem_word(word) == STOCK.stem_word(word)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PREFIXES), st.text("abdeghiklmnprstuwyz", min_size=1, max_size=8))
def test_no_rule_applies_to_a_word_that_does_not_open_as_it_asks(prefix: str, rest: str) -> None:
    word = prefix + rest
    for visitor in VisitorProvider().get_prefix_visitors()[1:]:
        for rule in visitor.disambiguators:
            number = int(_number(rule))
            if rule.disambiguate(word) is not None:
                assert word[:2] == OPENERS.get(number) or (number in INFIX_RULES and word[1:3] in INFIXES)


def test_a_stem_costs_a_third_of_the_stock_stemmers_time_at_most() -> None:
    words = list(islice(affixed_words(seed=1), 2_000))
    taken = []
    for stemmer in (OURS, STOCK):
        start = time.process_time()
        for word in words:
            stemmer.stem_word(word)
        taken.append(time.process_time() - start)
    assert taken[0] < taken[1] / 3  # about a sixth
