"""Champion and challenger on the same rows, which neither has seen: what changed, for better and worse, and a verdict with reasons.

A challenger passes the gate where
* it is not worse over all (95 % interval of the paired difference), neither on the verdicts nor, where a blind audit allows to
  estimate it, on all complaints that came,
* no agency with at least MIN_AGENCY rows loses more than MAX_LOSS of its accuracy beyond chance,
* the promise about automatic routings is kept, and
* it sends at most MAX_LESS fewer complaints automatically, as a share of all, than a champion that keeps its own promise.
Nothing is written here. Automatic routings have a verdict only where the blind audit drew them, so each of those counts for
several (`data.stands_for`).

"Beyond chance", because MAX_LOSS of MIN_AGENCY rows is one and a half complaints: the bare threshold would hold back 44 to 98 % of
challengers that are exactly as good (twenty agencies, 4 to 20 % of the answers changed). So each agency's changed rows go through
an exact one-sided sign test, with Holm's correction (1979) over agencies, without those that have too few changed rows to be ever
significant (Tarone 1990). That holds back 2 to 9 % of equals and finds a true loss of 15 points of 60 rows in 45 to 86 % of cases
(`tests/benchmarks/gate.py`). A loss above MAX_LOSS that chance explains is a warning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from model.complaint import Complaint
from model.labelled import LabelledComplaint
from model.ledger import Verdict
from model.privacy import mask
from model.router import Router
from model.routing import Decision, Routing
from training import figures, slices
from training.data import stands_for
from training.dataset import testable
from training.evaluate import Answers, route
from training.seen import Seen

Array = NDArray[Any]

MIN_ROWS = 100
"""Fewer rows than this decide nothing."""
MAX_WIDTH = 0.10
"""An interval of the difference that is wider than this, and does not show it to be better, decides nothing either."""
MIN_AGENCY = 30
MAX_LOSS = 0.05
"""An agency with at least MIN_AGENCY rows may lose this much of its accuracy; more where chance explains it, with a warning."""
MAX_LESS = 0.05
"""A challenger may send this much less automatically, as a share of all complaints; more would be noticed at once."""
CHANCE = 0.2
"""Family-wise error rate of the tests by agency: at most this share of equally good challengers is held back by them."""
RESAMPLES = 10_000
MOVED_WORDS = 5
MAX_TOLD = 8
"""Reasons that the ledger's line tells; `reasons` has them all."""

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models' answers to the same rows. `better` and `worse` count the rows that one alone of the two gets right.

    `interval` is of `difference` (challenger less champion), 95 %, by bootstrap; `p_value` is McNemar's, exact and two-sided.
    """

    rows: int
    champion: float
    challenger: float
    better: int
    worse: int
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """Accuracy gained; below zero where it was lost."""
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the rows: all of one agency, month, channel ..."""

    kind: str
    name: str
    paired: Paired


@dataclass(frozen=True, slots=True)
class Automatic:
    """What a model would have sent by itself, and how much of that is wrong.

    `cases` is the effective sample size of the error: below `sent` where some rows represent many.
    """

    sent: int
    wrong: int
    coverage: float
    error: float
    error_interval: tuple[float, float]
    cases: int

    def breaks(self, target_error: float, confidence: float) -> bool:
        """Tell whether so many wrong are beyond chance, at `confidence`, if only `target_error` of what is sent goes wrong."""
        return figures.kept(self.error, self.cases, target_error, confidence) is False


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
    verdict, reasons, warnings = judge(overall, agencies, automatic, *promised, _more_sent(*both), traffic)
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


def pair(before: Array, after: Array, rng: np.random.Generator) -> Paired:
    """Compare (rows,) right or wrong of two models. Resampling rows is drawing how many are better, worse and the same."""
    rows, better, worse = len(before), int((~before & after).sum()), int((before & ~after).sum())
    if not rows:
        return Paired(0, 0.0, 0.0, 0, 0, (-1.0, 1.0), 1.0)
    drawn = rng.multinomial(rows, [better / rows, worse / rows, (rows - better - worse) / rows], RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / rows, [0.025, 0.975])
    p_value = float(binomtest(better, better + worse).pvalue) if better + worse else 1.0
    return Paired(rows, float(before.mean()), float(after.mean()), better, worse, (float(low), float(high)), p_value)


def judge(
    overall: Paired,
    agencies: Sequence[Slice],
    automatic: tuple[Automatic, Automatic],
    target_error: float,
    confidence: float,
    more_sent: tuple[float, float] = (0.0, 0.0),
    traffic: tuple[float, float] | None = None,
) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    """Put the gate to the figures: a verdict, its reasons, and warnings.

    `more_sent`: how much more the challenger sends by itself, as a share of all, and the highest that chance would explain.
    `traffic`: the difference in accuracy of all that came, not of the verdicts alone, and the highest that chance would explain.
    A broken promise is a warning only where the champion breaks it no less: to keep that one live would help nobody.
    """
    low, high = overall.interval
    gained = f"{overall.difference:+.1%} [{low:+.1%}, {high:+.1%}]"
    objections = []
    if overall.rows and high < 0:
        objections.append(f"worse over all: {gained}")
    if traffic and traffic[1] < 0 <= high:
        objections.append(f"worse of all that came, by what the audit tells of what went out by itself: {traffic[0]:+.1%}")
    counted = [item for item in agencies if item.paired.rows >= MIN_AGENCY]
    explained: tuple[str, ...] = ()
    for item, beyond in zip(counted, beyond_chance([item.paired for item in counted]), strict=True):
        if item.paired.worse - item.paired.better > MAX_LOSS * item.paired.rows:
            loss = f"{item.name} loses {-item.paired.difference:.1%} of {item.paired.rows}"
            if beyond:
                objections.append(f"{loss}, beyond chance")
            else:
                explained += (f"{loss}, which chance explains",)
    warnings = explained
    before, after = automatic
    kept_before, kept = (not auto.breaks(target_error, confidence) for auto in automatic)
    if kept and kept_before and more_sent[1] < 0 and more_sent[0] < -MAX_LESS:
        objections.append(f"sends {after.coverage:.1%} of all by itself where the champion sends {before.coverage:.1%}")
    if not kept:
        too_many = f"{after.wrong} of {after.sent} sent by itself are wrong ({after.error:.1%}, champion {before.error:.1%})"
        broken = f"the promise of {target_error:.1%} is broken: {too_many}"
        if not kept_before and after.error <= before.error:
            warnings += (broken,)
        else:
            objections.append(broken)
    if objections:
        return Verdict.HOLD, tuple(objections), warnings
    if overall.rows < MIN_ROWS:
        few = f"only {overall.rows} complaints that neither has seen; {MIN_ROWS} are needed"
        return Verdict.NOT_ENOUGH_DATA, (few,), warnings
    if low <= 0 and high - low > MAX_WIDTH:
        return Verdict.NOT_ENOUGH_DATA, (f"the difference is uncertain: {gained}",), warnings
    reasons = (
        f"{'better' if low > 0 else 'not worse'} over all: {gained}",
        f"none of {len(counted)} agencies with {MIN_AGENCY} complaints or more loses more than {MAX_LOSS:.0%}"
        + (f" beyond chance; {len(explained)} within it: {', '.join(explained)}" if explained else ""),
        f"{after.wrong} of {after.sent} sent by itself are wrong: "
        + (f"the promise of {target_error:.1%} is not broken" if kept else "too many, but no more than the champion's"),
    )
    return Verdict.PROMOTE, reasons, warnings


def beyond_chance(agencies: Sequence[Paired], chance: float = CHANCE) -> list[bool]:
    """Tell of each agency whether it gets worse by more than chance explains.

    If no agency really got worse, one is named with probability `chance` at most. By the exact one-sided sign test of the rows
    that changed, Holm's step-down correction, and Tarone's screening: a test whose least p-value is too large to count is no test.
    """
    better, worse = (np.array([getattr(paired, name) for paired in agencies], dtype=int) for name in ("better", "worse"))
    p_values = binom.sf(worse - 1, better + worse, 0.5)
    least = 0.5 ** (better + worse)
    tests = next((k for k in range(1, len(agencies) + 1) if np.sum(least <= chance / k) <= k), 1)
    screened = np.flatnonzero(least <= chance / tests)
    order = screened[np.argsort(p_values[screened], kind="stable")]
    passed = p_values[order] <= chance / np.arange(len(order), 0, -1)
    found = np.zeros(len(agencies), dtype=bool)
    found[order[: len(order) if passed.all() else int(np.argmin(passed))]] = True
    return [bool(one) for one in found]


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
        text=_one_line(mask(f"{row.title} {row.text}")) if texts else "",
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
    shown = {name: mask(text).casefold() for name, text in fields.items()}
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
