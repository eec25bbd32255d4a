"""How often somebody may call."""

from __future__ import annotations

import threading

import pytest

from service import rates
from service.rates import Counter, Rate, parse


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("text", "rate"), [("10 per minute", Rate(10, 60)), (" 1 per day ", Rate(1, 86_400))])
def test_a_rate_is_read(text: str, rate: Rate) -> None:
    assert parse(text) == rate


@pytest.mark.parametrize("text", ["", "often", "0 per minute", "-1 per day", "10/minute", "10 per month", "٣ per day"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="per minute"):
        parse(text)


def test_calls_beyond_the_rate_wait_for_the_next_window() -> None:
    clock = Clock()
    counter = Counter(clock)
    rate = Rate(2, 60)
    assert [counter.wait("ani", rate) for _ in range(3)] == [0, 0, 20]
    assert counter.wait("budi", rate) == 0
    clock.now += 20
    assert counter.wait("ani", rate) == 0


def test_a_crowd_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_CROWD", 10)
    counter = Counter(Clock())
    for number in range(100):
        counter.wait(str(number), Rate(1, 60))
    assert len(counter._counts) <= 10


def test_no_call_is_counted_twice_or_not_at_all() -> None:
    counter = Counter(Clock())
    passed: list[bool] = []

    def call() -> None:
        passed.extend(counter.wait("ani", Rate(500, 60)) == 0 for _ in range(200))

    callers = [threading.Thread(target=call) for _ in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sum(passed) == 500
