"""Splits: nobody is tested by what it learnt from."""

import numpy as np
import pytest

from model.faults import InvalidData
from training.rows.split import Fold, forward, grouped, judged_on


def test_every_block_is_tested_by_strictly_earlier_days() -> None:
    dates = [f"2026-{month:02d}-{day:02d}T08:00:00" for month in range(1, 7) for day in range(1, 29)]
    folds = forward(dates, 4)
    assert len(folds) == 4
    for fold in folds:
        assert max(dates[n][:10] for n in fold.train) < min(dates[n][:10] for n in fold.test)


def test_blocks_cover_all_days_after_the_first_part_once() -> None:
    dates = [f"2026-01-{day:02d}" for day in range(1, 31)]
    tested = np.concatenate([fold.test for fold in forward(dates, 3)])
    assert sorted(tested) == list(range(6, 30))


def test_rows_of_one_day_stay_together() -> None:
    dates = ["2026-01-01"] * 5 + ["2026-01-02"] * 5 + ["2026-01-03"] * 5
    folds = forward(dates, 5)
    assert len(folds) == 2
    for fold in folds:
        assert not {dates[n] for n in fold.train} & {dates[n] for n in fold.test}


def test_rows_that_only_teach_are_in_no_test_and_in_every_training() -> None:
    folds = [Fold(np.arange(4), np.arange(4, 8)), Fold(np.arange(8), np.arange(8, 10))]
    judged = np.array([number % 2 == 0 for number in range(8)] + [False, False])
    (left,) = judged_on(folds, judged)
    assert (left.train.tolist(), left.test.tolist()) == ([0, 1, 2, 3], [4, 6])
    assert judged_on(folds, np.zeros(10, dtype=bool)) == folds, "where nothing could judge, all do"


def test_near_duplicates_never_stand_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, 200)
    for fold in grouped(rng.choice(["a", "b", "c"], 200).tolist(), groups.tolist(), 5, seed=0):
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_what_has_no_dates_is_tested_once_in_as_many_folds_as_asked_the_same_way_for_the_same_seed() -> None:
    labels = ["a", "b", "c"] * 40
    groups = list(range(120))
    folds = grouped(labels, groups, 5, seed=3)
    assert len(folds) == 5
    assert sorted(np.concatenate([fold.test for fold in folds])) == groups
    assert all(sorted([*fold.train, *fold.test]) == groups for fold in folds)
    counts = [[labels[number] for number in fold.test].count("a") for fold in folds]
    assert set(counts) == {8}, "each fold has its share of every agency"
    tests = [[fold.test.tolist() for fold in grouped(labels, groups, 5, seed)] for seed in (3, 3, 4)]
    assert tests[0] == tests[1] != tests[2]


def test_fewer_complaints_of_every_agency_than_folds_are_refused_in_words() -> None:
    assert len(grouped(["a"] * 5 + ["b"] * 2, list(range(7)), 5, seed=0)) == 5
    for labels in ([], ["a"] * 4 + ["b"] * 4):
        with pytest.raises(InvalidData, match="no agency has 5 complaints of this region's own: too few to judge a model by"):
            grouped(labels, list(range(len(labels))), 5, seed=0)
