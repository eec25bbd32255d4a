"""Whether complaints are still like those that the model knows: class mix, unfamiliar words, live error by week; and rising words.

Every series is a count x of n complaints a week. The sum of the last one, two and four weeks is held against the weeks before by an
exact predictive test: given a baseline, x follows a beta-binomial distribution (Geisser 1993, "Predictive Inference"), whose
concentration also takes up how much more the baseline's weeks vary than chance alone would let them (Williams 1982, "Extra-binomial
variation in logistic linear models"). All tests of a year share one budget of false alarms (Bonferroni): where nothing changes, at
most BUDGET a year are expected, however the tests depend on each other. Pure functions over weekly counts.

Single words come and go with every week's events, so rising ones are listed but raise no alarm.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint
from model.router import Router

BUDGET = 0.7
"""False alarms a year, expected at most, over all series. Counts are whole numbers, so that much fewer come: see the benchmark."""
_RISES, _FALLS, _UNFAMILIAR, _ERROR = 0.7, 0.1, 0.1, 0.1
"""How the budget is shared out: what most wants to be found, an agency's rise, gets most."""
WINDOWS = (1, 2, 4)
"""Weeks that are summed up: a sharp rise shows in one, a slow one in four."""
MEMORY = 52
"""Weeks before a window that make its baseline, at most."""
MIN_BASELINE = 8
MAX_WEEKS = 1_040
"""Twenty years."""
MIN_WORD = 5
"""A word must stand in this many complaints of a window to be looked at."""
UNFAMILIAR = 0.2
"""A complaint is unfamiliar where the model does not know this share of its words."""
RISING = 1e-6
"""Chance from which a word counts as rising."""
_PRIOR_WEEKS = 26
"""Weeks that the variation common to all agencies counts for, beside that of an agency's own weeks."""
_COMMON = 2.0
"""Complaints a week from which an agency has a say in what is common."""
_WEEKS_A_YEAR = 52


class Case(NamedTuple):
    """What drift looks at in a complaint; None where it is not known. `seen`: the model was trained on it."""

    received_at: str
    agency: str
    unfamiliar: bool | None = None
    wrong: bool | None = None
    words: frozenset[str] = frozenset()
    seen: bool = False


@dataclass(frozen=True)
class Week:
    """The counts of a week, which starts on the Monday `start` (ISO date).

    `words` counts complaints that hold a word, `seen` those that taught the model.
    """

    start: str
    agencies: Mapping[str, int]
    unfamiliar: tuple[int, int] = (0, 0)
    wrong: tuple[int, int] = (0, 0)
    words: Mapping[str, int] = field(default_factory=dict)
    seen: int = 0

    @property
    def complaints(self) -> int:
        """How many complaints."""
        return sum(self.agencies.values())


@dataclass(frozen=True, slots=True)
class Alarm:
    """A series that left its baseline: `observed` of `complaints` in the `weeks` up to the week `first`, where `expected` were.

    `chance` is how likely so far a departure is where nothing changed; `last` is the last week in which it held.
    """

    kind: str
    name: str
    first: str
    last: str
    weeks: int
    observed: int
    complaints: int
    expected: float
    chance: float

    def __str__(self) -> str:
        """Say it in one line."""
        what = f"{self.kind} {self.name}".strip()
        over = f"{self.weeks} weeks" if self.weeks > 1 else "1 week"
        seen = f"{self.observed} of {self.complaints} complaints in {over}, expected {self.expected:.1f}"
        return f"{self.first} to {self.last}  {what}: {seen} (chance {self.chance:.1g})"


@dataclass(frozen=True)
class Drift:
    """What was watched, and what departed."""

    weeks: Sequence[Week]
    alarms: Sequence[Alarm]
    rising: Sequence[Alarm] = ()

    @property
    def seen(self) -> int:
        """How many complaints taught the model, which say nothing of how it does."""
        return sum(week.seen for week in self.weeks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "weeks": [
                {
                    "start": week.start,
                    "agencies": dict(week.agencies),
                    "unfamiliar": list(week.unfamiliar),
                    "wrong": list(week.wrong),
                    "seen": week.seen,
                }
                for week in self.weeks
            ],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "rising_words": [asdict(word) for word in self.rising],
            "seen": self.seen,
            "budget": BUDGET,
        }

    def __str__(self) -> str:
        """Lay out the last weeks and every alarm."""
        lines = [f"{'week of':<12} {'complaints':>10} {'unfamiliar':>11} {'wrong':>8}"]
        for week in self.weeks[-12:]:
            shares = (f"{part / whole:.1%}" if whole else "-" for part, whole in (week.unfamiliar, week.wrong))
            lines.append("{:<12} {:>10} {:>11} {:>8}".format(week.start, week.complaints, *shares))
        if self.seen:
            total = sum(week.complaints for week in self.weeks)
            lines.append(
                f"{self.seen:,} of {total:,} complaints taught the model: counted by agency and word, not as unfamiliar or wrong"
            )
        if len(self.weeks) <= MIN_BASELINE:
            lines.append(f"no week has the {MIN_BASELINE} weeks before it that an alarm needs")
        lines.append(f"{len(self.alarms)} alarms; where nothing changes, at most {BUDGET} a year are expected")
        lines += (f"  {alarm}" for alarm in self.alarms)
        lines.append(f"{len(self.rising)} words rose, the latest:")
        return "\n".join([*lines, *(f"  {word}" for word in self.rising[-10:])])


def cases_of(
    router: Router, rows: Iterable[LabelledComplaint], known: Container[LabelledComplaint] | None = None
) -> Iterator[Case]:
    """See labelled complaints with a model's eyes; those without a date or an agency are passed over.

    `known` are the complaints that it was trained on, where that can be told: of these it is hardly ever wrong, so that
    every retraining would make the weeks after it look bad. What they are about still counts.
    Raises InvalidData where a date is none, at the first; and after the last where there was no date at all.
    """
    dated = False
    for row in rows:
        if row.received_at and row.agency:
            dated = True
            _monday(row.received_at, row.id)
            words = router.reader.analyzer.words(row.complaint)
            stems = frozenset(word.stem for word in words)
            if known is not None and row in known:
                yield Case(row.received_at, row.agency, words=stems, seen=True)
                continue
            unknown = len(words) - router.scorer.known(words)
            said = router.route(row.complaint, evidence=False).candidates[0].agency
            yield Case(row.received_at, row.agency, unknown > UNFAMILIAR * len(words), said != row.agency, stems)
    if not dated:  # else nothing would have been watched, and no alarm be heard
        raise InvalidData([Fault("data", 0, "no complaint has a date (received_at): there are no weeks to watch")])


def count(cases: Iterable[Case]) -> list[Week]:
    """Count cases by week, in order, empty weeks too. Raises InvalidData for an invalid date, and for over MAX_WEEKS."""
    by_week: dict[date, list[Case]] = {}
    for case in cases:
        by_week.setdefault(_monday(case.received_at), []).append(case)
    if not by_week:
        return []
    first, last = min(by_week), max(by_week)
    if (last - first).days // 7 >= MAX_WEEKS:
        raise InvalidData(
            [Fault("data", 0, f"dates from {first} to {last}: more than {MAX_WEEKS} weeks; is one of them mistyped?")]
        )
    mondays = [first + timedelta(days=7 * number) for number in range((last - first).days // 7 + 1)]
    return [_week(monday, by_week.get(monday, ())) for monday in mondays]


def watch(weeks: Sequence[Week]) -> Drift:
    """Test every week with a long enough past against it, and gather what departed into alarms, in time order."""
    agencies = sorted({agency for week in weeks for agency in week.agencies})
    series = {agency: [(week.agencies.get(agency, 0), week.complaints) for week in weeks] for agency in agencies}
    variation = _common_variation(list(series.values()))
    chance = BUDGET / _WEEKS_A_YEAR / len(WINDOWS)
    each = chance / max(1, len(series))
    found = [
        hit
        for agency, counts in series.items()
        for hit in _departures("agency", agency, counts, each * _RISES, each * _FALLS, variation)
    ]
    found += _departures("unfamiliar words", "", [week.unfamiliar for week in weeks], chance * _UNFAMILIAR)
    found += _departures("live error", "", [week.wrong for week in weeks], chance * _ERROR)
    starts = [week.start for week in weeks]
    return Drift(weeks, _episodes(found, starts), _episodes(_rising_words(weeks), starts))


class _Departure(NamedTuple):
    week: int
    kind: str
    name: str
    weeks: int
    observed: int
    complaints: int
    expected: float
    chance: float


def predictive_tail(observed: int, complaints: int, share: float, concentration: float, *, upper: bool) -> float:
    """How likely a count so high (`upper`) or so low is: beta-binomial of mean `share` and the given concentration."""
    a, b = share * concentration, (1 - share) * concentration
    k = np.arange(observed, complaints + 1) if upper else np.arange(0, observed + 1)
    choose = gammaln(complaints + 1) - gammaln(k + 1) - gammaln(complaints - k + 1)
    return float(min(1.0, np.exp(choose + betaln(k + a, complaints - k + b) - betaln(a, b)).sum()))


class _Past(NamedTuple):
    """A stretch of a series, as sums over its weeks: x, n, x² / n, how many have any complaint, how many there are."""

    part: float
    whole: float
    squares: float
    filled: float
    weeks: float

    @property
    def share(self) -> float:
        """The series' share, which half a complaint keeps from 0 and 1."""
        return (self.part + 0.5) / (self.whole + 1)

    @property
    def weekly(self) -> float:
        """Complaints of all series a week."""
        return self.whole / self.weeks

    @property
    def dispersion(self) -> float:
        """How much more weekly shares vary than chance lets them: Pearson's statistic over its degrees of freedom."""
        if self.filled < 2 or not self.part:
            return 1.0
        share = self.share
        pearson = (self.squares - 2 * share * self.part + share * share * self.whole) / (share * (1 - share))
        return max(0.0, pearson / (self.filled - 1))


def _sums(counts: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    """(weeks + 1, 5): sum a series up; the k-th row is what the first k weeks come to, in the order of `_Past`."""
    weeks = [(part, whole, part * part / whole if whole else 0.0, whole > 0, 1) for part, whole in counts]
    return np.cumsum(np.array([(0, 0, 0.0, False, 0), *weeks], dtype=float), axis=0)


def dispersion(counts: Sequence[tuple[int, int]]) -> float:
    """Measure how much more weekly shares vary than chance lets them: about 1 is chance."""
    return _Past(*_sums(counts)[-1].tolist()).dispersion


def _common_variation(series: Sequence[Sequence[tuple[int, int]]]) -> list[float]:
    """For each week, how much agencies' weekly rates varied before it, beyond chance: the mean squared coefficient of variation."""
    sums = [_sums(counts) for counts in series]
    common = []
    for week in range(len(series[0]) if series else 0):
        pasts = [_Past(*(each[week] - each[max(0, week - MEMORY)]).tolist()) for each in sums]
        rates = [(past.dispersion, past.part / max(1, past.weeks)) for past in pasts]
        squares = [max(0.0, spread - 1) / rate for spread, rate in rates if rate >= _COMMON]
        common.append(float(np.mean(squares)) if squares else 0.0)
    return common


def _departures(
    kind: str,
    name: str,
    counts: Sequence[tuple[int, int]],
    rise: float,
    fall: float = 0.0,
    variation: Sequence[float] | None = None,
) -> Iterator[_Departure]:
    """Test a series week by week for a rise and a fall, of at most these chances; `variation` is common to all series."""
    sums = _sums(counts)
    for week, window, begin, start in _windows(len(counts)):
        past = _Past(*(sums[start] - sums[begin]).tolist())
        observed, complaints = (int(count) for count in (sums[week + 1] - sums[start])[:2])
        if not past.whole or not complaints:
            continue
        share, spread = past.share, past.dispersion
        if variation is not None:
            usual = 1 + share * past.weekly * variation[start]
            spread = (past.weeks * spread + _PRIOR_WEEKS * usual) / (past.weeks + _PRIOR_WEEKS)
        concentration = _concentration(past, spread, window)
        expected = share * complaints
        deviation = math.sqrt(expected * (1 - share) * (concentration + complaints) / (concentration + 1))
        upper = observed > expected
        chance = rise if upper else fall
        if not chance or abs(observed - expected) < 2 * deviation:
            continue  # no tail that counts begins so near the middle
        tail = predictive_tail(observed, complaints, share, concentration, upper=upper)
        if tail < chance:
            yield _Departure(week, kind, name, window, observed, complaints, expected, tail)


def _windows(weeks: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (week, window, where its baseline begins, where it ends and the window starts) wherever the past is long enough."""
    for week in range(MIN_BASELINE, weeks):
        for window in WINDOWS:
            start = week + 1 - window
            if start >= MIN_BASELINE:
                yield week, window, max(0, start - MEMORY), start


def _concentration(past: _Past, spread: float, window: int) -> float:
    """Join what the baseline's size leaves uncertain and what single weeks vary beyond chance to one concentration."""
    inverse = 1 / (past.whole + 1)
    if spread > 1:
        inverse += (spread - 1) / max(past.weekly - spread, 1.0) / window
    return 1 / inverse


def _rising_words(weeks: Sequence[Week]) -> Iterator[_Departure]:
    """Tell the words that stand in so many more complaints than before that chance would do it with RISING at most."""
    for week, window, begin, start in _windows(len(weeks)):
        past, latest = weeks[begin:start], weeks[start : week + 1]
        complaints = sum(item.complaints for item in latest)
        for word, observed in sorted(_sum(latest).items()):
            if observed < MIN_WORD:
                continue
            before = _Past(*_sums((item.words.get(word, 0), item.complaints) for item in past)[-1].tolist())
            expected = before.share * complaints
            if observed < 2 * expected:
                continue
            concentration = _concentration(before, before.dispersion, window)
            tail = predictive_tail(observed, complaints, before.share, concentration, upper=True)
            if tail < RISING:
                yield _Departure(week, "word", word, window, observed, complaints, expected, tail)


def _episodes(found: Iterable[_Departure], starts: Sequence[str]) -> list[Alarm]:
    """Join a series' departures in adjacent weeks into one alarm, with the figures of its first week's least likely window."""
    by_series: dict[tuple[str, str], dict[int, _Departure]] = {}
    for hit in found:
        best = by_series.setdefault((hit.kind, hit.name), {})
        if hit.week not in best or hit.chance < best[hit.week].chance:
            best[hit.week] = hit
    alarms = []
    for hits in by_series.values():
        weeks = sorted(hits)
        begins = [week for week in weeks if week - 1 not in hits]
        for begin, end in zip(begins, [*begins[1:], len(starts)], strict=True):
            last = max(week for week in weeks if begin <= week < end)
            hit = hits[begin]
            alarms.append(
                Alarm(
                    kind=hit.kind,
                    name=hit.name,
                    first=starts[begin],
                    last=starts[last],
                    weeks=hit.weeks,
                    observed=hit.observed,
                    complaints=hit.complaints,
                    expected=hit.expected,
                    chance=hit.chance,
                )
            )
    return sorted(alarms, key=lambda alarm: (alarm.first, alarm.kind, alarm.name))


def _week(monday: date, cases: Sequence[Case]) -> Week:
    return Week(
        start=monday.isoformat(),
        agencies=Counter(case.agency for case in cases),
        unfamiliar=_share([case.unfamiliar for case in cases]),
        wrong=_share([case.wrong for case in cases]),
        words=Counter(word for case in cases for word in case.words),
        seen=sum(case.seen for case in cases),
    )


def _monday(received_at: str, name: str = "") -> date:
    try:
        day = date.fromisoformat(received_at[:10])
    except ValueError as error:
        raise InvalidData(
            [Fault("data", 0, f"{name}: received_at {received_at[:20]!r} is no ISO date".removeprefix(": "))]
        ) from error
    return day - timedelta(days=day.weekday())


def _share(values: Iterable[bool | None]) -> tuple[int, int]:
    known = [value for value in values if value is not None]
    return sum(known), len(known)


def _sum(weeks: Iterable[Week]) -> Counter[str]:
    total: Counter[str] = Counter()
    for week in weeks:
        total.update(week.words)
    return total
