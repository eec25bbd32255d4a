"""What a promise costs: staff hours in review against complaints that go wrong, for every promise one could make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.config import TrainingConfig
from training.measures.tables import Table, percent
from training.promises.judge import Judged
from training.promises.keeping import policy_of

TARGETS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.10, 0.15, 0.20)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A promise, and a month with it: hours that people review, and complaints that go to the wrong agency unseen."""

    target_error: float
    coverage: float
    error: float
    hours: float
    wrong: float


def operating_points(judged: Judged, config: TrainingConfig, arrivals: int, minutes: float) -> list[OperatingPoint]:
    """Set thresholds for each of TARGETS on out-of-fold answers, and count a month of `arrivals` complaints.

    `minutes` is what a person needs for one complaint. The thresholds are fitted on the answers that are counted.
    """
    points = []
    for target in TARGETS:
        auto = judged.figures(policy_of(judged, replace(config, target_error=target)))["auto"]
        sent = arrivals * auto["coverage"]
        points.append(
            OperatingPoint(target, auto["coverage"], auto["error"], (arrivals - sent) * minutes / 60, sent * auto["error"])
        )
    return points


def table(points: Sequence[OperatingPoint]) -> Table:
    """Lay the points side by side."""
    lines = [
        (
            f"at most {point.target_error:.0%}",
            percent(point.coverage),
            percent(point.error),
            f"{point.hours:.1f}",
            f"{point.wrong:.1f}",
        )
        for point in points
    ]
    return Table(("promise", "sent by itself", "wrong among those", "hours of review a month", "wrong a month"), lines)
