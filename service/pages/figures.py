"""What the figures of the desk are, and what follows from each: shares, medians, the stretches in which they are drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.pages.periods import Period
from service.promise.proportions import exact_interval

HOUR_STEPS: Sequence[tuple[str, float]] = (
    ("kurang dari 1 jam", 1),
    ("1 sampai 4 jam", 4),
    ("4 sampai 24 jam", 24),
    ("1 sampai 3 hari", 72),
    ("lebih dari 3 hari", float("inf")),
)
"""Classes of the time to a decision: label, and the hours below which it ends."""
MOST_DAILY = 45
MOST_WEEKLY = 200
"""Days of a period up to which it is drawn by days, and by weeks; beyond, by months."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived in one stretch of the period, by what was answered."""

    first: dt.date
    last: dt.date
    auto: int = 0
    review: int = 0
    ask: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.auto + self.review + self.ask

    @property
    def automatic_share(self) -> float | None:
        """Share that went out by itself; None where nothing arrived."""
        return self.auto / self.total if self.total else None


def trailing_shares(arrivals: Sequence[Arrivals], span: int) -> list[float | None]:
    """Answer the automatic share at each stretch, over it and those before it, `span` in all: few complaints a day say little."""
    return [_sum(arrivals[max(0, index - span) : index]).automatic_share for index in range(1, len(arrivals) + 1)]


@dataclass(frozen=True, slots=True)
class Audited:
    """What the blind audit of a period found: `wrong` of `cases`, the interval of the share, and how many still wait."""

    cases: int
    wrong: int
    waiting: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share that is wrong."""
        return exact_interval(self.wrong, self.cases)

    @property
    def share(self) -> float | None:
        """Share that was wrong; None where nothing was compared."""
        return self.wrong / self.cases if self.cases else None


@dataclass(frozen=True, slots=True)
class Overridden:
    """Proposals to one agency that people decided, and how many of them they changed."""

    agency: str
    decided: int
    changed: int

    @property
    def share(self) -> float:
        """Share that was changed."""
        return self.changed / self.decided


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Complaints of which one deadline lies in the period: kept, done late, or still open after it."""

    kept: int = 0
    late: int = 0
    overdue: int = 0
    is_known: bool = True
    """Whether anybody tells at all when it is done."""

    @property
    def due(self) -> int:
        """All of them."""
        return self.kept + self.late + self.overdue


@dataclass(frozen=True, slots=True)
class Finish:
    """Complaints that were to be finished in the period, and those of them that no agency has even now: late beyond doubt.

    Nobody tells us when an agency has finished: that is kept by SP4N-LAPOR!.
    """

    due: int = 0
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What one person decided, and how fast; `seconds` is the median, None where none was measured."""

    name: str
    decided: int
    seconds: int | None
    blind: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period."""

    arrivals: Sequence[Arrivals]
    settled: int
    """Complaints of the period that an import brought with a decision made elsewhere: no figure but `overridden` counts them."""
    reasons: Sequence[tuple[str, int]]
    audited: Audited
    outcomes: Mapping[str, int]
    overridden: Sequence[Overridden]
    waits: Sequence[tuple[int, int]]
    """Whole hours from a complaint to what our people decided of it, in order, each with how many waited so long."""
    verified: Punctuality
    followed_up: Punctuality
    finish: Finish
    same: int
    compared: int
    returned: int
    reviewers: Sequence[Reviewer]

    @property
    def total(self) -> Arrivals:
        """What arrived in the whole period."""
        return _sum(self.arrivals)

    @property
    def decided(self) -> int:
        """Verdicts of people that were not taken back."""
        return sum(self.outcomes.values())

    @property
    def hours(self) -> Sequence[tuple[str, int]]:
        """How many were decided within each of HOUR_STEPS."""
        counts = dict.fromkeys((label for label, _ in HOUR_STEPS), 0)
        for hour, count in self.waits:
            counts[next(label for label, below in HOUR_STEPS if hour < below)] += count
        return list(counts.items())

    @property
    def median_hours(self) -> float | None:
        """The hours within which half was decided; None where nothing was."""
        middle = middle_of(self.waits)
        return None if middle is None else middle + 0.5  # the hour is counted whole: its middle is the better guess


def stretches(period: Period) -> list[tuple[dt.date, dt.date]]:
    """Cut a period into days, weeks from Monday, or months, whichever can still be told apart when drawn."""
    cut = []
    day = period.first
    while day <= period.last:
        if period.days <= MOST_DAILY:
            last = day
        elif period.days <= MOST_WEEKLY:
            last = day + dt.timedelta(days=6 - day.weekday())
        else:
            last = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
        last = min(last, period.last)
        cut.append((day, last))
        day = last + dt.timedelta(days=1)
    return cut


def middle_of(counted: Sequence[tuple[int, int]]) -> float | None:
    """Answer the median of values that come sorted, each with its count."""
    left = (sum(count for _, count in counted) + 1) // 2
    for value, count in counted:
        left -= count
        if left <= 0:
            return float(value)
    return None


def _sum(arrivals: Sequence[Arrivals]) -> Arrivals:
    return Arrivals(
        arrivals[0].first,
        arrivals[-1].last,
        sum(one.auto for one in arrivals),
        sum(one.review for one in arrivals),
        sum(one.ask for one in arrivals),
    )
