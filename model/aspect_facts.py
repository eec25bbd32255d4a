"""Facts of a complaint that no feature says, as numbers: is a place named, does it ask, which cues stand near each other.

The heads of `model.aspects` weigh them beside the scorer's columns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.complaint import Complaint
from model.cues import GROUPS, NUMBER_OF, Cues, longer_cues
from model.place import ResolvedPlace
from model.routing import FoundPlace
from model.text import Word

Floats = NDArray[np.floating[Any]]

NEAR = (("demand", "money", 5), ("official", "money", 8), ("official", "demand", 5), ("official", "misuse", 6))
"""Groups that say more together than apart, and within how many words."""
FACTS = (
    *GROUPS,
    *(f"{one} near {other}" for one, other, _ in NEAR),
    "wants first",
    "wishes first",
    "praises alone",
    "asks first",
    "asks last",
    "question marks",
    "ends with a question",
    "exclamation marks",
    "numbers",
    "title",
    "words",
    "under 14 words",
    "form has kecamatan",
    "form has desa",
    "text names kecamatan or desa",
    "text names road",
    "text names spot",
    "text says here",
    "kecamatan known",
    "desa known",
    "no place",
    "no place in text",
    "agency sure",
)
"""Names of the facts, in the order of `measure`. A group's fact is the logarithm of how many of its cues there are."""
OPENING = 6
"""Words within which thanks are the matter; further behind they are how any complaint ends."""

_SPOT, _ADDRESS, _ASK, _INFORM, _WANT, _WISH, _PRAISE, _THANKS = map(
    NUMBER_OF.__getitem__, ("spot", "address", "ask", "inform", "want", "wish", "praise", "thanks")
)
_GOES_ON = tuple(map(NUMBER_OF.__getitem__, ("but", "want", "ask", "inform")))
"""Groups that mere praise has no cue of: who thanks, and then says what is still wrong or asks for more, complains."""
_PARTNERS = tuple(
    tuple(
        (NUMBER_OF[other if group == one else one], pair, width)
        for pair, (one, other, width) in enumerate(NEAR)
        if group in (one, other)
    )
    for group in GROUPS
)
"""For each group the groups it says more with, the pair's number, and the width."""
_FORM = attrgetter("text", "stem")
_DIGIT = re.compile(r"\d")
_LOGS = tuple(math.log1p(count) for count in range(16))


class Case(NamedTuple):
    """A complaint as the router knows it when it asks for the aspects.

    `probabilities` (agencies,) are the classifier's, in the order of the scorer's agencies.
    """

    complaint: Complaint
    words: Sequence[Word]
    found: Sequence[FoundPlace]
    place: ResolvedPlace
    probabilities: Floats


def measure(cues: Cues, case: Case) -> list[float]:
    """Answer the facts as numbers, in the order of FACTS: all bounded, all finite; True is 1.

    A cue matches words as written or by their stems. Time grows with the number of words alone.
    """
    words, complaint = case.words, case.complaint
    size = len(words)
    of_word, partners, spot = cues.of_word, _PARTNERS, _SPOT
    counts = [0] * len(GROUPS)
    last = [-size - 100] * len(GROUPS)  # no cue yet: far from every word, as in `first`
    near = [0.0] * len(NEAR)
    first = [size + 100] * len(GROUPS)
    named = here = 0
    meanings = list(map(of_word.__getitem__, map(_FORM, words)))
    for at, (groups, behind) in compress(enumerate(meanings), meanings):  # type: ignore[misc]  # which leaves no None
        if behind and at + 1 < size and ((following := words[at + 1])[0] in behind or following[1] in behind):
            groups += longer_cues(words, at, behind)
        for group in groups:
            if last[group] == at:
                continue
            if not counts[group]:
                first[group] = at
            last[group] = at
            counts[group] += 1
            for other, pair, width in partners[group]:
                if at - last[other] <= width:
                    near[pair] = 1.0
            if group >= spot:
                naming = _names(words, at, complaint, cues.here, group == _ADDRESS)
                named += naming > 0
                here += naming < 0
    kinds = {place.kind for place in case.found}
    (_, title), (_, content) = complaint.fields
    marks = f"{title} {content}"
    end = words[-1].end + (len(title) + 1 if words[-1].field == "text" else 0) if words else 0
    tail = marks[end:]
    is_placed = bool(kinds) or named > 0
    return [
        *[_LOGS[count] if count < 16 else _LOGS[15] for count in counts],
        *near,
        first[_WANT] < 2,
        first[_WISH] < 3,
        (counts[_PRAISE] > 0 or first[_THANKS] < OPENING) and not any(counts[group] for group in _GOES_ON),
        first[_ASK] < 4 or first[_INFORM] < 4,
        size > 0 and (last[_ASK] >= size - 5 or last[_INFORM] >= size - 5),
        min(marks.count("?"), 3) / 2,
        # A question ends with its last word: "kapan? 🙏" is one too, but not what a link has in it.
        "?" in tail and any("?" in piece and not any(map(str.isalnum, piece)) for piece in tail.split()),
        min(marks.count("!"), 3) / 2,
        _DIGIT.search(marks) is not None,
        title != "",
        math.log1p(size) / 3,
        size < 14,
        complaint.kecamatan != "",
        complaint.desa != "",
        "desa" in kinds or "kecamatan" in kinds,
        "road" in kinds,
        named > 0,
        here > 0,
        case.place.kecamatan != "",
        case.place.desa != "",
        not is_placed and complaint.desa == "",
        not is_placed,
        float(case.probabilities.max(initial=0.0)),
    ]


def _names(words: Sequence[Word], at: int, complaint: Complaint, here: frozenset[str], whatever: bool) -> int:
    """Tell whether a word such as "gang" has a name or number behind it: 1; or only such as "kami": -1; 0 if neither.

    `whatever`: any word behind it is taken for a name ("gang mawar"); else it must be a number or begin with a capital.
    """
    _, _, field, _, end, _, _ = words[at]
    content = complaint.title if field == "title" else complaint.text
    if content[end - 1].isdigit():
        return 1  # "RT05" is one word
    if at + 1 == len(words) or words[at + 1].first:
        return 0
    text, _, _, start, _, _, _ = words[at + 1]
    if text in here:
        return -1
    # Where the word before is in capitals too, they say nothing: the whole text is.
    return int(whatever or text[0].isdigit() or (content[start].isupper() and not content[end - 1].isupper()))
