"""Complaints about the same matter, near in time and place: found by MinHash over their words, and told by comparing those.

A sketch holds a few band keys; two texts that share most of their words share a key almost surely (Jaccard 0.7: 81 %; 0.85: 98 %),
unrelated ones hardly ever (0.1: 0.06 %). Keys carry the period they were made in, so that a lookup never meets the whole past.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select

from service.tables import UtcDateTime, complaint, sketch, standing

BANDS = 6
ROWS = 4
ALIKE = 0.5
"""Share of common words from which two complaints are one matter."""
MIN_WORDS = 5
"""Distinct words below which a text says too little to be compared."""
MAX_WORDS = 400
LOOKED_AT = 50
_WORD = re.compile(r"[^\W_]{3,}")
_PRIME = np.uint64(4_294_967_291)  # the greatest under 2^32, so that products wrap around it many times
_random = np.random.default_rng(20_261_124)
_FACTORS = _random.integers(1, 1 << 29, size=(BANDS * ROWS, 1), dtype=np.uint64)
_OFFSETS = _random.integers(0, 1 << 29, size=(BANDS * ROWS, 1), dtype=np.uint64)


def words(title: str, text: str) -> frozenset[str]:
    """Distinct words of a complaint, the first MAX_WORDS of them."""
    found = dict.fromkeys(match[0] for match in _WORD.finditer(f"{title} {text}".lower()))
    return frozenset(list(found)[:MAX_WORDS])


def keys(bag: frozenset[str], moment: dt.datetime, days: int) -> Sequence[str]:
    """Band keys of a bag of words in the period of a moment; none where it says too little."""
    if days <= 0 or len(bag) < MIN_WORDS:
        return ()
    period = moment.toordinal() // days
    return [_key(period, band, value) for band, value in enumerate(_bands(bag))]


def find(connection: Connection, bag: frozenset[str], moment: dt.datetime, days: int, kecamatan: str) -> int | None:
    """Find the number of the first complaint of the group that a new one belongs to.

    Two that arrive in the same instant may miss each other: both then stand alone, and nothing is lost but the link.
    """
    if days <= 0 or len(bag) < MIN_WORDS:
        return None
    period = moment.toordinal() // days
    wanted = [_key(near, band, value) for band, value in enumerate(_bands(bag)) for near in (period - 1, period)]
    shared = connection.execute(_SHARED, {"wanted": wanted}).scalars().all()
    if not shared:
        return None
    near = {
        "shared": shared,
        "place": kecamatan,
        "first": moment - dt.timedelta(days=days),
        "last": moment + dt.timedelta(days=days),
    }
    candidates = connection.execute(_CANDIDATES, near).all()
    alike = [(_jaccard(bag, words(row.title, row.text)), row.similar_to or row.id) for row in candidates]
    best = max(alike, default=(0.0, 0))
    return int(best[1]) if best[0] >= ALIKE else None


_SHARED = (
    select(sketch.c.complaint_id)
    .where(sketch.c.band.in_(bindparam("wanted", expanding=True)))
    .distinct()
    .order_by(sketch.c.complaint_id.desc())
    .limit(LOOKED_AT)
)
_CANDIDATES = (
    select(complaint.c.id, complaint.c.similar_to, complaint.c.title, complaint.c.text)
    .join(standing, standing.c.complaint_id == complaint.c.id)
    .where(
        complaint.c.id.in_(bindparam("shared", expanding=True)),
        complaint.c.received_at.between(bindparam("first", type_=UtcDateTime), bindparam("last", type_=UtcDateTime)),
        # A place that is not known is near to none but its like: else one such would join what lies far apart.
        standing.c.kecamatan == bindparam("place"),
    )
)


def remember(connection: Connection, complaint_id: int, found: Sequence[str]) -> None:
    """Keep the band keys of a complaint, so that later ones find it."""
    if found:
        connection.execute(insert(sketch), [{"band": band, "complaint_id": complaint_id} for band in found])


def _bands(bag: frozenset[str]) -> Sequence[int]:
    hashes = np.fromiter((zlib.crc32(word.encode()) for word in bag), dtype=np.uint64, count=len(bag))
    # Factors are under 2^29 and hashes under 2^32, so the product fits its 64 bits.
    least = ((_FACTORS * hashes + _OFFSETS) % _PRIME).min(axis=1).reshape(BANDS, ROWS)
    return [zlib.crc32(row.tobytes()) for row in least]


def _key(period: int, band: int, value: int) -> str:
    return f"{period:x}.{band}.{value:08x}"


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
