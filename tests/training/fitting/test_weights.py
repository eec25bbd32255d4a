"""What features weigh makes a text the sum of its words."""

import math

import numpy as np
import pytest

from model.features import char_units, stem_units
from model.text import Word
from training.fitting.weights import UnitSums


def text(*stems: str) -> list[Word]:
    return [Word(stem, stem, "text", place, place + 1, place == 0, stem) for place, stem in enumerate(stems)]


TEXTS = [text("jalan", "rusak"), text("jalan", "rusak", "rusak"), text("jalan", "lampu"), text("lampu")]


def test_only_what_stands_in_enough_texts_is_a_feature() -> None:
    assert UnitSums(stem_units).fit(TEXTS).names_ == ["sjalan", "sjalan rusak", "slampu", "srusak"]


def test_copies_count_once_for_what_is_a_feature_and_each_for_how_rare_it_is() -> None:
    """Without the second of two copies "jalan" stands in two texts, "rusak" and the pair of both in one."""
    alone, copied = (UnitSums(stem_units).fit(TEXTS, groups=groups) for groups in (range(4), [7, 7, 1, 2]))
    assert copied.names_ == ["sjalan", "slampu"]
    assert copied.weights_.tolist() == alone.weights_[[0, 2]].tolist()


def test_rare_features_weigh_more_and_rareness_is_a_power_of_it() -> None:
    plain, squared = (UnitSums(stem_units, rareness=rareness).fit(TEXTS).weights_ for rareness in (1.0, 2.0))
    assert plain == pytest.approx(1 + np.log([5 / 4, 5 / 3, 5 / 3, 5 / 3]))
    assert squared == pytest.approx(plain**2)


def test_a_text_is_the_sum_of_its_units_over_the_root_of_what_they_weigh() -> None:
    sums = UnitSums(stem_units).fit(TEXTS)
    road, pair, _, broken = sums.weights_
    gain = 1 + math.log(2)
    length = math.sqrt(road**2 + pair**2 + gain**2 * broken**2)
    assert sums.transform(TEXTS).toarray()[1] == pytest.approx(np.array([road, pair, 0, gain * broken]) / length)


def test_characters_are_those_inside_the_words() -> None:
    sums = UnitSums(char_units).fit(TEXTS)
    assert "clamp" in sums.names_
    assert sums.transform([text("lamp")]).toarray()[0, sums.names_.index("clamp")] > 0


def test_a_text_without_a_known_feature_stays_zero() -> None:
    sums = UnitSums(stem_units).fit(TEXTS)
    assert sums.transform([text("banjir"), []]).toarray().tolist() == [[0] * 4] * 2
