"""What n-grams weigh makes a text the sum of its words."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.weights import OccurrenceWeights

COUNTS = csr_matrix(np.array([[1, 2, 0], [1, 0, 1], [1, 1, 0], [1, 0, 0]]))


def weigh(rareness: float = 1.0, counts: csr_matrix = COUNTS) -> Any:
    return OccurrenceWeights(rareness).fit(COUNTS).transform(counts).toarray()


def test_what_stands_in_every_text_weighs_one_and_rare_features_more() -> None:
    weights = OccurrenceWeights().fit(COUNTS).weights_
    assert weights == pytest.approx(1 + np.log([5 / 5, 5 / 3, 5 / 2]))


def test_rareness_is_a_power_of_the_weights() -> None:
    plain, squared = (OccurrenceWeights(rareness).fit(COUNTS).weights_ for rareness in (1.0, 2.0))
    assert squared == pytest.approx(plain**2)


def test_a_text_is_the_sum_of_its_occurrences_over_the_root_of_what_they_weigh() -> None:
    common, rare, _ = OccurrenceWeights().fit(COUNTS).weights_
    assert weigh()[0] == pytest.approx(np.array([common, 2 * rare, 0]) / np.sqrt(common**2 + 2 * rare**2))


def test_where_no_feature_occurs_twice_a_text_has_length_one() -> None:
    assert np.linalg.norm(weigh()[1:], axis=1) == pytest.approx([1, 1, 1])


def test_a_text_said_four_times_counts_twice() -> None:
    assert weigh(counts=COUNTS * 4) == pytest.approx(2 * weigh())


def test_a_text_without_a_known_feature_stays_zero() -> None:
    assert weigh(counts=csr_matrix((1, 3), dtype=np.int64)).tolist() == [[0, 0, 0]]
