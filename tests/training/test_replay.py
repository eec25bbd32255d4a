"""A replay knows at each step only what a desk would have known."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from model.labelled import LabelledComplaint, load
from model.register import Register
from training import replay
from training.config import TrainingConfig


@pytest.fixture(scope="module")
def year(region: Path) -> list[LabelledComplaint]:
    rows = [row for row in load(region / "complaints.jsonl") if row.agency]
    start = date(2026, 1, 1)
    return [replace(row, received_at=(start + timedelta(days=n * 200 // len(rows))).isoformat()) for n, row in enumerate(rows)]


@pytest.fixture(scope="module")
def replayed(region: Path, year: list[LabelledComplaint]) -> replay.Replayed:
    return replay.replay(Register.load(region), year, TrainingConfig(folds=2), replay.Plan(every="month"))


def test_steps_begin_after_the_first_quarter_and_cover_the_rest(replayed: replay.Replayed, year: list[LabelledComplaint]) -> None:
    assert replayed.steps[0].start == "2026-04-01"
    assert sum(step.rows for step in replayed.steps) == sum(row.received_at >= "2026-04-01" for row in year)


def test_what_went_out_unaudited_stays_unknown(replayed: replay.Replayed) -> None:
    known = replayed.steps[0].known
    for step, following in pairwise(replayed.steps):
        known += step.rows - step.sent + step.audited
        assert following.known == known


def test_the_summary_counts_what_the_steps_did(replayed: replay.Replayed) -> None:
    found = replay.summarise(replayed)
    assert found["sent"] == sum(step.sent for step in replayed.steps)
    assert found["wrong"] == sum(step.wrong for step in replayed.steps)
    assert found["coverage"] == pytest.approx(found["sent"] / found["rows"])
    assert sum(month["rows"] for month in found["months"].values()) == found["rows"]
    assert "accuracy" in replay.table(found)


def test_the_worst_month_is_one_that_sent_enough_to_tell() -> None:
    months = [{"error": 0.05, "sent": 100}, {"error": 0.5, "sent": 99}, {"error": 0.02, "sent": 900}]
    assert replay.worst_month(months) == 0.05
    assert replay.worst_month(months[1:2]) == 0.0


def test_a_frozen_model_never_learns_more(region: Path, year: list[LabelledComplaint]) -> None:
    plan = replay.Plan(every="month", frozen=True)
    found = replay.replay(Register.load(region), year, TrainingConfig(folds=2), plan)
    assert len({step.known for step in found.steps}) == 1


def test_without_an_audit_only_what_was_reviewed_is_learnt(region: Path, year: list[LabelledComplaint]) -> None:
    found = replay.replay(Register.load(region), year, TrainingConfig(folds=2), replay.Plan(every="month", audit=0.0))
    assert sum(step.audited for step in found.steps) == 0
    for step, following in pairwise(found.steps):
        assert following.known == step.known + step.rows - step.sent


def test_the_audit_draws_about_its_share_and_always_the_same() -> None:
    drawn = [replay.audited(str(n), 0.05) for n in range(20_000)]
    assert np.mean(drawn) == pytest.approx(0.05, abs=0.006)
    assert drawn == [replay.audited(str(n), 0.05) for n in range(20_000)]


def test_another_draw_audits_others() -> None:
    first, second = ([replay.audited(str(n), 0.05, draw) for n in range(20_000)] for draw in (0, 1))
    assert np.mean(second) == pytest.approx(0.05, abs=0.006)
    assert sum(a and b for a, b in zip(first, second, strict=True)) < 100  # 50 are expected by chance


def test_several_draws_are_told_together_with_the_first_as_it_is_alone(
    region: Path, year: list[LabelledComplaint], replayed: replay.Replayed
) -> None:
    told: list[str] = []
    register, config = Register.load(region), TrainingConfig(folds=2)
    found = replay.over_draws(register, year, config, replay.Plan(every="month"), 2, 2, told.append)
    assert found[0] == replay.summarise(replayed)
    assert [line[:11] for line in told] == ["draw 1 of 2", "draw 2 of 2"]
    together = replay.spread(found)
    assert together["draws"] == 2
    assert together["coverage"]["least"] <= together["coverage"]["mean"] <= together["coverage"]["most"]
    assert together["kept"] == sum(one["error"] <= 0.05 for one in found)
    assert "over 2 draws of the audit" in replay.spread_table(together)


def test_months_follow_each_other_without_a_gap() -> None:
    days = [date(2026, 1, 5), date(2027, 2, 1)]
    found = list(replay.edges(days, "month"))
    assert found[0][0] == date(2026, 4, 1)
    assert all(end == start for (_, end), (start, _) in pairwise(found))
