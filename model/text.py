r"""From characters to words and stems, every word with its place in the original text.

Nothing is rewritten before it is split: one regular expression walks the original, steps over what
is no word (links, mask marks, escaped line breaks, mojibake), and each word is normalised on its own.
So an offset always points into what the citizen wrote.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from types import MappingProxyType

from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer

from model.complaint import Complaint
from model.faults import Fault, InvalidData
from model.routing import Span

MAX_TOKENS = 2_000
"""Words of one field that are read; the rest of a longer text is not."""
MAX_WORD = 40
"""Characters of one word that are kept; the longest Indonesian word in the dictionary has 21."""
MAX_COLD_STEMS = 150
"""Distinct words of one complaint that are stemmed; the words after those stand as they are.

PySastrawi takes 0.3 ms for an unknown affixed word, so this bounds what a hostile text can cost.
It counts words whether or not the cache knows them: the same text gives the same stems every time.
"""
CACHE_SIZE = 100_000
"""Words remembered with their stems, about 25 MB when full; then the cache starts afresh."""

_TOKEN = re.compile(
    r"""
      (?P<skip> https?://\S+ | www\.\S+                      # links
      | \[[A-Z_ ]{2,20}\]                                    # mask marks: [NAMA], [TELEPON]
      | \\[nrt](?=[\W_A-Z\d]|\\|$) | \\u[0-9a-f]{4}          # escaped line breaks that an export left
      | [ÃÂâ][\u0080-\u00BF\u20AC\u2019\u201C\u201D\u2122]{1,2}  # UTF-8 read as Latin-1
      | &(?:amp|nbsp|quot|lt|gt|\#\d+); )                    # HTML entities
    | (?P<word> [^\W_]+ )
    """,
    re.VERBOSE,
)
_REPEATED = re.compile(r"(.)\1{2,}")
_REDUPLICATED = re.compile(r"([a-z]{3,})2(an|nya|kan)?")
_HAS_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Token:
    """One written word: where it stands, what it says once normalised, and the words it stands for."""

    span: Span
    text: str
    words: tuple[str, ...]


def normalise_word(written: str) -> str:
    """Normalise one written word: compatibility forms, case, accents, repeated letters, "bareng2".

    Long numbers become "0": no number of five digits or more says who is responsible.
    """
    word = unicodedata.normalize("NFKD", written).lower()
    word = "".join(char for char in word if char.isalnum())[:MAX_WORD]
    if _HAS_DIGIT.search(word):
        if match := _REDUPLICATED.fullmatch(word):
            return match[1] + (match[2] or "")
        return "0" if word.isdigit() and len(word) > 4 else word
    return _REPEATED.sub(r"\1", word)


def tokenise(text: str, field: str = "text", abbreviations: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> Iterator[Token]:
    """Yield the words of a text, at most MAX_TOKENS, each with its offsets into that text."""
    count = 0
    for match in _TOKEN.finditer(text):
        if match["word"] is None:
            continue
        word = normalise_word(match["word"])
        if not word:
            continue
        yield Token(Span(field, match.start(), match.end()), word, abbreviations.get(word) or (word,))
        count += 1
        if count == MAX_TOKENS:
            return


def _lexicon(name: str) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    content = resources.files("model").joinpath("lexicon", name).read_text(encoding="utf-8")
    rows = ((number, line.split("\t")) for number, line in enumerate(content.splitlines(), 1) if line and not line.startswith("#"))
    return content, rows


def load_abbreviations() -> Mapping[str, tuple[str, ...]]:
    """Read model/lexicon/abbreviations.tsv: a written form, a tab, the words it stands for.

    Raises InvalidData where a line is not that, or a form stands twice.
    """
    forms: dict[str, tuple[str, ...]] = {}
    faults = []
    for number, cells in _lexicon("abbreviations.tsv")[1]:
        if len(cells) != 2 or not cells[1].split() or cells[0] != normalise_word(cells[0]):
            faults.append(Fault("model/lexicon/abbreviations.tsv", number, "a normalised form, one tab, the words it stands for"))
        elif cells[0] in forms:
            faults.append(Fault("model/lexicon/abbreviations.tsv", number, f"{cells[0]!r} stands already above"))
        else:
            forms[cells[0]] = tuple(cells[1].split())
    if faults:
        raise InvalidData(faults)
    return MappingProxyType(forms)


def load_exceptions() -> Mapping[str, str]:
    """Read model/lexicon/stem_exceptions.tsv: a word, a tab, the stem that PySastrawi misses."""
    return MappingProxyType({cells[0]: cells[1] for _, cells in _lexicon("stem_exceptions.tsv")[1]})


class WordStemmer:
    """PySastrawi's stemmer over its dict dictionary, behind a bounded cache, with words it must leave alone.

    `protected` words (places, agencies) are their own stems: stock Sastrawi makes "bekas" of "bekasi".
    """

    def __init__(self, protected: Iterable[str] = ()) -> None:
        """Load the dictionary that PySastrawi ships: some 10 ms."""
        words = resources.files("Sastrawi.Stemmer").joinpath("data", "kata-dasar.txt").read_text(encoding="utf-8")
        self._roots = frozenset(words.split())
        self._stemmer = Stemmer(ArrayDictionary(sorted(self._roots)))
        self._fixed = {**load_exceptions(), **{word: word for word in protected}}
        self._cache: dict[str, str] = {}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides a stem: library version, dictionary, exceptions, abbreviations, protected words."""
        total = hashlib.sha256(metadata.version("PySastrawi").encode())
        total.update("\n".join(sorted(self._roots)).encode())
        total.update("\n".join(f"{word}\t{stem}" for word, stem in sorted(self._fixed.items())).encode())
        total.update(_lexicon("abbreviations.tsv")[0].encode())
        return total.hexdigest()

    def is_free(self, word: str) -> bool:
        """Tell whether the stem of a word costs nothing: it is a root, fixed, or no word at all."""
        return word in self._roots or word in self._fixed or len(word) < 4 or not word.isascii() or not word.isalpha()

    def stem(self, word: str) -> str:
        """Answer the stem of one normalised word."""
        if word in self._fixed:
            return self._fixed[word]
        if self.is_free(word):
            return word
        stem = self._cache.get(word)
        if stem is None:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            stem = self._cache[word] = str(self._stemmer.stem_word(word)) or word
        return stem


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a complaint as the features see it."""

    span: Span
    text: str
    stem: str
    first: bool
    """Whether it opens a field, so that no pair of words reaches across title and text."""


class Analyzer:
    """Reads a complaint into words and stems. Training and service use the same one, so they cannot drift apart."""

    def __init__(self, protected: Iterable[str] = ()) -> None:
        """Load dictionary and lexicons; `protected` as for WordStemmer."""
        self.stemmer = WordStemmer(protected)
        self._abbreviations = load_abbreviations()

    def tokens(self, complaint: Complaint) -> list[Token]:
        """The written words of title and text, in order."""
        return [token for name, text in complaint.fields for token in tokenise(text, name, self._abbreviations)]

    def words(self, complaint: Complaint) -> list[Word]:
        """The words that the features are made of; at most MAX_COLD_STEMS distinct ones are stemmed."""
        budget: set[str] = set()
        result = []
        field = ""
        for token in self.tokens(complaint):
            for text in token.words:
                stem = text
                if self.stemmer.is_free(text) or text in budget or len(budget) < MAX_COLD_STEMS:
                    stem = self.stemmer.stem(text)
                    if not self.stemmer.is_free(text):
                        budget.add(text)
                result.append(Word(token.span, text, stem, first=token.span.field != field))
                field = token.span.field
        return result
