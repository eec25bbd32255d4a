"""Complaints about the same matter, near in time and place: found by MinHash over their words, confirmed by comparing these.

A complaint has a few band keys; two texts that share most of their words share a key almost surely (Jaccard 0.7: 81 %; 0.85: 99 %),
unrelated ones hardly ever (0.1: 0.06 %). Keys contain the period and the kecamatan, so that a lookup never meets the whole past,
and each is stored only for the first complaint that had it: when thousands write about one flood, the last is compared with as few
as the second was.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, select

from service.storage.statements import Statement
from service.storage.tables import UtcDateTime, complaint, sketch

BANDS = 6
ROWS = 4
ALIKE = 0.5
"""Share of common words from which two complaints are one matter."""
MIN_WORDS = 5
"""Distinct words below which a text says too little to be compared."""
MAX_WORDS = 400
LOOKED_AT = 2 * BANDS
"""Complaints that a new one is compared with at the most. A key is held by one, or by a few that arrived in the same instant."""
_WORD = re.compile(r"[^\W_]{3,}")
_PRIME = np.uint64(4_294_967_291)  # the greatest under 2^32, so that products wrap around it many times
_random = np.random.default_rng(20_261_124)
_FACTORS = _random.integers(1, 1 << 29, size=(BANDS * ROWS, 1), dtype=np.uint64)
_OFFSETS = _random.integers(0, 1 << 29, size=(BANDS * ROWS, 1), dtype=np.uint64)


def words(title: str, text: str) -> frozenset[str]:
    """Distinct words of a complaint, the first MAX_WORDS of them."""
    found = dict.fromkeys(_WORD.findall(f"{title} {text}".lower()))
    return frozenset(list(found)[:MAX_WORDS])


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a complaint is compared by: its words, and its band keys in the period of its moment and in the one before.

    No keys where it says too little to be compared.
    """

    words: frozenset[str] = frozenset()
    keys: Sequence[str] = ()
    keys_before: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """The number of the first complaint of the group that a new one belongs to, and its keys that nobody had before."""

    first: int | None = None
    new_keys: Sequence[str] = ()


def draw(title: str, text: str, moment: dt.datetime, days: int, kecamatan: str) -> Sketch:
    """Draw the sketch of a complaint; complaints are alike within so many days and in one kecamatan, "" where it is not known."""
    bag = words(title, text)
    if days <= 0 or len(bag) < MIN_WORDS:
        return Sketch()
    period, bands = moment.toordinal() // days, _bands(bag, kecamatan)
    return Sketch(bag, *([_key(near, band, value) for band, value in enumerate(bands)] for near in (period, period - 1)))


def find(connection: Connection, drawn: Sketch, moment: dt.datetime, days: int) -> Likeness:
    """Find the group that a new complaint belongs to.

    Two that arrive in the same instant may miss each other: both then stand alone, and nothing is lost but the link.
    """
    if not drawn.keys:
        return Likeness()
    near = {"first": moment - dt.timedelta(days=days), "last": moment + dt.timedelta(days=days)}
    holders = _HOLDERS.rows(connection, dict(zip(_WANTED, (*drawn.keys, *drawn.keys_before), strict=True)))
    found: Sequence[tuple[Any, ...]] = ()
    if holders:
        newest = sorted({number for _, number in holders}, reverse=True)[:LOOKED_AT]
        found = _TEXTS.rows(connection, dict(zip_longest(_LOOKED_AT, newest, fillvalue=newest[0])) | near)
    seen = {number for number, *_ in found}
    had = {band for band, number in holders if number in seen}
    alike = [(_jaccard(drawn.words, words(title, text)), similar_to or number) for number, similar_to, title, text in found]
    best = max(alike, default=(0.0, 0))
    return Likeness(int(best[1]) if best[0] >= ALIKE else None, [key for key in drawn.keys if key not in had])


# Two questions, each by its own index and planned anew: joined, or by a plan from the time when there were few, PostgreSQL would
# walk over all complaints of the period for every new one.
_WANTED = [f"key_{number}" for number in range(2 * BANDS)]
_HOLDERS = Statement(
    select(sketch.c.band, sketch.c.complaint_id).where(sketch.c.band.in_([bindparam(name) for name in _WANTED])), growing=True
)
_LOOKED_AT = [f"number_{number}" for number in range(LOOKED_AT)]
_TEXTS = Statement(
    select(complaint.c.id, complaint.c.similar_to, complaint.c.title, complaint.c.text).where(
        complaint.c.id.in_([bindparam(name) for name in _LOOKED_AT]),
        complaint.c.received_at.between(bindparam("first", type_=UtcDateTime), bindparam("last", type_=UtcDateTime)),
    ),
    growing=True,
)


def _bands(bag: frozenset[str], kecamatan: str) -> Sequence[int]:
    hashes = np.fromiter(map(zlib.crc32, map(str.encode, bag)), dtype=np.uint64, count=len(bag))
    # Factors are under 2^29 and hashes under 2^32, so the product fits its 64 bits.
    least = ((_FACTORS * hashes + _OFFSETS) % _PRIME).min(axis=1).reshape(BANDS, ROWS)
    # An unknown place is near to other unknown ones alone: near to all, it would join complaints that lie far apart.
    place = zlib.crc32(kecamatan.lower().encode())
    return [zlib.crc32(row.tobytes(), place) for row in least]


def _key(period: int, band: int, value: int) -> str:
    return f"{period:x}.{band}.{value:08x}"


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
