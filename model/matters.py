"""Whether a complaint holds matters of several agencies: read alone, one of its sentences is surely another agency's.

Sent to one agency by itself, such a complaint would lose the other's matter. Take two complaints of different agencies, each sure
enough to go out by itself, and make one text of them: in a quarter of cases it would still go out, as one of the two outweighs the
other (`tests/benchmarks/matters.py`).
"""

from __future__ import annotations

from model.reader import Reading
from model.scorer import Scorer, Scores
from model.text import sentences

SURE = 0.95
"""Probability from which a sentence alone is another agency's. Both limits were chosen on Surabaya from August to October 2022."""
MIN_KNOWN = 4
"""Words of a sentence that the model must know: fewer, "di depan puskesmas", say where something is."""


def several(reading: Reading, scorer: Scorer, scores: Scores) -> bool:
    """Tell whether a sentence of a complaint with these scores is surely another agency's than the whole is."""
    starts = sentences(reading.matter, reading.complaint)
    if len(starts) < 2:
        return False
    best, likely, known = scorer.parts(scores, starts)
    elsewhere = best != scores.probabilities.argmax()
    return bool((elsewhere & (likely >= SURE) & (known >= MIN_KNOWN)).any())
