"""The gate, put to figures that are written by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest

from model.ledger import Verdict
from training.judging.gate import Automatic, Paired, Slice, beyond_chance, decide, pair

NONE_SENT = Automatic(0, 0, 0.0, 0.0, (0.0, 1.0), 0)


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        drawn = rng.choice(3, size=400, p=[0.08, 0.05, 0.87])
        low, high = pair(drawn != 0, drawn != 1, rng).interval
        held += low <= 0.03 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_mcnemar_is_the_exact_binomial_test_of_what_changed() -> None:
    before = np.array([True] * 50 + [False] * 9 + [True] * 2)
    after = np.array([True] * 50 + [True] * 9 + [False] * 2)
    found = pair(before, after, np.random.default_rng(0))
    assert (found.better, found.worse) == (9, 2)
    assert found.p_value == pytest.approx(binomtest(9, 11).pvalue)


def paired(rows: int, better: int, worse: int, interval: tuple[float, float] = (-0.02, 0.02)) -> Paired:
    return Paired(rows, 0.8, 0.8 + (better - worse) / rows, better, worse, interval, 0.5)


def test_worse_beyond_the_interval_is_held() -> None:
    verdict, reasons, _ = decide(paired(1000, 10, 50, (-0.05, -0.03)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)
    assert verdict is Verdict.HOLD
    assert reasons == ("worse over all: -4.0% [-5.0%, -3.0%]",)


def judged_by(*agencies: Paired) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    slices = [Slice("agency", f"instansi-{number}", one) for number, one in enumerate(agencies)]
    return decide(paired(1000, 30, 20), slices, (NONE_SENT, NONE_SENT), 0.05, 0.9)


@pytest.mark.parametrize(
    ("rows", "better", "worse", "verdict"),
    [
        (60, 0, 9, Verdict.HOLD),
        (29, 0, 9, Verdict.PROMOTE),  # too few rows to be looked at
        (400, 0, 20, Verdict.PROMOTE),  # exactly five points
        (400, 0, 21, Verdict.HOLD),
        (30, 0, 2, Verdict.PROMOTE),  # 6.7 points, and a coin falls so one time in four
        (60, 8, 12, Verdict.PROMOTE),  # 6.7 points of much that changed
    ],
)
def test_an_agency_that_loses_more_than_five_points_is_held_where_chance_does_not_explain_it(
    rows: int, better: int, worse: int, verdict: Verdict
) -> None:
    found, reasons, _ = judged_by(paired(rows, better, worse))
    assert found is verdict
    assert any("instansi-0 loses" in reason and reason.endswith("beyond chance") for reason in reasons) is (verdict is Verdict.HOLD)


def test_a_loss_that_chance_explains_is_a_warning_and_told_among_the_reasons() -> None:
    verdict, reasons, warnings = judged_by(paired(30, 0, 2), paired(100, 5, 5))
    assert verdict is Verdict.PROMOTE
    assert warnings == ("instansi-0 loses 6.7% of 30, which chance explains",)
    assert reasons[1].startswith(
        "none of 2 agencies with 30 complaints or more loses more than 5% beyond chance; 1 within it: inst"
    )
    assert judged_by(paired(30, 0, 2), paired(60, 0, 12))[2] == warnings  # also where another agency's loss is held


def test_many_agencies_need_a_clearer_loss_than_one_and_those_that_hardly_changed_do_not_count() -> None:
    lost = paired(60, 0, 5)
    assert beyond_chance([lost]) == [True]
    assert beyond_chance([lost, *[paired(60, 4, 4)] * 11])[0] is False
    assert beyond_chance([lost, *[paired(60, 1, 1)] * 11])[0] is True
    assert beyond_chance([lost, *[paired(60, 2, 2)] * 11])[0] is True, "nor those whose worst could not be told among so many"
    found_both = beyond_chance([paired(60, 3, 9), paired(60, 3, 9), paired(60, 2, 1)])
    assert found_both == [True, True, False], "three changed rows are too few beside two others, and make these two stand alone"


def test_holms_correction_steps_down_and_stops_at_the_first_that_fails() -> None:
    assert beyond_chance([paired(90, 0, 12), paired(90, 2, 9), paired(90, 10, 9)], 0.05) == [True, False, False]
    assert beyond_chance([paired(90, 0, 12), paired(90, 2, 12), paired(90, 10, 9)], 0.05) == [True, True, False]
    assert beyond_chance([paired(90, 0, 4), paired(90, 2, 6), paired(90, 3, 7)], 0.2) == [True, False, False]
    assert beyond_chance([]) == []


def test_an_equal_challenger_is_seldom_held_and_a_lasting_loss_is_mostly_found() -> None:
    rng = np.random.default_rng(0)
    sizes = [300, 160, 100, 80, 60, 60, 50, 40, 35, 30, 30, 30]
    held = found = 0
    for _ in range(300):
        equal = [paired(rows, *rng.multinomial(rows, [0.05, 0.05, 0.9])[:2].tolist()) for rows in sizes]
        lost = paired(60, *rng.multinomial(60, [0.02, 0.17, 0.81])[:2].tolist())
        held += judged_by(*equal)[0] is Verdict.HOLD
        found += judged_by(*equal, lost)[0] is Verdict.HOLD
    assert held / 300 < 0.15
    assert found / 300 > 0.6


@pytest.mark.parametrize(
    ("wrong", "verdict"), [(10, Verdict.PROMOTE), (14, Verdict.PROMOTE), (15, Verdict.HOLD), (0, Verdict.PROMOTE)]
)
def test_a_broken_promise_is_held_where_chance_hardly_explains_it(wrong: int, verdict: Verdict) -> None:
    after = Automatic(200, wrong, 0.2, wrong / 200, (0.0, 1.0), 200)
    assert decide(paired(1000, 30, 20), [], (NONE_SENT, after), 0.05, 0.9)[0] is verdict


def sending(sent: int, wrong: int, cases: int | None = None) -> Automatic:
    """What was sent of a thousand complaints."""
    return Automatic(sent, wrong, sent / 1000, wrong / sent, (0.0, 1.0), sent if cases is None else cases)


def test_what_the_audit_tells_of_all_that_came_weighs_against_what_the_verdicts_tell() -> None:
    overall = paired(420, 20, 4, (0.01, 0.06))
    assert decide(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (0.02, 0.05))[0] is Verdict.PROMOTE
    verdict, reasons, _ = decide(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (-0.075, -0.02))
    assert verdict is Verdict.HOLD
    assert reasons[0] == "worse of all that came, by what the audit tells of what went out by itself: -7.5%"
    by_chance = decide(overall, [], (sending(40, 0), sending(40, 0)), 0.05, 0.9, (0.0, 0.0), (-0.02, 0.01))
    assert by_chance[0] is Verdict.PROMOTE, "a loss that chance would explain"


def test_who_sends_much_less_than_a_champion_that_keeps_its_promise_is_held() -> None:
    before, after = sending(400, 8), sending(100, 2)
    verdict, reasons, _ = decide(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.3, -0.27))
    assert (verdict, reasons) == (Verdict.HOLD, ("sends 10.0% of all by itself where the champion sends 40.0%",))
    within_chance = decide(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.06, 0.01))
    a_little = decide(paired(1000, 30, 20), [], (before, after), 0.05, 0.9, (-0.05, -0.02))
    from_too_much = decide(paired(1000, 30, 20), [], (sending(400, 60), after), 0.05, 0.9, (-0.3, -0.27))
    assert {found[0] for found in (within_chance, a_little, from_too_much)} == {Verdict.PROMOTE}


def test_a_promise_that_the_champion_breaks_more_does_not_keep_it_live() -> None:
    verdict, reasons, warnings = decide(paired(1000, 80, 20), [], (sending(400, 48), sending(400, 28)), 0.05, 0.9)
    assert verdict is Verdict.PROMOTE
    assert reasons[-1] == "28 of 400 sent by itself are wrong: too many, but no more than the champion's"
    assert warnings == ("the promise of 5.0% is broken: 28 of 400 sent by itself are wrong (7.0%, champion 12.0%)",)
    assert decide(paired(1000, 80, 20), [], (sending(400, 28), sending(400, 28)), 0.05, 0.9)[0] is Verdict.PROMOTE
    for kept_or_broken_less in (20, 27):
        automatic = (sending(400, kept_or_broken_less), sending(400, 28))
        assert decide(paired(1000, 80, 20), [], automatic, 0.05, 0.9)[0] is Verdict.HOLD
    too_few_to_tell = decide(paired(1000, 80, 20), [], (sending(10, 1), sending(400, 28)), 0.05, 0.9)
    assert too_few_to_tell[0] is Verdict.HOLD, "one of ten wrong breaks no promise"


def test_few_audited_complaints_that_stand_for_many_break_no_promise_by_chance() -> None:
    assert sending(50, 7).breaks(0.05, 0.9)
    assert not sending(50, 7, cases=8).breaks(0.05, 0.9)


def test_few_rows_and_wide_intervals_decide_nothing() -> None:
    assert decide(paired(99, 1, 1), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.NOT_ENOUGH_DATA
    assert decide(paired(100, 1, 1, (-0.05, 0.05)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.PROMOTE
    wide = decide(paired(200, 20, 20, (-0.06, 0.06)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)
    assert wide[0] is Verdict.NOT_ENOUGH_DATA
    assert "uncertain" in wide[1][0]
    assert decide(paired(200, 20, 8, (0.0, 0.12)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.NOT_ENOUGH_DATA
    assert decide(paired(200, 40, 10, (0.08, 0.22)), [], (NONE_SENT, NONE_SENT), 0.05, 0.9)[0] is Verdict.PROMOTE
