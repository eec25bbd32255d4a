"""A replay knows at each step only what a desk would have known."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.labelled import LabelledComplaint, dump, load
from model.register import Agency, Register
from training import replay
from training.cli import main
from training.config import TrainingConfig
from training.promises import trust

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def year(region: Path) -> list[LabelledComplaint]:
    rows = [row for row in load(region / "complaints.jsonl") if row.agency]
    start = date(2026, 1, 1)
    return [replace(row, received_at=(start + timedelta(days=n * 200 // len(rows))).isoformat()) for n, row in enumerate(rows)]


@pytest.fixture(scope="module")
def replayed(region: Path, year: list[LabelledComplaint]) -> replay.Replayed:
    return replay.replay(Register.load(region), year, TrainingConfig(folds=2), replay.Plan(every="month"))


@pytest.fixture(scope="module")
def unaudited(region: Path, year: list[LabelledComplaint]) -> replay.Replayed:
    return replay.replay(Register.load(region), year, TrainingConfig(folds=2), replay.Plan(every="month", audit=0.0))


def test_steps_begin_after_the_first_quarter_and_cover_the_rest(replayed: replay.Replayed, year: list[LabelledComplaint]) -> None:
    assert replayed.steps[0].start == "2026-04-01"
    assert sum(step.rows for step in replayed.steps) == sum(row.received_at >= "2026-04-01" for row in year)


def test_what_went_out_unaudited_stays_unknown(replayed: replay.Replayed) -> None:
    assert sum(step.sent - step.audited for step in replayed.steps) > 0
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
    assert replay.worst_month(months[1:2]) is None, "a share of nothing would pass for a faultless one"


def test_where_no_month_sent_enough_none_is_called_the_worst(replayed: replay.Replayed) -> None:
    found = replay.summarise(replace(replayed, sent=np.zeros(len(replayed.sent), dtype=bool)))
    assert found["worst_month"] is None
    assert "worst month  -, of those with 100 sent" in replay.table(found)
    assert "wrong      -  (" in replay.table(found)
    assert "steps within the promise: -," in replay.table(found)
    assert {line.split()[-1] for line in replay.table(found).splitlines()[-len(found["months"]) :]} == {"-"}
    told = replay.together([found, found])
    assert told["worst_month"] is None
    assert "worst month  -\n" in replay.together_table(told)
    told = replay.together([found, {**found, "worst_month": 0.06}])
    assert told["worst_month"] == {"mean": 0.06, "least": 0.06, "most": 0.06}
    assert [one["worst_month"] for one in told["each"]] == [None, 0.06]


def test_what_a_crosswalk_marks_for_training_only_teaches_and_is_not_judged(
    region: Path, year: list[LabelledComplaint], unaudited: replay.Replayed
) -> None:
    marked = [replace(row, use="train") if number % 5 == 0 else row for number, row in enumerate(year)]
    plan = replay.Plan(every="month", audit=0.0)
    told = replay.replay(Register.load(region), marked, TrainingConfig(folds=2), plan)
    assert sum(step.rows for step in told.steps) < 0.85 * sum(step.rows for step in unaudited.steps)
    assert told.steps[0].known == unaudited.steps[0].known


def test_a_frozen_model_never_learns_more(region: Path, year: list[LabelledComplaint]) -> None:
    plan = replay.Plan(every="month", frozen=True)
    found = replay.replay(Register.load(region), year, TrainingConfig(folds=2), plan)
    assert len({step.known for step in found.steps}) == 1


def test_without_an_audit_only_what_was_reviewed_is_learnt(unaudited: replay.Replayed) -> None:
    assert sum(step.audited for step in unaudited.steps) == 0
    for step, following in pairwise(unaudited.steps):
        assert following.known == step.known + step.rows - step.sent


def test_the_audit_draws_about_its_share_and_always_the_same() -> None:
    drawn = [replay.audited(str(n), 0.05) for n in range(20_000)]
    assert np.mean(drawn) == pytest.approx(0.05, abs=0.006)
    assert drawn == [replay.audited(str(n), 0.05) for n in range(20_000)]


def test_another_draw_audits_others() -> None:
    first, second = ([replay.audited(str(n), 0.05, draw) for n in range(20_000)] for draw in (0, 1))
    assert np.mean(second) == pytest.approx(0.05, abs=0.006)
    assert sum(a and b for a, b in zip(first, second, strict=True)) < 100  # 50 are expected by chance


def test_several_draws_are_told_together_and_each_is_what_it_is_alone(
    region: Path, year: list[LabelledComplaint], replayed: replay.Replayed
) -> None:
    told: list[str] = []
    register, config = Register.load(region), TrainingConfig(folds=2)
    found = replay.over_draws(register, year, config, replay.Plan(every="month"), 2, 2, told.append)
    alone = replay.replay(register, year, config, replay.Plan(every="month", draw=1))
    assert found == [replay.summarise(replayed), replay.summarise(alone)]
    assert found[0] != found[1]
    assert [line[:11] for line in told if " of 2: " in line] == ["draw 1 of 2", "draw 2 of 2"]


def test_what_draws_have_in_common_counts_no_promise_of_one_that_sent_nothing() -> None:
    common = {"accuracy": 0.8, "ece": 0.01, "worst_month": 0.06, "target_error": 0.05}
    found = [
        {**common, "coverage": 0.4, "sent": 40, "error": 0.04},
        {**common, "coverage": 0.5, "sent": 50, "error": 0.06},
        {**common, "coverage": 0.0, "sent": 0, "error": 0.0},
    ]
    told = replay.together(found)
    assert (told["draws"], told["sending"], told["kept"]) == (3, 2, 1)
    assert told["coverage"] == {"mean": pytest.approx(0.3), "least": 0.0, "most": 0.5}
    assert [one["error"] for one in told["each"]] == [0.04, 0.06, 0.0]
    assert "no more wrong than promised in 1 of 2" in replay.together_table(told)


def test_what_is_learnt_knows_which_verdicts_are_the_audits_and_that_the_first_part_was_seen_whole(
    region: Path, year: list[LabelledComplaint], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, given = trust.learn, []

    def spy(sureness: Array, said: Array, right: Array, age: Array, audited: Array | None) -> trust.Trust:
        given.append(audited)
        return learn(sureness, said, right, age, audited)

    monkeypatch.setattr(trust, "learn", spy)
    found = replay.replay(Register.load(region), year, TrainingConfig(folds=2), replay.Plan(every="month", audit=0.5))
    assert given[0] is None
    known = [None if audited is None else int(audited.sum()) for audited in given]
    assert known[1:] == np.cumsum([step.audited for step in found.steps])[:-1].tolist()
    assert known[-1]


def test_the_command_tells_several_draws_in_words_and_in_json(
    region: Path, year: list[LabelledComplaint], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    over_draws, kept = replay.over_draws, list[dict[str, Any]]()

    def once(*given: Any) -> list[dict[str, Any]]:
        """Draw at the first call, and answer the same at the second."""
        if not kept:
            kept.extend(over_draws(*given))
        return kept

    monkeypatch.setattr(replay, "over_draws", once)
    dump(year, tmp_path / "year.jsonl")
    (tmp_path / "quick.toml").write_text("folds = 2\n", encoding="utf-8")
    command = ["replay", "--register", str(region), "--data", str(tmp_path / "year.jsonl"), "--every", "month", "--draws", "2"]
    command += ["--config", str(tmp_path / "quick.toml"), "--jobs", "1"]
    with pytest.raises(SystemExit, match="0"):
        main(command)
    told = capsys.readouterr()
    assert "the first of 2 draws of the audit" in told.out
    assert "draw 2: 2026-04-01" in told.err
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["over_draws"]["draws"] == 2
    assert found["over_draws"]["each"][0]["coverage"] == found["coverage"]


def test_months_follow_each_other_without_a_gap() -> None:
    days = [date(2026, 1, 5), date(2027, 2, 1)]
    found = list(replay.edges(days, "month"))
    assert found[0][0] == date(2026, 4, 1)
    assert all(end == start for (_, end), (start, _) in pairwise(found))


def test_what_ended_within_the_past_counts_as_its_successor_from_the_first_day(region: Path, year: list[LabelledComplaint]) -> None:
    register, plan = Register.load(region), replay.Plan(every="month", audit=0.0)
    new = Agency("dlhk", "Dinas Lingkungan Hidup dan Kebersihan", valid_from="2026-06-01")
    was = replace(register.by_id["dlh"], valid_until="2026-05-31", successor="dlhk")
    merged = replace(register, agencies=(*(was if agency.id == "dlh" else agency for agency in register.agencies), new))
    mixed = [replace(row, received_at=year[n * 37 % len(year)].received_at) for n, row in enumerate(year)]
    rows = [replace(row, agency="dlhk") if row.agency == "dlh" and row.received_at >= "2026-06-01" else row for row in mixed]
    assert {row.agency for row in rows} >= {"dlh", "dlhk"}
    found = replay.replay(merged, rows, TrainingConfig(folds=2), plan).judged
    assert "dlhk" in found.said
    assert "dlh" not in {*found.truth, *found.said}, "an answer by the other name would be called wrong"


def test_other_regions_complaints_teach_a_replay_and_are_not_judged(
    region: Path, year: list[LabelledComplaint], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump(year[::4], tmp_path / "few.jsonl")
    others = [replace(row, source="lain", received_at="") for row in year if row not in year[::4]]
    dump([*others, *(replace(row, source="lain") for row in year[::4])], tmp_path / "others.jsonl")
    (tmp_path / "quick.toml").write_text("folds = 2\n", encoding="utf-8")
    command = ["replay", "--register", str(region), "--data", str(tmp_path / "few.jsonl"), "--every", "month", "--json"]
    command += ["--config", str(tmp_path / "quick.toml")]
    found = []
    for more in ([], ["--transfer", str(tmp_path / "others.jsonl")]):
        with pytest.raises(SystemExit, match="0"):
            main([*command, *more])
        found.append(json.loads(capsys.readouterr().out))
    alone, taught = found
    assert taught["rows"] == alone["rows"]
    assert 0.99 > taught["accuracy"] > alone["accuracy"] + 0.05, "what repeats its own complaints teaches nothing"
