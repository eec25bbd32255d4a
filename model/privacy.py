"""Mask personal data in a complaint: what it leaves is enough to route it, and no more.

Marks are [NIK] [KK] [NPWP] [NOMOR] [TELEPON] [EMAIL] [PLAT] [REKENING] [NAMA]. [NOMOR] is of a NIP, a card, a passport, a
licence, a customer or a meter, a vehicle's frame, of the house that the reporter lives in, or the day of a birth; [NAMA] an
account of social media too. Streets, desa, RT and RW stay: they decide the unit. So does the number of a house that nobody calls
theirs: a place of the matter. `model.personal_numbers` finds numbers by their shape, `model.personal_names` names behind words
that announce one, and `model.bare_names` those that a lexicon knows; `model.namesakes` keeps places that are called as people
are. Some names stay all the same, as `tests/benchmarks/masking.py` shows: masking is a net with holes, not a proof of anonymity.

Every pattern is linear in the length of the text, and a match costs the same however many there are:
only one run of letters or of blanks behind a cue may repeat without a bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from model import names
from model.namesakes import NONE, Namesakes, show
from model.personal_names import mask_accounts, mask_names
from model.personal_numbers import CUSTOMER_MASKED, mask_houses, mask_numbers

_IDENTIFYING = ("[NIK]", "[KK]", "[NPWP]")
_LETTERS = re.compile(r"[^\W\d_]+")
_MAX_PASSES = 5
"""A mark can free what stood beside it ("Bu Rina Pak Tono"), so passes go on until one changes nothing: two for nearly all."""
_EMAIL = re.compile(r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}")
_MAIL = "gmail|gmai|gmial|ymail|yahoo|hotmail|outlook|icloud|live|rocketmail|protonmail|proton"
_MAIL_WORDS = frozenset(("at", *_MAIL.split("|")))
_DOT = r"(?: ?[.,] ?| ?[(\[{<] ?(?:dot|titik|\.) ?[)\]}>] ?| (?:dot|titik) )"
_EMAIL_SPELLED = re.compile(
    rf"(?i)(?<![\w.+\-])(?:[\w.+\-]{{1,64}} (?:dot|titik|underscore) ){{0,2}}[\w.+\-]{{1,64}}"
    rf"(?: ?[(\[{{<] ?(?:at|et|a|@) ?[)\]}}>] ?[\w\-]{{1,63}}(?:{_DOT}[a-z]{{2,20}}\b){{1,3}}"
    rf"|(?: (?:at|et) | ?@ ?)(?:{_MAIL})\b(?:{_DOT}(?:com|co|id|net|org)\b){{1,3}}| ?@ ?(?:{_MAIL})\b(?: com\b)?)"
)
"""An address as people write it who fear that it is taken: "budi (at) gmail (dot) com"; a bare "at" only before a house of mail."""


_OF_A_PLACE = ("{}", "Jalan rusak di {}, mohon diperbaiki.", "Camat {} tidak ada di tempat.")
"""Where a place's name stands: what masking would take from one of them is called as people are."""


def mask(text: str, namesakes: Namesakes = NONE) -> str:
    """Answer the text with personal data replaced by marks, the names of the region's `namesakes` where they are a place's not.

    Masking twice changes nothing more; no text raises.
    """
    if not text or namesakes.is_one(text):  # most forms leave fields empty
        return text
    for _ in range(_MAX_PASSES):
        seen, hidden = namesakes.hide(text)
        masked = show(_mask_once(seen), hidden)
        if masked == text:
            break
        text = masked
    return text


def namesakes_of(places: Iterable[str]) -> Namesakes:
    """Of the names of a region's places find those that masking would take for people's: most regions have few or none."""
    telling = names.known() | names.announcing().keys()

    def is_one(place: str) -> bool:
        if _said(place).isdisjoint(telling):  # which spares a province its thousands of villages
            return False
        return any(mask(said) != said for said in (form.format(place) for form in _OF_A_PLACE))

    return Namesakes(filter(is_one, places))


def is_identified(masked: str) -> bool:
    """Tell whether a masked text told an office or a company who somebody is: a NIK, KK or NPWP, or a customer's number.

    [NOMOR] alone does not: it may be a day of birth.
    """
    return any(mark in masked for mark in _IDENTIFYING) or CUSTOMER_MASKED.search(masked) is not None


def _mask_once(text: str) -> str:
    if "@" in text:
        text = _EMAIL.sub("[EMAIL]", text)
    said = _said(text)
    if not said.isdisjoint(_MAIL_WORDS):
        text = _EMAIL_SPELLED.sub("[EMAIL]", text)
    text = mask_accounts(text, said)
    text = mask_numbers(text, said)
    text = mask_names(text, said)
    return mask_houses(text, said)


def _said(text: str) -> AbstractSet[str]:
    """Answer the words of a text: a pattern whose words are not among them is not tried, which saves two thirds of the time."""
    return frozenset(_LETTERS.findall(text.lower()))
