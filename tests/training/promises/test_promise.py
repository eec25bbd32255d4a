"""The promise: what goes out by itself goes wrong no more often than said, and a test that can fail shows it."""

import numpy as np
import pytest
from scipy.stats import binom

from model.policy import NEVER, Policy, Threshold
from model.routing import Guarantee
from training.config import TrainingConfig
from training.promises import promise

TARGET, DELTA = 0.05, 0.1


def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as they say."""
    sure = rng.beta(5, 1, rows)
    return sure, rng.random(rows) < sure


def test_the_promise_is_broken_in_no_more_calibrations_than_delta() -> None:
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(300):
        cut = promise.threshold(*drawn(rng, 1500), TARGET, DELTA)
        sure, _ = drawn(rng, 20_000)
        sent = sure >= cut.value
        broken += bool(sent.any() and (1 - sure[sent]).mean() > TARGET)
    assert broken <= binom.ppf(0.99, 300, DELTA)


def test_answers_that_are_all_wrong_just_too_often_are_sent_by_no_more_calibrations_than_delta() -> None:
    rng = np.random.default_rng(6)
    found = [promise.threshold(rng.random(1_000), rng.random(1_000) >= TARGET, TARGET, DELTA) for _ in range(400)]
    assert 0 < sum(one.value != NEVER for one in found) <= binom.ppf(0.99, 400, DELTA)


def answers(*blocks: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """So many wrong among so many answers, evenly, block by block; the surest first."""
    right = np.concatenate([np.diff(np.arange(rows + 1) * wrong // rows) == 0 for wrong, rows in blocks])
    return np.linspace(1, 0, len(right)), right


def test_one_unlucky_top_does_not_end_all() -> None:
    lucky, unlucky = (promise.threshold(*answers((top, 300), (12, 1_200), (900, 1_500)), TARGET, DELTA) for top in (0, 15))
    assert unlucky.cases >= 1_500
    assert lucky.cases >= unlucky.cases


def test_a_wrong_one_too_many_in_the_surest_tenth_and_in_three_tenths_does_not_end_all_between_them() -> None:
    wrong, rows = np.cumsum([14, 8, 28]), np.cumsum([400, 400, 400])
    assert (binom.cdf(wrong, rows, TARGET) > DELTA / 2).tolist() == [True, False, True]
    found = promise.threshold(*answers((14, 400), (8, 400), (28, 400), (1_500, 2_800)), TARGET, DELTA)
    assert 800 <= found.cases < 1_200


def test_enough_good_answers_are_sent_at_all() -> None:
    sure, right = drawn(np.random.default_rng(2), 5000)
    cut = promise.threshold(sure, right, TARGET, DELTA)
    assert (sure >= cut.value).mean() > 0.1


def test_too_few_cases_promise_nothing() -> None:
    assert promise.threshold(np.full(40, 0.99), np.ones(40, dtype=bool), TARGET, DELTA).value == NEVER


def test_fifty_nine_right_ones_are_the_fewest_that_promise_anything_and_not_one_of_them_may_be_wrong() -> None:
    """0.95 ** 59 is 4.8 %, less than the half of delta that each of the two sequences has; 0.95 ** 58 is more."""
    sure, right = answers((0, 59))
    assert promise.threshold(sure, right, TARGET, DELTA) == Threshold(sure[-1], 59)
    assert promise.threshold(*answers((0, 60)), TARGET, DELTA).cases == 60
    assert promise.threshold(sure[:58], right[:58], TARGET, DELTA) == Threshold(NEVER, 0)
    assert promise.threshold(sure[:0], right[:0], TARGET, DELTA) == Threshold(NEVER, 0)
    assert promise.threshold(sure, right & (sure > sure[-1]), TARGET, DELTA) == Threshold(NEVER, 0)


def test_answers_that_are_mostly_wrong_are_never_sent() -> None:
    rng = np.random.default_rng(3)
    assert promise.threshold(rng.random(2000), rng.random(2000) < 0.5, TARGET, DELTA).value == NEVER


def test_answers_of_equal_sureness_go_or_stay_together() -> None:
    sure = np.repeat([0.9, 0.5], 500)
    right = np.concatenate([np.ones(500, dtype=bool), np.zeros(500, dtype=bool)])
    assert promise.threshold(sure, right, TARGET, DELTA).cases == 500


def test_the_list_holds_the_truth_as_often_as_asked() -> None:
    rng = np.random.default_rng(4)
    calibration, later = rng.random(2000), rng.random(20_000)
    assert (later >= promise.list_cut(calibration, 0.95)).mean() == pytest.approx(0.95, abs=0.015)


def test_the_list_holds_the_truth_as_often_as_asked_where_some_stand_for_many() -> None:
    """One in ten surest answers of an audit: the one that comes may be of the many that nobody saw."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        came = rng.random(1_500)
        seen = (came < 0.6) | (rng.random(len(came)) < 0.1)
        cut = promise.list_cut(came[seen], 0.95, np.where(came[seen] < 0.6, 1.0, 10.0))
        covered.append(1 - cut)  # the share of [0, 1) at the cut or above it
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize(("cases", "listed"), [(18, 0.0), (19, 0.01), (38, 0.01), (39, 0.02)])
def test_of_twenty_cases_one_may_be_missed_the_one_that_comes_counted_among_them(cases: int, listed: float) -> None:
    assert promise.list_cut(np.arange(1, cases + 1) / 100, 0.95) == listed


def test_the_one_that_comes_counts_as_the_heaviest() -> None:
    """43 in all, so 8.6 may be missed: the one that comes, for 3, and the first five, for 5 of the 5.6 left."""
    each = np.array([1.0] * 4 + [3.0] * 12)
    assert promise.list_cut(np.arange(1, 17) / 100, 0.8, each) == 0.05
    assert promise.list_cut(np.arange(1, 17) / 100, 0.8) == 0.03
    assert promise.list_cut(np.arange(1, 16) / 100, 0.5, each[1:]) == 0.09, "21 of 42: 3, and the first eight, for 18"


def test_too_few_cases_for_a_list_list_all() -> None:
    assert promise.list_cut(np.array([0.1, 0.2, 0.3]), 0.95, np.array([1.0, 1.0, 20.0])) == 0.0
    assert promise.list_cut(np.array([]), 0.95) == 0.0


def fitted(said: np.ndarray, right: np.ndarray, sure: np.ndarray | float = 0.9) -> Policy:
    every = np.broadcast_to(sure, said.shape)
    return promise.policy(every, said, right, every, TrainingConfig())


def test_agencies_that_keep_the_promise_share_one_threshold_and_what_stands_behind_it() -> None:
    said = np.array(["dinas", "badan"] * 1_000 + ["kantor"] * 10)
    found = fitted(said, np.arange(len(said)) % 50 > 0)
    assert found.per_agency == {}
    assert found.guarantee("kantor") == Guarantee(0.05, 0.9, 0.9, 2_010, "overall")
    assert found.list_cut == 0.9


def test_agencies_that_keep_the_promise_do_not_lend_it_to_one_that_breaks_it() -> None:
    said = np.array(["dinas"] * 3_000 + ["badan"] * 200)
    right = np.ones(len(said), dtype=bool)
    right[3_000::10] = False
    found = fitted(said, right)
    assert found.per_agency == {"badan": Threshold(NEVER, 0)}
    assert found.threshold("dinas").cases == len(said), "all of them together keep it"


def test_an_agency_that_breaks_the_promise_goes_on_where_it_keeps_it_by_itself() -> None:
    said = np.array(["dinas"] * 4_000 + ["badan"] * 400)
    sure = np.concatenate([np.full(4_000, 0.8), np.full(200, 0.9), np.full(200, 0.8)])
    right = np.ones(len(said), dtype=bool)
    right[-200::3] = False
    assert fitted(said, right, sure).per_agency == {"badan": Threshold(0.9, 200)}


def test_nor_do_they_lend_it_to_many_small_ones_that_break_it_together() -> None:
    said = np.array(["dinas"] * 3_000 + ["badan", "kantor"] * 140)
    right = np.ones(len(said), dtype=bool)
    right[3_000::10] = False
    found = fitted(said, right)
    assert [found.threshold(agency).value for agency in ("badan", "kantor", "baru")] == [NEVER] * 3
    assert found.threshold("dinas") == Threshold(0.9, len(said))


@pytest.mark.parametrize(("wrong", "breaks"), [(11, False), (12, True)])
def test_an_agency_breaks_the_promise_where_chance_would_hardly_make_so_many_wrong(wrong: int, breaks: bool) -> None:
    """Where 5 % go wrong, of 150 that are sent 11 or more are wrong in 0.13 of all cases, and 12 or more in 0.07."""
    said = np.array(["dinas"] * 3_000 + ["badan"] * 150)
    right = np.ones(len(said), dtype=bool)
    right[-wrong:] = False
    assert ("badan" in fitted(said, right).per_agency) is breaks


@pytest.mark.parametrize(("rows", "own"), [(promise.MIN_AGENCY_ROWS, {"badan"}), (promise.MIN_AGENCY_ROWS - 1, set())])
def test_an_agency_is_looked_at_by_itself_where_it_has_rows_enough(rows: int, own: set[str]) -> None:
    said = np.array(["dinas"] * 3_000 + ["badan"] * rows + ["kantor"] * 140)
    assert fitted(said, (said != "badan") | (np.arange(len(said)) % 8 > 0)).per_agency.keys() == own
