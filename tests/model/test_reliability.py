"""The curve between how sure a model is and how often it is right."""

from __future__ import annotations

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
