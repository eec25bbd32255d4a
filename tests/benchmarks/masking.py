"""What personal data is left standing, and what is masked that is none: python -P tests/benchmarks/masking.py [--misses].

Judged on invented complaints (tests/golden/personal_data.tsv), in which their writers marked all that is personal. They had not
seen the program; but what was left of the first and of the second writer's has been looked at since, and rules were made for its
kinds, so that both flatter now. Nobody has looked at the third writer's: keep it so. A piece counts as found where no word or
number of it is left; a word that is masked and part of no piece is masked wrongly. Real complaints, if there are any (--real),
show how many marks a text gets beside those it came with; nobody has told which are right.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.privacy import mask
from tests.benchmarks.emergencies import told
from tests.benchmarks.transfer import SOURCES
from training.reading.sources import read_unlabelled

COMPLAINTS = Path("tests/golden/personal_data.tsv")
_PIECE = re.compile(r"⟦([A-Z]+):([^⟦⟧]+)⟧")
_MARK = re.compile(r"\[(?:EMAIL|KK|NAMA|NIK|NOMOR|NPWP|PLAT|REKENING|TELEPON)\]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Marked:
    """A complaint as it would be sent, and its personal data: kind, start and end of each piece."""

    writer: str
    text: str
    pieces: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Judged:
    """What masking made of a complaint: its pieces with whether nothing of them is left, and the words masked wrongly."""

    found: tuple[tuple[str, str, bool], ...]
    wrongly: tuple[str, ...]


def complaints() -> Iterator[Marked]:
    """Read the complaints, their double brackets taken away."""
    with COMPLAINTS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            text, pieces, done = "", [], 0
            for match in _PIECE.finditer(row["text"]):
                text += row["text"][done : match.start()]
                pieces.append((match[1], len(text), len(text) + len(match[2])))
                text += match[2]
                done = match.end()
            yield Marked(row["writer"], text + row["text"][done:], tuple(pieces))


def masked_spans(text: str, masked: str) -> list[tuple[int, int]]:
    """Answer what of a text the marks stand for. Raises ValueError where something else was changed too."""
    pattern = "(.+?)".join(map(re.escape, _MARK.split(masked)))
    if not (match := re.fullmatch(pattern, text, re.DOTALL)):
        raise ValueError(f"more than marks differs: {masked}")
    return [match.span(number) for number in range(1, match.re.groups + 1)]


def judge(marked: Marked) -> Judged:
    """Mask a complaint and compare."""
    spans = masked_spans(marked.text, mask(marked.text))
    words = [match.span() for match in _WORD.finditer(marked.text)]
    hidden = {word for word in words if any(start <= word[0] and word[1] <= end for start, end in spans)}
    own: set[tuple[int, int]] = set()
    found = []
    for kind, start, end in marked.pieces:
        parts = [word for word in words if word[0] < end and start < word[1]]
        own.update(parts)
        found.append((kind, marked.text[start:end], hidden.issuperset(parts)))
    return Judged(tuple(found), tuple(marked.text[start:end] for start, end in sorted(hidden - own)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", metavar="WRITER", help="show what is left and masked wrongly in this one's complaints")
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    given = parser.parse_args()
    rows = list(complaints())
    judged = [judge(row) for row in rows]
    for writer in dict.fromkeys(row.writer for row in rows):
        chosen = [(row, said) for row, said in zip(rows, judged, strict=True) if row.writer == writer]
        pieces = [piece for _, said in chosen for piece in said.found]
        print(told(f"{writer}: pieces found", [hit for *_, hit in pieces]))
        for kind in sorted({kind for kind, *_ in pieces}):
            print(told(f"  {kind}", [hit for name, _, hit in pieces if name == kind]))
        print(told("  masked wrongly: complaints", [bool(said.wrongly) for _, said in chosen]))
        if writer == given.misses:
            for row, said in chosen:
                missed = [text for _, text, hit in said.found if not hit]
                if missed or said.wrongly:
                    print(f"    left {missed}, wrongly {list(said.wrongly)}: {row.text}")
    for name, (file, _) in SOURCES.items() if given.real.is_dir() else ():
        texts = [row.text for row in read_unlabelled(given.real / file)]
        marks = Counter(mark for text in texts for mark in _MARK.findall(text))
        print(f"{name}: {len(texts):,} complaints, marks {dict(marks)}")


if __name__ == "__main__":
    main()
