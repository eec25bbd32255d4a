r"""From characters to words and stems, every word with its place in the original text.

Nothing is rewritten before it is split: one regular expression walks the original, steps over what
is no word (links, mask marks, escaped line breaks, mojibake), and each word is normalised on its own.
So an offset always points into what the citizen wrote.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, partial
from importlib import metadata, resources
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from model.complaint import Complaint
from model.faults import Fault, InvalidData
from model.remembered import Remembered
from model.routing import Span
from model.stemming import make_stemmer

MAX_TOKENS = 2_000
"""Words of one field that are read; the rest of a longer text is not."""
MAX_WORD = 40
"""Characters of one word that are kept; the longest Indonesian word in the dictionary has 21."""
MAX_COLD_STEMS = 100
"""Distinct words of one complaint that are stemmed; the words after those stand as they are.

An unknown word with many affixes takes up to 0.1 ms, so this bounds what a hostile text can cost; of 20,000 complaints,
15 have more.
It counts words whether or not the cache knows them: the same text gives the same stems every time.
"""
CACHE_SIZE = 50_000
"""Written words, and stems, that are remembered at the most; what is not met again for long is forgotten (`model.remembered`)."""
MAX_PIECE = 24
PIECES = 30_000
"""A piece of text between two spaces is remembered with its words where it has no more characters, and so many pieces are."""

_MAX_WRITTEN = 3 * MAX_WORD
"""Characters of a written word that are looked at: accents and invisible characters need room too."""
_TAIL = (
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201a\u201c-\u201e"
    "\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
"""What the bytes 0x80 to 0xBF become when UTF-8 is read as Latin-1 or Windows-1252: the tail of mojibake."""
_GLUE = "'\u2019`\u00b4\u02bc\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
"""What may stand inside a word and says nothing: apostrophes (jum'at), soft hyphens, accents, invisible marks."""
_MASKS = "ALAMAT|EMAIL|KK|NAMA|NIK|NOMOR|NPWP|PLAT|REKENING|TELEPON|URL"
"""Marks that stand where personal data was; any other word in brackets may name a place."""
_TOKEN = re.compile(
    rf"""
      (?:[hH][tT]{{2}}[pP][sS]?://|[wW]{{3}}\.)\S++                                  # links
    | \[(?:{_MASKS})\]
    | \\[nr] | \\t(?![a-z]) | \\u[0-9a-fA-F]{{4}} | _x[0-9A-Fa-f]{{4}}_              # line breaks as an export escapes them
    | [\u00c2-\u00df][{_TAIL}] | [\u00e0-\u00ef][{_TAIL}]{{2}} | [\u00f0-\u00f4][{_TAIL}]{{3}} | \u00e2\u20ac   # mojibake
    | &(?:amp|nbsp|quot|apos|lt|gt|\#x?[0-9a-fA-F]{{1,6}});                          # HTML entities
    | ( [^\W_\u00c2\u00c3]
        (?: [^\W_A-Z\u00c2-\u00f4]++
          | [\u00c4-\u00d6\u00d8-\u00f4](?![{_TAIL}])
          | (?<![a-z]{{3}})[A-Z] | [A-Z](?![a-z])       # "BandungMohon" was two lines: LAPOR! exports lose the break
          | [{_GLUE}]++(?=[^\W\d_])
        )*+ )
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"([a-z]{2,})\d+|([a-z]{3,})2(an|nya|kan)")
"""A word with a number at its end (rt05, covid19), or doubled with a 2 (anak2, kira2nya)."""
_REPEATED = re.compile(r"([^\W\d])\1{2,}")
_CLOSES = re.compile(r"[.!?;\n]")
"""What closes a sentence; "Jl. Sudirman" is then two, of which the first says nothing."""
_LISTED = re.compile(r"(?<![\w.,/])\(?(\d{1,2}|[a-hA-H])\)[ \t]{0,3}(?=\w)")
"""What may open a point of a list within a line: "1) ... 2) ...", "(a) ... (b) ..."; a full stop closes a sentence anyway."""
_BRACKETED = 40
"""Characters before a mark that are looked at for a bracket that it only closes: "(RT 2)"."""

Abbreviations = Mapping[str, tuple[str, ...]]


class Token(NamedTuple):
    """One written word: where it stands, what it says once normalised, and the words it stands for."""

    start: int
    end: int
    text: str
    words: tuple[str, ...]


class Word(NamedTuple):
    """One word of a complaint. A tuple, not a dataclass: these are made by the million, and a tuple costs a quarter."""

    text: str
    stem: str
    field: str
    start: int
    end: int
    first: bool
    """Whether it opens a field, so that no pair of words reaches across title and text."""
    written: str
    """What was written, normalised: "jln" for "jalan". Empty in all words of one abbreviation but its first."""

    @property
    def span(self) -> Span:
        """Where it stands in the complaint as it came in; the words of one abbreviation share it."""
        return Span(self.field, self.start, self.end)


_word: Callable[[tuple[str, str, str, int, int, bool, str]], Word] = partial(tuple.__new__, Word)
"""Make one of a tuple: half the time of the constructor, which is called for every word of every complaint."""


def stand(words: Sequence[Word], at: int, parts: Sequence[str]) -> bool:
    """Tell whether `parts` stand from word number `at` on, each as text or stem, all in the field of the word before."""
    found = words[at : at + len(parts)]
    return len(found) == len(parts) and all(
        (part == word.text or part == word.stem) and not word.first for part, word in zip(parts, found, strict=True)
    )


def sentences(words: Sequence[Word], complaint: Complaint) -> list[int]:
    """List the numbers of the words that open a sentence, a field or a point of a list."""
    written = {"title": complaint.title, "text": complaint.text}
    points = {field: _points(text) for field, text in written.items() if ")" in text}
    return [
        place
        for place, word in enumerate(words)
        if word.first
        or _CLOSES.search(written[word.field], words[place - 1].end, word.start)
        or word.start in points.get(word.field, ())
    ]


def _points(text: str) -> frozenset[int]:
    """Where the points of a list begin, behind their marks: 1, 2 and so on, or a, b; "(RT 2)" or a mark alone is no list."""
    found: dict[str, list[int]] = {"1": [], "a": []}
    for match in _LISTED.finditer(text):
        mark = match[1].lower()
        kind = "1" if mark.isdigit() else "a"
        before = text[max(match.start() - _BRACKETED, 0) : match.start()]
        is_next = (int(mark) if kind == "1" else ord(mark) - ord("a") + 1) == len(found[kind]) + 1
        if is_next and (match[0][0] == "(" or before.rfind("(") <= before.rfind(")")):
            found[kind].append(match.end())
    return frozenset(place for places in found.values() if len(places) > 1 for place in places)


def normalise_word(written: str) -> str:
    """Normalise one written word: compatibility forms, case, accents, repeated letters, numbers at its end.

    Long numbers become "0": no number of five digits or more says who is responsible.
    Takes any string, and normalising twice changes nothing.
    """
    word = unicodedata.normalize("NFKD", written[:_MAX_WRITTEN]).lower()
    word = "".join(filter(str.isalnum, word))[:MAX_WORD]
    if match := _NUMBERED.fullmatch(word):
        word = match[1] or match[2] + match[3]
    elif word.isdigit() and len(word) > 4:
        return "0"
    return _REPEATED.sub(r"\1", word)


def _written_words(text: str) -> Iterator[re.Match[str]]:
    return islice((match for match in _TOKEN.finditer(text) if match[1]), MAX_TOKENS)


def tokenise(text: str, abbreviations: Abbreviations = MappingProxyType({})) -> Iterator[Token]:
    """Yield the words of a text, at most MAX_TOKENS, each with its offsets into that text."""
    for match in _written_words(text):
        if word := normalise_word(match[1]):
            yield Token(match.start(), match.end(), word, abbreviations.get(word) or (word,))


def read_lexicon(content: str, file: str, most: int) -> dict[str, tuple[str, ...]]:
    """Read lines of a form, a tab, and the words it stands for, at most `most`; a line that opens with "#" is a comment.

    Raises InvalidData naming every line that is not that, or not normalised, and every form that stands twice.
    """
    forms: dict[str, tuple[str, ...]] = {}
    faults = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        form, _, meaning = line.partition("\t")
        words = tuple(meaning.split())
        if not 1 <= len(words) <= most or any(word != normalise_word(word) for word in (form, *words)):
            faults.append(Fault(file, number, f"must be a normalised form, a tab, and 1 to {most} normalised words"))
        elif form in forms:
            faults.append(Fault(file, number, f"{form!r} stands already above"))
        else:
            forms[form] = words
    if faults:
        raise InvalidData(faults)
    return forms


def _lexicon(name: str, most: int = 5) -> dict[str, tuple[str, ...]]:
    content = resources.files("model").joinpath("lexicon", name).read_text(encoding="utf-8")
    return read_lexicon(content, f"model/lexicon/{name}", most)


@cache
def load_abbreviations() -> Abbreviations:
    """Read model/lexicon/abbreviations.tsv: a written form and the words it stands for."""
    return MappingProxyType(_lexicon("abbreviations.tsv"))


@cache
def load_landmarks() -> Mapping[str, str]:
    """Read model/lexicon/landmarks.tsv: a word and its part in a landmark."""
    return MappingProxyType({word: part for word, (part,) in _lexicon("landmarks.tsv", most=1).items()})


def load_exceptions() -> Mapping[str, str]:
    """Read model/lexicon/stem_exceptions.tsv: a word and the stem that PySastrawi misses."""
    return MappingProxyType({word: stem for word, (stem,) in _lexicon("stem_exceptions.tsv", most=1).items()})


@cache
def load_roots() -> frozenset[str]:
    """Read the dictionary of roots that PySastrawi ships, some 30,000: once, for stems, places and masking alike."""
    return frozenset(resources.files("Sastrawi.Stemmer").joinpath("data", "kata-dasar.txt").read_text(encoding="utf-8").split())


class WordStemmer:
    """PySastrawi's stems over its dict dictionary, behind a bounded cache, with words it must leave alone.

    `protected` are names of places and agencies, of one word or several; each of their words is its own
    stem, for stock Sastrawi makes "bekas" of "bekasi". Threads may share one:
    neither PySastrawi's rules nor its dictionary change once made.
    """

    def __init__(self, protected: Iterable[str] = ()) -> None:
        """Load dictionary and exceptions: some 20 ms."""
        self.protected = frozenset(token.text for name in protected for token in tokenise(name))
        self._roots = load_roots()
        self._fixed = {**load_exceptions(), **{word: word for word in self.protected}}
        stemmer = make_stemmer(self._roots)
        self.affixed: Remembered[str, str] = Remembered(lambda word: sys.intern(stemmer.stem_word(word) or word), CACHE_SIZE)
        """Stems of words that are not free. Interned, as are all stems, so that finding a pair of them reads no letters."""

    def __reduce__(self) -> tuple[type[WordStemmer], tuple[Any, ...]]:
        """Travel to another process without the caches: they fill again."""
        return type(self), (sorted(self.protected),)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides what features are made of.

        That is library, dictionary, exceptions, abbreviations, protected words, landmarks, limits and pattern.
        """
        parts = [
            metadata.version("PySastrawi"),
            *sorted(self._roots),
            *(f"{word}\t{stem}" for word, stem in sorted(self._fixed.items())),
            *(f"{form}\t{' '.join(words)}" for form, words in sorted(load_abbreviations().items())),
            *(f"{word}\t{part}" for word, part in sorted(load_landmarks().items())),
            *map(str, (MAX_TOKENS, MAX_WORD, MAX_COLD_STEMS)),
            *(pattern.pattern for pattern in (_TOKEN, _NUMBERED, _REPEATED)),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def is_free(self, word: str) -> bool:
        """Tell whether the stem of a word costs nothing: it is a root, fixed, or no word at all."""
        return word in self._roots or word in self._fixed or len(word) < 4 or not word.isascii() or not word.isalpha()

    def stem(self, word: str) -> str:
        """Answer the stem of one normalised word."""
        if self.is_free(word):
            return self._fixed.get(word, word)
        return self.affixed[word]


class Analyzer:
    """Reads a complaint into words and stems. Training and service use the same one, so they cannot drift apart."""

    def __init__(self, protected: Iterable[str] = ()) -> None:
        """Load dictionary and lexicons; `protected` as for WordStemmer."""
        self.stemmer = WordStemmer(protected)
        self._abbreviations = load_abbreviations()
        self._read = Remembered(self._read_anew, CACHE_SIZE)
        self._piece = Remembered(self._piece_anew, PIECES)

    def __reduce__(self) -> tuple[type[Analyzer], tuple[Any, ...]]:
        """Travel to another process without the caches: they fill again."""
        return type(self), (sorted(self.stemmer.protected),)

    def _read_anew(self, written: str) -> tuple[tuple[str, str, str], ...]:
        """Answer the words that a written word stands for, each with its stem, "" where that has a cost, and what was written."""
        text = normalise_word(written)
        words = self._abbreviations.get(text) or ((text,) if text else ())
        stems = (sys.intern(self.stemmer.stem(word)) if self.stemmer.is_free(word) else "" for word in words)
        return tuple((word, stem, "" if place else text) for place, (word, stem) in enumerate(zip(words, stems, strict=True)))

    def _piece_anew(self, piece: str) -> tuple[tuple[str, str, int, int, str], ...]:
        """Answer the words of a text as `_read` does, with start and end of each."""
        return tuple(
            (text, stem, match.start(), match.end(), written)
            for match in _written_words(piece)
            for text, stem, written in self._read[match[1][:_MAX_WRITTEN]]
        )

    def words(self, complaint: Complaint) -> list[Word]:
        """List the words of title and text, in order; at most MAX_COLD_STEMS distinct ones are stemmed.

        No word reaches across a space, so each piece between two spaces is read by itself, and most are known already.
        """
        pieces, affixed = self._piece, self.stemmer.affixed
        words: list[Word] = []
        stems: dict[str, str] = {}
        for field, content in complaint.fields:
            at, begin, first = 0, len(words), True
            for piece in content.split(" "):
                for text, stem, start, end, written in pieces[piece] if len(piece) <= MAX_PIECE else self._piece_anew(piece):
                    if not stem and not (stem := stems.get(text, "")):
                        stem = stems[text] = affixed[text] if len(stems) < MAX_COLD_STEMS else text
                    words.append(_word((text, stem, field, at + start, at + end, first, written)))
                    first = False
                at += len(piece) + 1
            if len(words) - begin > MAX_TOKENS:  # which counts written words: all words of an abbreviation are one
                written_at = [place for place in range(begin, len(words)) if words[place].written]
                del words[written_at[MAX_TOKENS] if len(written_at) > MAX_TOKENS else len(words) :]
        return words
