"""The curve between how sure a model is and how often it is right."""

from __future__ import annotations

import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.reliability import TINY, Reliability

CURVES = st.builds(
    Reliability,
    intercept=st.floats(-3, 3),
    gain=st.floats(0.05, 5),
    loss=st.floats(0.05, 5),
    per_agency=st.just(MappingProxyType({"dlh": 0.7})),
)


@given(curve=CURVES, probability=st.floats(TINY, 1 - TINY), agency=st.sampled_from(["", "dlh"]))
def test_what_the_curve_made_of_a_probability_can_be_undone(curve: Reliability, probability: float, agency: str) -> None:
    honest = curve(probability, agency)
    assert curve(curve.undo(honest, agency), agency) == pytest.approx(honest, abs=1e-6)


@pytest.mark.parametrize(("honest", "probability"), [(0.0, TINY), (1.0, 1 - TINY)])
def test_what_no_probability_could_give_is_the_nearest_one(honest: float, probability: float) -> None:
    assert Reliability().undo(honest) == pytest.approx(probability, abs=1e-9)


@pytest.mark.parametrize(("given", "honest"), [(0.5, 0.5), (0.9, 0.9), (0.0, TINY), (1.0, 1 - TINY)])
def test_a_curve_of_no_opinion_leaves_what_it_is_given_and_nothing_is_certain(given: float, honest: float) -> None:
    assert Reliability()(given) == pytest.approx(honest, abs=1e-9)


def test_a_curve_is_the_one_of_beta_calibration_with_what_it_knows_of_the_agency() -> None:
    """The odds of 0.9 are 9; log 2 doubles them, and of that the agency has a quarter."""
    curve = Reliability(math.log(2), 1.0, 1.0, {"dlh": -math.log(4)})
    assert curve(0.9) == pytest.approx(18 / 19)
    assert curve(0.9, "dlh") == pytest.approx(4.5 / 5.5)
    assert Reliability(0.0, 1.0, 0.5)(0.9) == pytest.approx(0.9 / (0.9 + 0.1**0.5))
