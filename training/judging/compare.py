"""Champion and challenger on the same rows, which neither has seen: what changed, for better and worse, and a verdict with reasons.

`judging.gate` gives the verdict. Of automatic routings only those are among the rows that the blind audit drew, so each of these
counts for several (`data.stands_for`). Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.complaint import Complaint
from model.labelled import LabelledComplaint
from model.ledger import Verdict
from model.privacy import mask
from model.router import Router
from model.routing import Decision, Routing
from training.judging.evaluate import Answers, route
from training.judging.gate import Automatic, Paired, Slice, decide, pair
from training.measures import figures, slices
from training.rows.data import stands_for
from training.rows.dataset import testable
from training.rows.seen import Seen

Array = NDArray[Any]

MOVED_WORDS = 5
MAX_TOLD = 8
"""Reasons that the ledger's line tells; `reasons` has them all."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Change:
    """A complaint that one model alone gets right. `words` drew the challenger to its answer, the strongest first."""

    id: str
    received_at: str
    agency: str
    champion: str
    challenger: str
    words: tuple[tuple[str, float], ...]
    rules: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class Comparison:
    """What comparing two models came to."""

    champion: str
    challenger: str
    verdict: Verdict
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    overall: Paired
    agencies: Sequence[Slice]
    slices: Sequence[Slice]
    target_error: float
    automatic: tuple[Automatic, Automatic]
    gained: Sequence[Change]
    lost: Sequence[Change]

    @property
    def why(self) -> str:
        """The first reasons in one line, for the ledger."""
        more = [f"and {len(self.reasons) - MAX_TOLD} more"] if len(self.reasons) > MAX_TOLD else []
        return "; ".join([*self.reasons[:MAX_TOLD], *more])

    @property
    def words(self) -> Sequence[tuple[str, float]]:
        """The words that moved most over all changed complaints, either way."""
        moved: dict[str, float] = defaultdict(float)
        for change in (*self.gained, *self.lost):
            for word, weight in change.words:
                moved[word] += weight
        return _strongest(moved, 20)

    @property
    def summary(self) -> dict[str, Any]:
        """The figures that the ledger keeps."""
        before, after = self.automatic
        return {
            "verdict": str(self.verdict),
            "rows": self.overall.rows,
            "accuracy": [self.overall.champion, self.overall.challenger],
            "difference": self.overall.difference,
            "interval": list(self.overall.interval),
            "p_value": self.overall.p_value,
            "coverage": [before.coverage, after.coverage],
            "error": [before.error, after.error],
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            **self.summary,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "better": self.overall.better,
            "worse": self.overall.worse,
            "target_error": self.target_error,
            "automatic": {"champion": asdict(self.automatic[0]), "challenger": asdict(self.automatic[1])},
            "per_agency": {item.name: _plain(item.paired) for item in self.agencies},
            "slices": [{"kind": item.kind, "name": item.name, **_plain(item.paired)} for item in self.slices],
            "words": [list(item) for item in self.words],
            "gained": [asdict(change) for change in self.gained],
            "lost": [asdict(change) for change in self.lost],
        }

    def __str__(self) -> str:
        """Lay it out as tables."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"champion {self.champion}, challenger {self.challenger}: {self.verdict}"
        yield from (f"  because {reason}" for reason in self.reasons)
        yield from (f"  warning: {warning}" for warning in self.warnings)
        yield from (f"  note: {note}" for note in self.notes)
        one, (low, high) = self.overall, self.overall.interval
        yield ""
        yield f"{one.rows:,} complaints: {one.champion:.1%}, then {one.challenger:.1%}"
        yield f"  {one.difference:+.1%} [{low:+.1%}, {high:+.1%}], McNemar p = {one.p_value:.3g}"
        yield f"  {one.better} right that were wrong, {one.worse} wrong that were right"
        for name, auto in zip(("champion", "challenger"), self.automatic, strict=True):
            low, high = auto.error_interval
            wrong = f"{auto.wrong} of {auto.sent} wrong: {auto.error:.1%} [{low:.1%}, {high:.1%}]"
            sent = f"sends {auto.coverage:.1%} by itself, {wrong}"
            yield f"  {name:<10} {sent}; at most {self.target_error:.1%} promised"
        for title, items in (("agency", self.agencies), ("slice", self.slices)):
            yield ""
            yield f"{title:<40} {'rows':>6} {'champion':>9} {'challenger':>10} {'change':>7} {'better':>6} {'worse':>6}"
            for item in items:
                paired = item.paired
                if title == "agency" or paired.rows >= slices.MIN_SHOWN:
                    name = item.name if title == "agency" else f"{item.kind}: {item.name}"
                    shares = f"{paired.champion:>9.1%} {paired.challenger:>10.1%} {paired.difference:>+7.1%}"
                    yield f"{name[:40]:<40} {paired.rows:>6} {shares} {paired.better:>6} {paired.worse:>6}"
        for title, changes in (("right only now", self.gained), ("wrong only now", self.lost)):
            yield ""
            yield f"{title}: {len(changes)}" + (", the first 20" if len(changes) > 20 else "")
            for change in changes[:20]:
                moved = ", ".join(word for word, _ in change.words) or ", ".join(change.rules)
                yield f"  {change.id[:20]:<20} {change.champion} -> {change.challenger} (is {change.agency}): {moved}"
                if change.text:
                    yield f"    {change.text}"
        if self.words:
            yield ""
            yield "words that moved most: " + ", ".join(word for word, _ in self.words)


def compare(
    champion: Router,
    challenger: Router,
    rows: Sequence[LabelledComplaint],
    *,
    seen: Mapping[str, Seen | None] | None = None,
    today: str = "",
    texts: bool = False,
    say: Say = lambda _: None,
) -> Comparison:
    """Compare two models on rows. Rows whose text either was trained on (`seen`, by version) are left out, and that is noted.

    Agencies that ended before `today` count as their successors, in answers as in labels. With `texts`, changed complaints come
    with their text, masked.
    """
    kept, notes = _unseen(testable(rows), seen or {}, (champion.version, challenger.version))
    say(f"routing {len(kept):,} complaints twice")
    now = _successors(challenger, today)
    truth = [now(row.agency) for row in kept]
    both = (route(champion, kept), route(challenger, kept))
    before, after = ([now(said) for said in answers.said] for answers in both)
    right_before, right_after = (
        np.array([a == b for a, b in zip(truth, said, strict=True)], dtype=bool) for said in (before, after)
    )
    rng = np.random.default_rng(0)
    overall = pair(right_before, right_after, rng)
    agencies = list(_sliced("agency", truth, right_before, right_after, rng))
    named = slices.kinds(kept, [routing.kecamatan for routing in both[1].routings])
    parts = [item for kind, names in named.items() for item in _sliced(kind, names, right_before, right_after, rng)]
    automatic = (_automatic(both[0], right_before), _automatic(both[1], right_after))
    promised = (challenger.policy.target_error, challenger.policy.confidence)
    audited = bool((stands_for(kept) != 1).any())  # else the verdicts are all that came, and `overall` says it
    traffic = _of_traffic(kept, right_after.astype(float) - right_before) if audited else None
    verdict, reasons, warnings = decide(overall, agencies, automatic, *promised, _more_sent(*both), traffic)
    say("what changed")
    changes = {
        n: _change(
            champion, challenger, kept[n], (both[0].routings[n], both[1].routings[n]), (truth[n], before[n], after[n]), texts=texts
        )
        for n in np.flatnonzero(right_before != right_after).tolist()
    }
    return Comparison(
        champion=champion.version,
        challenger=challenger.version,
        verdict=verdict,
        reasons=reasons,
        warnings=warnings,
        notes=notes,
        overall=overall,
        agencies=agencies,
        slices=parts,
        target_error=challenger.policy.target_error,
        automatic=automatic,
        gained=[change for n, change in changes.items() if right_after[n]],
        lost=[change for n, change in changes.items() if right_before[n]],
    )


def _unseen(
    rows: Sequence[LabelledComplaint], seen: Mapping[str, Seen | None], versions: Sequence[str]
) -> tuple[list[LabelledComplaint], tuple[str, ...]]:
    notes = []
    kept = list(rows)
    for version in dict.fromkeys(versions):
        known = seen.get(version)
        if known is None:
            notes.append(f"{version} does not say what it was trained on: it may have seen some of these complaints")
            continue
        new = [row for row in kept if row not in known]
        if len(new) < len(kept):
            notes.append(f"{len(kept) - len(new):,} complaints that {version} was trained on are left out")
        kept = new
        early = sum(bool(row.received_at) and row.received_at[:10] <= known.until for row in kept)
        if early:
            notes.append(f"{early:,} complaints are no newer than what {version} was trained on: this is no test of the future")
    return kept, tuple(notes)


def _successors(challenger: Router, today: str) -> Callable[[str], str]:
    register = challenger.register
    return lambda agency: register.current(agency, today) if agency in register.by_id else agency


def _sliced(kind: str, values: Sequence[str], before: Array, after: Array, rng: np.random.Generator) -> Iterator[Slice]:
    names = np.array(values)
    for name in sorted(set(values)):
        of_slice = names == name
        yield Slice(kind, name, pair(before[of_slice], after[of_slice], rng))


def _sent(answers: Answers) -> Array:
    return np.array([routing.decision is Decision.AUTO for routing in answers.routings], dtype=bool)


def _automatic(answers: Answers, right: Array) -> Automatic:
    found = figures.automatic(_sent(answers), right, 0.0, 0.0, stands_for(answers.rows))
    return Automatic(**{field.name: found[field.name] for field in fields(Automatic)})


def _more_sent(before: Answers, after: Answers) -> tuple[float, float]:
    """Answer how much more of all complaints is sent, and the upper end of its 95 % interval."""
    return _of_traffic(after.rows, _sent(after).astype(float) - _sent(before))


def _of_traffic(rows: Sequence[LabelledComplaint], gained: Array) -> tuple[float, float]:
    """Answer the mean of (rows,) `gained` over all that came, and the upper end of its 95 % interval (a ratio's, linearised)."""
    each = stands_for(rows)
    if not len(each):
        return 0.0, 0.0
    mean = float(each @ gained / each.sum())
    return mean, mean + 1.96 * float(np.sqrt(np.sum((each * (gained - mean)) ** 2)) / each.sum())


def _change(
    champion: Router,
    challenger: Router,
    row: LabelledComplaint,
    routings: tuple[Routing, Routing],
    agencies: tuple[str, str, str],
    *,
    texts: bool,
) -> Change:
    truth, before, after = agencies
    rules = [{rule.id for rule in routing.rules} for routing in routings]
    said = [routing.candidates[0].agency for routing in routings]
    return Change(
        id=row.id,
        received_at=row.received_at,
        agency=truth,
        champion=before,
        challenger=after,
        words=moved_words(champion, challenger, row.complaint, said[0], said[1]),
        rules=tuple(sorted(rules[0] ^ rules[1])),
        text=_one_line(mask(f"{row.title} {row.text}", challenger.register.namesakes)) if texts else "",
    )


def _one_line(text: str) -> str:
    """Write a text for a terminal: a control character in it would be obeyed there, whoever wrote the complaint."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def moved_words(champion: Router, challenger: Router, complaint: Complaint, old: str, new: str) -> tuple[tuple[str, float], ...]:
    """Find the words that speak more for `new` against `old` in the challenger than in the champion, in log-odds; most first.

    Empty where one of the models does not know both agencies. Words that masking takes away are left out.
    """
    moved: dict[tuple[str, int, int], float] = defaultdict(float)
    for router, sign in ((champion, -1), (challenger, 1)):
        if not {old, new} <= set(router.scorer.agencies):
            return ()
        words = router.reader.read(complaint).matter
        for found in router.scorer.evidence(words, router.scorer.scores(words), new, old):
            moved[found.span.field, found.span.start, found.span.end] += sign * found.margin
    fields = dict(complaint.fields)
    shown = {name: mask(text, challenger.register.namesakes).casefold() for name, text in fields.items()}
    by_word: dict[str, float] = defaultdict(float)
    for (field, start, end), weight in moved.items():
        written = fields[field][start:end].casefold()
        if weight > 0 and written in shown[field]:
            by_word[written] += weight
    return _strongest(by_word, MOVED_WORDS)


def _strongest(weights: Mapping[str, float], most: int) -> tuple[tuple[str, float], ...]:
    best = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:most]
    return tuple((word, round(weight, 3)) for word, weight in best)


def _plain(paired: Paired) -> dict[str, Any]:
    return asdict(paired) | {"difference": paired.difference}
