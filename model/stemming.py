"""PySastrawi's stemmer with the same stems at a quarter of the cost.

PySastrawi tries some forty rules of prefixes on every word, though the word's first letters leave a handful of them
possible. And it compiles a regular expression each time, to tell which part of a word was removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Context.Removal import Removal
from Sastrawi.Stemmer.Context.Visitor.VisitorProvider import VisitorProvider
from Sastrawi.Stemmer.Stemmer import Stemmer

OPENERS = {
    **dict.fromkeys(range(1, 6), "be"),
    **dict.fromkeys((*range(6, 10), 35), "te"),
    **dict.fromkeys(range(10, 20), "me"),
    **dict.fromkeys((*range(20, 35), 36), "pe"),
    41: "ku",
    42: "ka",
}
"""The two letters that a word must open with for a rule of prefixes to apply, by the rule's number (Asian 2007)."""
INFIX_RULES = range(37, 41)
INFIXES = frozenset(("er", "el", "em", "in"))
"""What stands behind the first letter where a rule of infixes applies."""
SUFFIX_KINDS = ("P", "PP", "DS")
PREFIX_KIND = "DP"
"""What PySastrawi calls particles, possessive pronouns, other suffixes, and prefixes, in the order in which it tries them."""
_RULE = re.compile(r"\w+Rule(\d+)[a-z]?")


def make_stemmer(roots: Iterable[str]) -> Stemmer:
    """Make PySastrawi's stemmer over a dictionary of roots, for words of the letters a to z alone."""
    stemmer = Stemmer(ArrayDictionary(roots))
    stemmer.visitor_provider = _Provider()
    return stemmer


class _Provider:
    """Takes the place of the stock's VisitorProvider."""

    def __init__(self) -> None:
        stock: Any = VisitorProvider()
        plain, *rules = stock.get_prefix_visitors()
        self._always: Sequence[Any] = stock.get_visitors()
        self._suffixes = [_Remover(visitor, kind) for visitor, kind in zip(stock.get_suffix_visitors(), SUFFIX_KINDS, strict=True)]
        self._prefixes = [_Prefixes(_Remover(plain, PREFIX_KIND), rules)]

    def get_visitors(self) -> Sequence[Any]:
        return self._always

    def get_suffix_visitors(self) -> Sequence[Any]:
        return self._suffixes

    def get_prefix_visitors(self) -> Sequence[Any]:
        return self._prefixes


class _Remover:
    """One of the stock's visitors that remove what stands at a word's start or end."""

    def __init__(self, stock: Any, kind: str) -> None:
        self._remove, self._kind = stock.remove, kind

    def visit(self, context: Any) -> None:
        result = self._remove(context.current_word)
        if result != context.current_word:
            _shorten(self, context, result, self._kind)


class _Prefixes:
    """The stock's visitors of prefixes in their order, each only where the word opens as its rule asks for."""

    def __init__(self, plain: _Remover, visitors: Sequence[Any]) -> None:
        self._plain = plain
        numbered = [(visitor.disambiguators, {int(_number(rule)) for rule in visitor.disambiguators}) for visitor in visitors]
        known = {*OPENERS, *INFIX_RULES}
        self._groups = {
            (opener, infixed): [
                rules
                for rules, numbers in numbered
                if any(
                    OPENERS.get(number) == opener or number not in known or (infixed and number in INFIX_RULES)
                    for number in numbers
                )
            ]
            for opener in {"", *OPENERS.values()}
            for infixed in (False, True)
        }

    def visit(self, context: Any) -> None:
        removals = len(context.removals)
        self._plain.visit(context)
        contains = context.dictionary.contains
        word = context.current_word
        if contains(word) or context.process_is_stopped or len(context.removals) > removals:
            return
        infixed = word[1:3] in INFIXES
        for rules in self._groups.get((word[:2], infixed)) or self._groups["", infixed]:
            result = None
            for rule in rules:
                result = rule.disambiguate(word)
                if contains(result):
                    break
            if result is not None:
                _shorten(self, context, result, PREFIX_KIND)
                return


def _number(rule: object) -> str:
    match = _RULE.fullmatch(type(rule).__name__)
    return match[1] if match else "0"


def _shorten(visitor: object, context: Any, result: str, kind: str) -> None:
    word = context.current_word
    context.add_removal(Removal(visitor, word, result, word.replace(result, "", 1), kind))
    context.current_word = result
