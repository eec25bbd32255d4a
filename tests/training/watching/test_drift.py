"""The alarm over weekly counts: quiet where nothing changes, quick where something does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from model.faults import InvalidData
from model.labelled import LabelledComplaint, load
from model.register import Register
from model.router import Router
from training import train
from training.config import TrainingConfig
from training.rows.seen import Seen
from training.rows.training_set import TrainingSet
from training.watching.drift import BUDGET, MAX_WEEKS, Case, Week, cases_of, count, watch
from training.watching.series import MEMORY, MIN_BASELINE

RATES = {"dlh": 40.0, "dishub": 25.0, "dpupr": 20.0, "dinsos": 8.0, "bpbd": 1.0, "dispar": 0.5}


def weeks_of(length: int, seed: int, rates: dict[str, float] | None = None) -> list[Week]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(length):
        start = (date(2024, 1, 1) + timedelta(days=7 * number)).isoformat()
        agencies = {agency: int(rng.poisson(rate)) for agency, rate in (rates or RATES).items()}
        total = sum(agencies.values())
        found.append(Week(start, agencies, (int(rng.binomial(total, 0.05)), total), (int(rng.binomial(total, 0.2)), total)))
    return found


def from_week(
    weeks: Sequence[Week], first: int, wrong: tuple[int, int] | None = None, unfamiliar: tuple[int, int] | None = None
) -> list[Week]:
    return [
        replace(week, wrong=wrong or week.wrong, unfamiliar=unfamiliar or week.unfamiliar) if number >= first else week
        for number, week in enumerate(weeks)
    ]


def test_where_nothing_changes_there_is_at_most_one_false_alarm_a_year() -> None:
    years = 40
    alarms = [alarm for seed in range(years) for alarm in watch(weeks_of(MIN_BASELINE + 52, seed)).alarms]
    assert len(alarms) <= BUDGET * years


def test_storms_that_come_and_go_as_ever_are_no_alarm() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for seed in range(20):
        weeks = [
            replace(week, agencies={**week.agencies, "dpupr": int(week.agencies["dpupr"] * rng.choice([0.5, 1, 1, 2.5]))})
            for week in weeks_of(26 + 52, seed)
        ]
        alarms += sum(alarm.first >= weeks[26].start for alarm in watch(weeks).alarms)
    assert alarms <= 20


@pytest.mark.parametrize("agency", ["bpbd", "dinsos", "dlh"])
def test_a_rate_ten_times_as_high_is_found_within_two_weeks(agency: str) -> None:
    found = 0
    for seed in range(20):
        weeks = weeks_of(30, seed) + weeks_of(2, 100 + seed, {**RATES, agency: 10 * RATES[agency]})
        weeks = [replace(week, start=(date(2024, 1, 1) + timedelta(days=7 * n)).isoformat()) for n, week in enumerate(weeks)]
        found += any(alarm.name == agency and alarm.first >= weeks[30].start for alarm in watch(weeks).alarms)
    assert found >= 19


def test_an_agency_never_seen_before_is_found_by_its_name() -> None:
    weeks = weeks_of(30, 0)
    weeks[29] = replace(weeks[29], agencies={**weeks[29].agencies, "dinas-baru": 12})
    alarm = next(alarm for alarm in watch(weeks).alarms if alarm.name == "dinas-baru")
    assert (alarm.first, alarm.observed, alarm.weeks) == (weeks[29].start, 12, 1)
    assert alarm.expected < 0.1


def test_an_agency_that_falls_silent_is_found() -> None:
    weeks = [
        replace(week, agencies={**week.agencies, "dishub": 0}) if number >= 26 else week
        for number, week in enumerate(weeks_of(30, 0))
    ]
    found = [alarm for alarm in watch(weeks).alarms if alarm.name == "dishub"]
    assert found
    assert found[0].first == weeks[26].start
    assert found[0].observed < found[0].expected


def test_more_unfamiliar_words_and_more_errors_are_found_and_fewer_are_good_news() -> None:
    weeks = weeks_of(30, 3)
    assert [alarm.kind for alarm in watch(from_week(weeks, 28, unfamiliar=(30, 90))).alarms] == ["unfamiliar words"]
    assert [alarm.kind for alarm in watch(from_week(weeks, 28, wrong=(50, 90))).alarms] == ["live error"]
    assert not watch(from_week(weeks, 28, wrong=(0, 90), unfamiliar=(0, 90))).alarms


def test_twice_as_many_complaints_of_the_same_mix_are_no_alarm() -> None:
    weeks = weeks_of(26, 4) + weeks_of(8, 5, {agency: 2 * rate for agency, rate in RATES.items()})
    assert not watch(weeks).alarms


def test_an_alarm_that_holds_for_weeks_is_one_alarm() -> None:
    weeks = weeks_of(30, 0) + weeks_of(4, 1, {**RATES, "dinsos": 80.0})
    weeks = [replace(week, start=(date(2024, 1, 1) + timedelta(days=7 * n)).isoformat()) for n, week in enumerate(weeks)]
    found = [alarm for alarm in watch(weeks).alarms if alarm.name == "dinsos"]
    assert [(alarm.first, alarm.last) for alarm in found] == [(weeks[30].start, weeks[33].start)]


def test_a_word_of_the_day_is_told_and_is_no_alarm() -> None:
    weeks = [replace(week, words={"jalan": 30}) for week in weeks_of(20, 0)]
    weeks[19] = replace(weeks[19], words={"jalan": 30, "kabut": 14})
    found = watch(weeks)
    assert [word.name for word in found.rising] == ["kabut"]
    assert not found.alarms
    assert "kabut" in str(found)


def test_too_short_a_past_raises_nothing() -> None:
    weeks = weeks_of(MIN_BASELINE, 0, {**RATES, "bpbd": 100.0})
    assert not watch(weeks).alarms
    assert not watch([]).alarms


def test_what_lies_further_back_than_memory_does_not_count() -> None:
    weeks = weeks_of(10, 0, {**RATES, "bpbd": 60.0}) + weeks_of(MEMORY + 2, 1) + weeks_of(1, 2, {**RATES, "bpbd": 30.0})
    weeks = [replace(week, start=(date(2022, 1, 3) + timedelta(days=7 * n)).isoformat()) for n, week in enumerate(weeks)]
    assert [alarm.first for alarm in watch(weeks).alarms if alarm.name == "bpbd"][-1] == weeks[-1].start


def test_weeks_begin_on_monday_and_empty_ones_count() -> None:
    cases = [
        Case("2024-05-12T23:00:00", "dlh", True, False, frozenset({"sampah"})),
        Case("2024-05-13", "dlh", False, None, frozenset({"sampah", "bau"})),
        Case("2024-05-28", "dpupr"),
    ]
    weeks = count(cases)
    assert [week.start for week in weeks] == ["2024-05-06", "2024-05-13", "2024-05-20", "2024-05-27"]
    assert [week.complaints for week in weeks] == [1, 1, 0, 1]
    assert [week.unfamiliar for week in weeks] == [(1, 1), (0, 1), (0, 0), (0, 0)]
    assert [week.wrong for week in weeks] == [(0, 1), (0, 0), (0, 0), (0, 0)]
    assert weeks[1].words == {"sampah": 1, "bau": 1}
    assert count([]) == []


def test_a_date_that_is_none_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidData, match=r"^data: received_at 'kemarin' is no date as YYYY-MM-DD$"):
        count([Case("kemarin", "dlh")])
    with pytest.raises(InvalidData, match=f"more than {MAX_WEEKS} weeks"):
        count([Case("0024-05-13", "dlh"), Case("2024-05-13", "dlh")])


def test_complaints_are_seen_with_the_models_eyes() -> None:
    register = Register.load(Path("data/kutai-timur"))
    rows = [row for row in load(Path("data/kutai-timur/complaints.jsonl")) if row.agency in ("dlh", "dpupr")][:80]
    artifact, _ = train.train(
        register, TrainingSet(rows), TrainingConfig(folds=2, min_df=1, matters_weight=0.0), "2024-01-01T00:00:00+00:00"
    )
    router = Router(artifact)
    known = replace(rows[0], received_at="2024-05-13")
    strange = LabelledComplaint("zxqv wjkp qqrs vvbn mmhj", "dlh", id="x", received_at="2024-05-13")
    cases = list(cases_of(router, [known, strange, rows[1], replace(known, agency="", expect="review")]))
    assert [case.unfamiliar for case in cases] == [False, True]
    assert cases[0].agency == known.agency
    assert cases[0].wrong is (router.route(known.complaint).candidates[0].agency != known.agency)
    taught, new = cases_of(router, [known, strange], Seen.of(rows))
    assert taught == Case(known.received_at, known.agency, None, None, cases[0].words, seen=True)
    assert new == cases[1]
    with pytest.raises(InvalidData, match="x: received_at"):
        list(cases_of(router, [replace(strange, received_at="2024-13-01")]))
    with pytest.raises(InvalidData, match="no complaint has a date"):
        list(cases_of(router, rows[:3]))


def test_a_model_retrained_on_the_past_is_no_alarm_about_what_came_since() -> None:
    rng = np.random.default_rng(0)
    days = [(date(2024, 1, 1) + timedelta(days=7 * number)).isoformat() for number in range(30)]
    taught = [Case(day, "dlh", seen=True) for day in days[:26] for _ in range(40)]
    since = [Case(day, "dlh", bool(rng.random() < 0.05), bool(rng.random() < 0.2)) for day in days[26:] for _ in range(40)]
    flattered = [Case(case.received_at, case.agency, False, False) for case in taught]
    assert {alarm.kind for alarm in watch(count([*flattered, *since])).alarms} == {"live error", "unfamiliar words"}
    found = watch(count([*taught, *since]))
    assert not found.alarms
    assert (found.seen, found.weeks[0].seen, found.weeks[-1].seen) == (1_040, 40, 0)
    assert found.to_dict()["seen"] == 1_040
    assert "1,040 of 1,200 complaints taught the model" in str(found)


def test_the_table_and_the_object_hold_every_alarm() -> None:
    found = watch(from_week(weeks_of(30, 3), 28, wrong=(50, 90)))
    plain = json.loads(json.dumps(found.to_dict()))
    assert [alarm["kind"] for alarm in plain["alarms"]] == ["live error"]
    assert len(plain["weeks"]) == 30
    assert "live error" in str(found)
    assert f"at most {BUDGET} a year" in str(found)
    assert "weeks before it" not in str(found)
    assert "no week has the 8 weeks before it that an alarm needs" in str(watch(found.weeks[:8]))
    assert str(replace(found, rising=[])).endswith("\n0 words rose")
