"""Places of a region that are called as people are: Kecamatan Nainggolan, Kapanewon Bambanglipuro, Desa Siti Rejo.

Masking takes such a name for somebody's, and nobody could tell any more where the matter is. So it is hidden from masking where
it is the place's: as all of a form's field, behind a word that a place or its head stands behind ("di", "warga", "Camat"), or,
where it has several words, anywhere but behind what announces a person or beside another name. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from model import names

_MARKS = range(0xE000, 0xF900)
"""Characters that Unicode leaves to private use: one stands for each hidden name, and no text has them for anything else."""
_MARKED = re.compile(f"[{chr(_MARKS[0])}-{chr(_MARKS[-1])}]")
_LOOK = 60
"""Characters before a name in which the word before it is looked for."""
_BLANKS = r"[ \t\u00a0]{1,2}"
_BEFORE = re.compile(rf"([^\W\d_]+)({_BLANKS}|[ \t\u00a0.,:=(]{{1,4}})\Z")
_BEHIND = re.compile(rf"{_BLANKS}([^\W\d_]+)")
_OPENS = re.compile(r"[.!?)\n\-–—~]\s{0,3}\Z")
_ENDS = re.compile(r"[\s.)]{0,4}\Z")
_HEADS = ("post", "chair")
"""Kinds of words that announce a person or a place (`lexicon/announcing.tsv`): before a name that is a place's, the place."""
_OF_ANYBODY = ("", "agent", "company", "deed", "job")
"""Kinds of words behind which anything may stand."""
_NAMING = ("nama", "namanya", "bernama", "adalah", "yaitu", "ialah", "an", "bin", "binti", "dan", "serta", "salam", "hormat")
"""Further words behind which a name is a person's."""


class Namesakes:
    """The names of such places. Read-only after construction."""

    def __init__(self, places: Iterable[str]) -> None:
        """Take their names as people write them; capitals say nothing."""
        self.places = frozenset(_plain(place) for place in places)
        self._first = frozenset(place.split()[0] for place in self.places)
        longest_first = sorted(self.places, key=lambda place: (-len(place), place))
        written = (_BLANKS.join(map(re.escape, place.split())) for place in longest_first)
        self._pattern = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(written)})(?!\w)") if self.places else None

    def is_one(self, text: str) -> bool:
        """Tell whether a text is such a name and nothing else, as a form's field is."""
        return bool(self.places) and len(text) < _LOOK and _plain(text) in self.places

    def hide(self, text: str) -> tuple[str, Mapping[int, str]]:
        """Answer the text with a mark for each such name that is the place's, and what each mark, by its number, stands for.

        At most as many as there are marks; nothing is hidden where a stranger's text has marks of its own.
        """
        hidden: dict[int, str] = {}
        said = text.lower()
        if self._pattern is None or not any(word in said for word in self._first) or _MARKED.search(text):
            return text, hidden

        def put(match: re.Match[str]) -> str:
            if len(hidden) == len(_MARKS) or not _is_place(match):
                return match[0]
            mark = _MARKS[len(hidden)]
            hidden[mark] = match[0]
            return chr(mark)

        return self._pattern.sub(put, text), hidden


NONE = Namesakes(())


def show(text: str, hidden: Mapping[int, str]) -> str:
    """Put the names back."""
    return text.translate(hidden) if hidden else text


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _is_place(match: re.Match[str]) -> bool:
    """Tell whether a name is the place's where it stands, and nobody's."""
    text, start, end = match.string, match.start(), match.end()
    behind = _BEHIND.match(text, end)
    if (behind and _is_name(behind[1])) or text[end : end + 1] == ":":  # who writes in a chat
        return False
    before = _BEFORE.search(text, max(start - _LOOK, 0), start)
    word, joined = (before[1].lower(), not before[2].strip()) if before else ("", False)
    kind = names.announcing().get(word, "")
    if joined and (word in names.beside("where") or word in names.beside("place") or kind in _HEADS):
        return True
    if " " not in match[0] or word in _NAMING or kind not in _OF_ANYBODY or (joined and before and _is_name(before[1])):
        return False
    signs = _ENDS.match(text, end) and _OPENS.search(text, max(start - _LOOK, 0), start)
    return not signs


def _is_name(word: str) -> bool:
    plain = word.lower()
    return plain in names.known() and (word[0].isupper() or not names.is_ordinary(plain))
