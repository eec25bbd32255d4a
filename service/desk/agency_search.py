"""Find an agency as an officer thinks of it: by its name, by what people call it, or by what it looks after."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from model.register import Agency, Register

LIMIT = 8
MAX_QUERY = 100
MIN_INSIDE = 5
"""Letters of a word that is also looked for inside of others."""
_SPLIT = re.compile(r"[;,.]")
_NOT_THEIRS = re.compile(r"\s*bukan\b", re.IGNORECASE)
"""The register also says what an agency does not look after: "Bukan SMA/SMK/SLB"."""


@dataclass(frozen=True, slots=True)
class Found:
    """An agency that answers a search; `because` is the alias or the matter that was hit, empty where the name says it all.

    `unit` is the office of a family that was named, as in "Kecamatan Bengalon".
    """

    agency: Agency
    because: str = ""
    unit: str = ""


def search(register: Register, query: str, day: str = "", limit: int = LIMIT) -> Sequence[Found]:
    """Answer the agencies active on an ISO day that have every word of the query, the best hit first.

    An alias as it stands beats a name that begins so, a name beats a matter. Words may be cut short: "kebers" finds "kebersihan",
    and, last of all, "kominfo" finds "Diskominfo".
    """
    words = _words(query[:MAX_QUERY])
    if not words:
        return []
    hits = []
    for place, agency in enumerate(register.agencies):
        hit = _hit(agency, words) if agency.active_on(day) else None
        if hit:
            hits.append((-hit[0], place, Found(agency, hit[1])))
    return [found for _, _, found in sorted(hits, key=lambda item: item[:2])[:limit]]


def offices(register: Register, query: str, day: str = "") -> Sequence[Found]:
    """Answer the offices of families that have every word of the query in their name, the family's and the unit's together."""
    words = _words(query[:MAX_QUERY])
    families = [agency for agency in register.agencies if agency.per and agency.active_on(day)] if words else []
    named = [
        (_words(" ".join((agency.bare_name, *agency.aliases))), Found(agency, unit=unit))
        for agency in families
        for unit in sorted(register.units(agency.per))
    ]
    # The family's name alone asks for no office in particular.
    return [one for family, one in named if not _has(family, words) and _has((*family, *_words(one.unit)), words)][:LIMIT]


def _hit(agency: Agency, words: Sequence[str]) -> tuple[int, str] | None:
    called = [(name, _words(name)) for name in (agency.id.replace("-", " "), *agency.aliases)]
    exact = next((name for name, parts in called if list(parts) == list(words)), None)
    if exact is not None:
        return 5, exact if exact in agency.aliases else ""
    named = _words(agency.name)
    if list(named[: len(words)]) == list(words):
        return 4, ""
    if _has(named, words):
        return 3, ""
    alias = next((name for name, parts in called if _has(parts, words)), None)
    if alias is not None:
        return 2, alias if alias in agency.aliases else ""
    matters = [part.strip() for part in _SPLIT.split(agency.matters) if part.strip() and not _NOT_THEIRS.match(part)]
    if _has((*named, *_words(" ".join((*agency.aliases, *matters)))), words):
        return 1, next((part for part in matters if _has(_words(part), words[:1])), "")
    names = [part for _, parts in called for part in parts]
    if all(len(word) >= MIN_INSIDE and any(word in part for part in names) for word in words):
        return 0, ""
    return None


def _has(parts: Sequence[str], words: Sequence[str]) -> bool:
    return all(any(part.startswith(word) for part in parts) for word in words)


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", text).casefold()))
