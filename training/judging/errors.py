"""The complaints behind the figures: which went astray, how sure the model was, and the words that led it."""

from __future__ import annotations

from model.routing import Routing
from training.judging.evaluate import Answers
from training.measures.tables import Table, percent

MAX_TEXT = 200
WORDS = 5


def mistakes(answers: Answers, truth: str = "", said: str = "", most: int = 8) -> Table:
    """List wrong answers, the surest first; of those that belonged to `truth` and went to `said`, where these are given."""
    wrong = [
        (routing, row)
        for routing, row, right in zip(answers.routings, answers.rows, answers.right, strict=True)
        if not right and truth in ("", row.agency) and said in ("", routing.candidates[0].agency)
    ]
    wrong.sort(key=lambda pair: (-pair[0].candidates[0].probability, pair[1].id))
    lines = [
        (
            _shortened(f"{row.title}. {row.text}" if row.title else row.text),
            row.agency,
            routing.candidates[0].agency,
            leading_words(routing),
            percent(routing.candidates[0].probability, 0),
        )
        for routing, row in wrong[:most]
    ]
    return Table(("complaint", "belonged to", "went to", "words that led there", "so sure"), lines, words=4)


def leading_words(routing: Routing) -> str:
    """Name the words that spoke most for the first candidate against the second, strongest first."""
    spoke = sorted((found for found in routing.evidence if found.margin > 0), key=lambda found: (-found.margin, found.word))
    return ", ".join(list(dict.fromkeys(found.word for found in spoke))[:WORDS])


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"
