"""How often `watching.drift` cries wolf where nothing changes, and how soon it finds an agency's surge, on Surabaya's complaints.

Run `python -P tests/benchmarks/drift.py [--real DIR] [--years N] [--surges N] [--seed N] [--json]`; it ends at once where the
file is absent. What the model knows and says comes from one fitted on the first half year; the year of every simulation is drawn
from the rest, so that nothing changes in it:

    shuffled  each week a Poisson number of complaints, drawn from all: what the method assumes
    weeks     whole real weeks, drawn with their storms and campaigns: harder than it assumes
    as it was the real order, once: what it reports may be real

A surge makes one agency's rate ten times as high from a day on; found is an alarm of that agency within 14 days of that day.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np

from model.labelled import LabelledComplaint
from model.reader import Reader
from tests.benchmarks import surabaya
from training.config import TrainingConfig
from training.fitting.calibrate import fit_pipeline
from training.rows.data import read
from training.watching.drift import UNFAMILIAR, Alarm, Case, count, watch

WARM_UP = 26
YEAR = 52
FACTOR = 10
BEGIN = date(2024, 1, 1)
Days = list[tuple[int, Case]]
"""Cases, each with its day from the start."""


def see(rows: Sequence[LabelledComplaint], reader: Reader) -> list[Case]:
    """See all but the first half year with the eyes of a model fitted on that."""
    until = (date.fromisoformat(rows[0].received_at[:10]) + timedelta(days=182)).isoformat()
    config = TrainingConfig(topic_weight=0.0)
    past = read([row for row in rows if row.received_at < until], reader, np.ones(sum(row.received_at < until for row in rows)))
    rest = read([row for row in rows if row.received_at >= until], reader, np.ones(sum(row.received_at >= until for row in rows)))
    fitted = fit_pipeline(config, past, reader)
    known = {name[1:] for name in fitted["features"].transformer_list[0][1].names_}
    said = fitted.predict(rest.words)
    return [
        Case(
            row.received_at,
            row.agency,
            sum(word.stem not in known for word in words) > UNFAMILIAR * len(words),
            bool(answer != row.agency),
        )
        for row, words, answer in zip(rest.rows, rest.words, said, strict=True)
    ]


def shuffled(cases: Sequence[Case], weekly: float, weeks: int, rng: np.random.Generator) -> Days:
    drawn = []
    for week in range(weeks):
        for number in rng.integers(len(cases), size=rng.poisson(weekly)):
            drawn.append((7 * week + int(rng.integers(7)), cases[number]))
    return drawn


def whole_weeks(by_week: Sequence[Sequence[Case]], weeks: int, rng: np.random.Generator) -> Days:
    chosen = rng.integers(len(by_week), size=weeks)
    return [(7 * week + int(rng.integers(7)), case) for week, number in enumerate(chosen) for case in by_week[number]]


def surge(days: Days, agency: str, onset: int, of_agency: Sequence[Case], rng: np.random.Generator) -> Days:
    """Add FACTOR - 1 times the agency's complaints from a day on, drawn from its own."""
    last = max(day for day, _ in days)
    rate = sum(case.agency == agency for _, case in days) / (last + 1)
    more = rng.poisson((FACTOR - 1) * rate * (last + 1 - onset))
    picked = rng.integers(len(of_agency), size=more)
    return [*days, *((int(rng.integers(onset, last + 1)), of_agency[number]) for number in picked)]


def alarms(days: Days) -> Sequence[Alarm]:
    dated = (case._replace(received_at=(BEGIN + timedelta(days=day)).isoformat()) for day, case in days)
    return watch(count(dated)).alarms


def false_alarms(draw: Callable[[np.random.Generator], Days], years: int, seed: int) -> dict[str, Any]:
    """Alarms of simulated years in which nothing changes, after a warm-up, by kind."""
    kinds: Counter[str] = Counter()
    with_any = 0
    counted_from = (BEGIN + timedelta(days=7 * WARM_UP)).isoformat()
    for year in range(years):
        found = [alarm for alarm in alarms(draw(np.random.default_rng([seed, year]))) if alarm.first >= counted_from]
        kinds.update(alarm.kind for alarm in found)
        with_any += bool(found)
    return {"years": years, "a_year": kinds.total() / years, "years_with_any": with_any / years, "by_kind": dict(kinds)}


def detection(cases: Sequence[Case], draw: Callable[[np.random.Generator], Days], surges: int, seed: int) -> list[dict[str, Any]]:
    """For every agency, how many surges are found within 14 days, and the median delay in days."""
    by_agency = defaultdict(list)
    for case in cases:
        by_agency[case.agency].append(case)
    table = []
    for agency, own in sorted(by_agency.items(), key=lambda item: len(item[1])):
        delays = []
        for number in range(surges):
            rng = np.random.default_rng([seed, number])
            onset = 7 * WARM_UP + int(rng.integers(7 * 13))
            end = onset + 7 * 8
            days = surge([item for item in draw(rng) if item[0] < end], agency, onset, own, rng)
            weeks_ends = [
                (date.fromisoformat(alarm.first) + timedelta(days=7) - BEGIN).days - onset
                for alarm in alarms(days)
                if (alarm.kind, alarm.name) == ("agency", agency)
            ]
            delays.append(min((delay for delay in weeks_ends if delay > 0), default=10**6))
        weeks = len({case.received_at[:10] for case in cases}) / 7
        median = sorted(delays)[len(delays) // 2]
        table.append(
            {
                "agency": agency,
                "weekly": round(len(own) / weeks, 2),
                "within_14_days": sum(delay <= 14 for delay in delays) / surges,
                "median_days": median if median < 10**6 else None,
            }
        )
    return table


@click.command()
@click.option("--real", type=click.Path(path_type=Path), default=Path("../shared/real"), envvar="SALUR_REAL", show_default=True)
@click.option("--years", default=100, show_default=True, help="Simulated years of each kind.")
@click.option("--surges", default=20, show_default=True, help="Simulated surges of each agency.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(real: Path, years: int, surges: int, seed: int, as_json: bool) -> None:
    """Simulate years without change and years with a surge."""
    register, rows = surabaya.past(real)
    start = time.perf_counter()
    cases = see(sorted(rows, key=lambda row: row.received_at), Reader(register))
    click.echo(f"{len(cases):,} complaints seen in {time.perf_counter() - start:.0f} s", err=True)
    by_week: dict[date, list[Case]] = defaultdict(list)
    for case in cases:
        day = date.fromisoformat(case.received_at[:10])
        by_week[day - timedelta(days=day.weekday())].append(case)
    weeks = [week for _, week in sorted(by_week.items())][1:-1]  # the first and the last are not whole
    weekly = sum(map(len, weeks)) / len(weeks)
    length = WARM_UP + YEAR

    def draw_shuffled(rng: np.random.Generator) -> Days:
        return shuffled(cases, weekly, length, rng)

    def draw_weeks(rng: np.random.Generator) -> Days:
        return whole_weeks(weeks, length, rng)

    figures: dict[str, Any] = {"rows": len(cases), "weekly": round(weekly, 1)}
    figures["shuffled"] = false_alarms(draw_shuffled, years, seed)
    figures["weeks"] = false_alarms(draw_weeks, years, seed)
    click.echo(f"false alarms after {time.perf_counter() - start:.0f} s", err=True)
    figures["as it was"] = [str(alarm) for alarm in watch(count(cases)).alarms]
    figures["surge, shuffled"] = detection(cases, draw_shuffled, surges, seed)
    figures["surge, weeks"] = detection(cases, draw_weeks, surges, seed)
    figures["seconds"] = round(time.perf_counter() - start)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        if isinstance(value, list):
            click.echo(name)
            for row in value:
                click.echo(
                    f"  {row}"
                    if isinstance(row, str)
                    else "  {:<22} {:>7} a week  {:>5.0%} within 14 days, median {} days".format(*row.values())
                )
        else:
            click.echo(f"{name:<26} {value}")


if __name__ == "__main__":
    main()
