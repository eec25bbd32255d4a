"""Whom a model serves worse: slices by what complaints are like, and which of them fare worse than chance explains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.labelled import LabelledComplaint
from training.measures import slices


def complaint(text: str = "lampu jalan mati", **fields: Any) -> LabelledComplaint:
    return LabelledComplaint(text=text, agency="dlh", **fields)


def measured(names: dict[str, list[str]], right: list[bool], sent: list[bool]) -> dict[str, dict[str, Any]]:
    found = slices.measure(names, np.array(right), np.array(sent), 0.05, 0.9)
    return {f"{one['kind']}: {one['name']}": one for one in found}


def test_complaints_are_told_apart_by_channel_length_place_month_language_and_style() -> None:
    rows = [
        complaint("pipa bocor", received_at="2026-03-04T08:00:00+08:00", extra={"channel": "SMS", "style": "singkat"}),
        complaint("banyu ora mili neng omah kula wis telung dina iki lho pak nuwun", source="surabaya"),
    ]
    assert slices.kinds(rows, ["Telen", ""]) == {
        "channel": ["SMS", "surabaya"],
        "length": ["under 10 words", "10 to 24 words"],
        "place": ["Telen", "unknown"],
        "month": ["2026-03", "unknown"],
        "language": ["standard", "regional"],
        "style": ["singkat", "unknown"],
    }


def test_what_all_complaints_have_in_common_makes_no_slice() -> None:
    assert slices.kinds([complaint(), complaint()], ["Telen", "Telen"]) == {}
    assert slices.kinds([], []) == {}


def test_a_slice_of_a_few_complaints_is_not_judged() -> None:
    names = {"length": ["short"] * slices.MIN_SHOWN + ["long"] * (slices.MIN_SHOWN - 1)}
    size = 2 * slices.MIN_SHOWN - 1
    assert measured(names, [True] * size, [True] * size).keys() == {"length: short"}


def test_a_slice_tells_its_accuracy_and_what_it_sends() -> None:
    right = [True] * 30 + [False] * 10 + [True] * 60
    sent = [True] * 20 + [False] * 10 + [True] * 10 + [False] * 60
    found = measured({"place": ["Telen"] * 40 + ["Busang"] * 60}, right, sent)
    telen, busang = found["place: Telen"], found["place: Busang"]
    assert (telen["rows"], telen["accuracy"], telen["auto"]["sent"], telen["auto"]["wrong"]) == (40, 0.75, 30, 10)
    assert telen["accuracy_interval"][0] < 0.75 < telen["accuracy_interval"][1]
    assert (busang["accuracy"], busang["auto"]["sent"]) == (1.0, 0)


def test_a_slice_is_called_worse_only_beyond_chance() -> None:
    names = {"language": ["regional"] * 100 + ["standard"] * 400}
    right = [n % 5 != 0 for n in range(500)]
    assert not any(one["worse"] for one in measured(names, right, [False] * 500).values())
    right[:100] = [n % 2 != 0 for n in range(100)]
    found = measured(names, right, [False] * 500)
    assert {name: one["worse"] for name, one in found.items()} == {"language: regional": True, "language: standard": False}


def test_of_many_like_slices_hardly_one_is_called_worse() -> None:
    rng = np.random.default_rng(0)
    names = {"place": [f"Kecamatan {n % 40:02}" for n in range(2000)]}
    called = [
        sum(one["worse"] for one in measured(names, (rng.random(2000) < 0.8).tolist(), [False] * 2000).values()) for _ in range(50)
    ]
    assert np.mean(np.array(called) > 0) <= 0.1


def test_an_audited_verdict_counts_for_as_many_as_it_stands_for() -> None:
    names = {"month": ["2026-01"] * 40 + ["2026-02"] * 40}
    right, sent = np.array([True] * 79 + [False]), np.array([False] * 79 + [True])
    each = np.array([1.0] * 79 + [20.0])
    (_, told) = slices.measure(names, right, sent, 0.05, 0.9, each)
    assert told["auto"]["traffic"] == 59
    assert told["auto"]["coverage"] == pytest.approx(20 / 59)


def test_a_name_in_a_file_cannot_command_a_terminal() -> None:
    rows = [complaint(extra={"channel": "\x1b]0;judul\x07" + "x" * 100}), complaint(extra={"channel": "web"})]
    strange, _ = slices.kinds(rows, ["", ""])["channel"]
    assert strange.isprintable()
    assert len(strange) == slices.MAX_NAME
