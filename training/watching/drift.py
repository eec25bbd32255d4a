"""Whether complaints are still like those that the model knows: class mix, unfamiliar words, live error by week; and rising words.

Each is a series of weekly counts, which `watching.series` tests. All tests of a year share one budget of false alarms (Bonferroni):
where nothing changes, at most BUDGET a year are expected, however the tests depend on each other.

Single words come and go with every week's events, so rising ones are listed but raise no alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from model.faults import Fault, InvalidData
from model.labelled import LabelledComplaint
from model.router import Router
from training.watching.series import MIN_BASELINE, WINDOWS, Departure, Past, chance_of_rise, common_variation, departures, windows

BUDGET = 0.7
"""False alarms a year, expected at most, over all series. Counts are whole numbers, so that much fewer come: see the benchmark."""
_RISES, _FALLS, _UNFAMILIAR, _ERROR = 0.7, 0.1, 0.1, 0.1
"""How the budget is shared out: what most wants to be found, an agency's rise, gets most."""
MAX_WEEKS = 1_040
"""Twenty years."""
MIN_WORD = 5
"""A word must stand in this many complaints of a window to be looked at."""
UNFAMILIAR = 0.2
"""A complaint is unfamiliar where the model does not know this share of its words."""
RISING = 1e-6
"""Chance from which a word counts as rising."""
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
        lines.append(f"{len(self.rising)} words rose{', the latest:' if self.rising else ''}")
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
    variation = common_variation(list(series.values()))
    chance = BUDGET / _WEEKS_A_YEAR / len(WINDOWS)
    each = chance / max(1, len(series))
    found = [
        hit
        for agency, counts in series.items()
        for hit in departures("agency", agency, counts, each * _RISES, each * _FALLS, variation)
    ]
    found += departures("unfamiliar words", "", [week.unfamiliar for week in weeks], chance * _UNFAMILIAR)
    found += departures("live error", "", [week.wrong for week in weeks], chance * _ERROR)
    starts = [week.start for week in weeks]
    return Drift(weeks, _episodes(found, starts), _episodes(_rising_words(weeks), starts))


def _rising_words(weeks: Sequence[Week]) -> Iterator[Departure]:
    """Tell the words that stand in so many more complaints than before that chance would do it with RISING at most."""
    for week, window, begin, start in windows(len(weeks)):
        past, latest = weeks[begin:start], weeks[start : week + 1]
        complaints = sum(item.complaints for item in latest)
        for word, observed in sorted(_sum(latest).items()):
            if observed < MIN_WORD:
                continue
            before = Past.of((item.words.get(word, 0), item.complaints) for item in past)
            expected = before.share * complaints
            if observed < 2 * expected:
                continue
            chance = chance_of_rise(before, observed, complaints, window)
            if chance < RISING:
                yield Departure(week, "word", word, window, observed, complaints, expected, chance)


def _episodes(found: Iterable[Departure], starts: Sequence[str]) -> list[Alarm]:
    """Join a series' departures in adjacent weeks into one alarm, with the figures of its first week's least likely window."""
    by_series: dict[tuple[str, str], dict[int, Departure]] = {}
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
            [Fault("data", 0, f"{name}: received_at {received_at[:20]!r} is no date as YYYY-MM-DD".removeprefix(": "))]
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
