"""Rows of other regions teach what all have in common, and leave alone what a region does its own way."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from model.faults import InvalidData
from training.fitting.fit import TemperedSVC
from training.rows.data import HOME

LAMP, ROAD, WATER = np.eye(3)


def fitted(local: float) -> TemperedSVC:
    """Lamps are the road office's at home, the transport office's elsewhere, of which there is more; only elsewhere is water."""
    home = [(LAMP, "roads", HOME)] * 6 + [(ROAD, "roads", HOME)] * 3 + [(ROAD + LAMP, "transport", HOME)] * 3
    others = [(LAMP, "transport", "b")] * 20 + [(WATER, "water", "b")] * 6 + [(ROAD, "roads", "b")] * 6
    rows, labels, origins = zip(*home, *others, strict=True)
    return TemperedSVC(C=1.0, local=local).fit(
        csr_matrix(np.array(rows)), np.array(labels), origins=np.array(origins, dtype=object)
    )


def answer(model: TemperedSVC, row: np.ndarray) -> str:
    return str(model.predict(csr_matrix(row))[0])


def test_what_a_region_does_its_own_way_stays_with_it() -> None:
    assert answer(fitted(local=0.0), LAMP) == "transport"
    assert answer(fitted(local=2.0), LAMP) == "roads"


def test_what_only_others_had_is_learnt_from_them() -> None:
    assert answer(fitted(local=1.0), WATER) == "water"


def test_answering_needs_no_more_features_than_were_given() -> None:
    model = fitted(local=2.0)
    assert model.coef_.shape == (3, 3)
    assert model.n_features_in_ == 3


def test_rows_of_one_region_alone_are_fitted_as_if_there_were_no_others() -> None:
    rows, labels = csr_matrix(np.array([LAMP, ROAD, LAMP, ROAD])), np.array(["a", "b", "a", "b"])
    apart = TemperedSVC().fit(rows, labels, origins=np.array([HOME] * 4, dtype=object))
    assert np.array_equal(apart.coef_, TemperedSVC().fit(rows, labels).coef_)


def test_a_single_class_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidData, match=r"^data: .* one agency alone \(roads\)"):
        TemperedSVC().fit(csr_matrix(np.array([LAMP, ROAD])), np.array(["roads", "roads"]))
