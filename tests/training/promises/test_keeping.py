"""A version's own promise: from a sample by its bound, from a desk's verdicts as the replay makes it, whatever nobody saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from model.labelled import Answered, LabelledComplaint, load
from model.policy import NEVER
from model.reader import Reader
from model.register import Register
from training.config import TrainingConfig
from training.fitting.calibrate import OutOfFold
from training.promises import trust
from training.promises.keeping import ENOUGH_DATED, TRAFFIC_DAYS, Kept, keep
from training.rows.data import read, stands_for

ROWS = 3_000
SENT_FROM = 0.93


@pytest.fixture(scope="module")
def desk(region: Path) -> tuple[Reader, list[LabelledComplaint], OutOfFold]:
    """Complaints that came day by day, and answers to them that are right as often as they say."""
    register = Register.load(region)
    known = [row for row in load(region / "complaints.jsonl") if row.agency]
    agencies = np.array(sorted({row.agency for row in known}))
    chance = np.random.default_rng(1)
    sure = chance.beta(4, 0.4, ROWS).clip(0.5, 0.999)
    rows, scores = [], np.full((ROWS, len(agencies)), -30.0)
    for number in range(ROWS):
        day = date(2025, 1, 1) + timedelta(days=number // 10)
        rows.append(replace(known[number % len(known)], text="aduan", title="", received_at=day.isoformat()))
        truth = int(np.searchsorted(agencies, rows[-1].agency))
        said, other = (truth, truth - 1) if chance.random() < sure[number] else (truth - 1, truth)
        scores[number, [said, other]] = np.log([sure[number], 1 - sure[number]])
    return Reader(register), rows, OutOfFold(np.arange(ROWS), agencies, scores, 1.0)


def kept(desk: tuple[Reader, Sequence[LabelledComplaint], OutOfFold], rows: Sequence[LabelledComplaint], which: np.ndarray) -> Kept:
    """What is kept of some of the answers."""
    reader, _, answers = desk
    own = read([rows[number] for number in which], reader, np.ones(len(which)))
    return keep(OutOfFold(np.arange(len(which)), answers.agencies, answers.scores[which], 1.0), own, reader, TrainingConfig())


def coverage(found: Kept, over: Kept) -> float:
    """How much of all that came the one would send, by its own curve."""
    raw = over.judged.sureness
    return float(np.mean(raw >= found.policy.overall.value))


def test_a_desk_whose_surest_answers_are_seen_in_the_audit_alone_still_sends(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold],
) -> None:
    _, rows, answers = desk
    everything = kept(desk, rows, np.arange(ROWS))
    sure = answers.probabilities.max(axis=1)
    sent, drawn = sure >= SENT_FROM, np.random.default_rng(2).random(ROWS) < 0.1
    verdicts = [replace(row, blind=True, audit_share=0.1) if out else row for row, out in zip(rows, sent, strict=True)]
    found = kept(desk, verdicts, np.flatnonzero(~sent | drawn))
    assert found.policy.overall.value != NEVER
    assert coverage(found, everything) > 0.6 * coverage(everything, everything) > 0.2
    assert found.judged.figures(found.policy, found.stands_for)["auto"]["coverage"] == pytest.approx(
        coverage(found, everything), abs=0.08
    )


def test_how_far_to_trust_is_learnt_from_the_answers_that_were_given_and_not_from_later_ones(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold],
) -> None:
    reader, rows, answers = desk
    best = answers.probabilities.argmax(axis=1)
    given = [
        replace(row, answered=Answered(str(answers.agencies[place]), float(probability)))
        for row, place, probability in zip(rows, best, answers.probabilities.max(axis=1), strict=True)
    ]
    clueless = replace(answers, scores=np.zeros_like(answers.scores))
    own = read(given, reader, np.ones(ROWS))
    found, wanted = (keep(later, own, reader, TrainingConfig()) for later in (clueless, answers))
    assert found.policy.overall.cases == wanted.policy.overall.cases > 0
    assert found.policy.overall.value == pytest.approx(wanted.policy.overall.value)
    assert found.reliability.per_agency == pytest.approx(wanted.reliability.per_agency)


def test_verdicts_of_a_desk_that_audits_nothing_are_trusted_less_than_those_of_an_office_that_saw_everything(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold],
) -> None:
    reader, rows, answers = desk
    verdicts = [replace(rows[0], answered=Answered(rows[0].agency, 0.6)), *rows[1:]]
    own = read(verdicts, reader, np.ones(ROWS))
    office, unaudited = kept(desk, rows, np.arange(ROWS)), keep(answers, own, reader, TrainingConfig())
    assert 0 < unaudited.policy.overall.cases < office.policy.overall.cases


def test_what_is_learnt_knows_which_verdicts_are_the_audits(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, given = trust.learn, []

    def spy(sureness: np.ndarray, said: np.ndarray, right: np.ndarray, age: np.ndarray, audited: np.ndarray | None) -> trust.Trust:
        given.append(audited)
        return learn(sureness, said, right, age, audited)

    monkeypatch.setattr(trust, "learn", spy)
    blind = np.arange(ROWS) % 7 == 0
    verdicts = [replace(row, blind=True) if drawn else row for row, drawn in zip(desk[1], blind, strict=True)]
    kept(desk, verdicts, np.arange(ROWS))
    kept(desk, desk[1], np.arange(ROWS))
    audited, of_an_office = given
    assert audited is not None
    assert audited.tolist() == blind.tolist()
    assert of_an_office is None


def test_what_is_sent_is_decided_by_what_came_of_late(desk: tuple[Reader, list[LabelledComplaint], OutOfFold]) -> None:
    """Were the sure answers of last year traffic of today, the unsure ones of today would hide behind them."""
    _, rows, answers = desk
    sure = answers.probabilities.max(axis=1)
    late = date.fromisoformat(rows[-1].received_at) - timedelta(days=TRAFFIC_DAYS)
    of_late = np.array([date.fromisoformat(row.received_at) >= late for row in rows])
    unsure_now = kept(desk, rows, np.flatnonzero(np.where(of_late, sure < 0.8, sure > 0.97)))
    assert unsure_now.policy.overall.value == NEVER
    sure_now = kept(desk, rows, np.flatnonzero(np.where(of_late, sure > 0.97, sure < 0.8)))
    assert sure_now.policy.overall.cases == (of_late & (sure > 0.97)).sum()


def test_the_policy_says_what_was_promised_and_how_long_a_list_holds_the_right_agency(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold],
) -> None:
    undated = [replace(row, received_at="") for row in desk[1]]
    for rows in (desk[1], undated):
        found = kept(desk, rows, np.arange(ROWS))
        policy = found.policy
        assert policy.confidence == pytest.approx(0.9)
        assert (policy.target_error, policy.list_coverage) == (0.05, 0.95)
        assert (found.judged.truth_probability >= policy.list_cut).mean() == pytest.approx(0.95, abs=0.005)


def test_labels_without_a_date_are_a_sample_with_a_bound(desk: tuple[Reader, list[LabelledComplaint], OutOfFold]) -> None:
    undated = [replace(row, received_at="") for row in desk[1]]
    found = kept(desk, undated, np.arange(ROWS))
    assert found.reliability.per_agency == {}
    assert found.policy.per_agency or found.policy.overall.value != NEVER


@pytest.mark.parametrize("rows", [5, 18, 58, 59, 400])
def test_few_dated_answers_promise_no_more_than_as_many_undated_ones(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold], rows: int
) -> None:
    """All of them right: the curve of a stream would know no doubt."""
    reader, complaints, answers = desk
    right = np.flatnonzero(answers.agencies[answers.scores.argmax(axis=1)] == np.array([row.agency for row in complaints]))[:rows]
    dated = kept((reader, complaints, answers), complaints, right)
    assert dated.policy == kept((reader, complaints, answers), [replace(row, received_at="") for row in complaints], right).policy
    assert (dated.policy.overall.value == NEVER) == (rows < 59), "so many right ones prove 5 % at half of delta"


def test_enough_dated_verdicts_decide_alone_beside_an_undated_corpus(
    desk: tuple[Reader, list[LabelledComplaint], OutOfFold],
) -> None:
    corpus = [replace(row, received_at="") for row in desk[1][:1500]]
    dated = np.arange(1500, ROWS)
    alone, beside = kept(desk, desk[1], dated), kept(desk, [*corpus, *desk[1][1500:]], np.arange(ROWS))
    assert beside.policy == alone.policy
    assert beside.reliability == alone.reliability
    for dated_ones, decide in ((ENOUGH_DATED - 1, False), (ENOUGH_DATED, True)):
        found = kept(desk, [*corpus, *desk[1][1500:]], np.arange(1500 + dated_ones))
        assert (found.reliability.per_agency != {}) is decide, "what is special of late is learnt from a stream alone"


def test_a_blind_verdict_stands_for_all_that_were_not_drawn() -> None:
    verdicts = [
        LabelledComplaint("x"),
        LabelledComplaint("x", blind=True),
        LabelledComplaint("x", blind=True, audit_share=0.2),
        LabelledComplaint("x", audit_share=0.2),
    ]
    assert stands_for(verdicts).tolist() == [1, 20, 5, 1]
