"""Turns: whoever waits longest comes next, and nobody while another is there."""

from __future__ import annotations

import threading
import time

import pytest

from service.storage.turns import FairLock, Job, Turns, nothing
from tests.patience import wait_until


def test_a_fair_lock_goes_to_whoever_waits_longest_and_to_one_at_a_time() -> None:
    lock, came, inside, most = FairLock(), list[int](), list[int](), list[int]()

    def enter(number: int) -> None:
        with lock:
            inside.append(number)
            most.append(len(inside))
            came.append(number)
            time.sleep(0.005)
            inside.remove(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(12)]
    with lock:
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda number=number: len(lock._turns) == number)  # type: ignore[misc]  # it stands in the line before the next
    for thread in threads:
        thread.join()
    assert came == list(range(12))
    assert set(most) == {1}


def test_a_fair_lock_is_free_again_after_an_error() -> None:
    lock, came = FairLock(), list[str]()
    with pytest.raises(ValueError, match="inside"), lock:
        raise ValueError("inside")

    def enter() -> None:
        with lock:
            came.append("in")

    other = threading.Thread(target=enter, daemon=True)
    other.start()
    other.join(5)
    assert came == ["in"]


def test_whose_time_is_up_while_somebody_does_their_work_waits_until_it_is_done() -> None:
    turns, job, mine = Turns(), Job(nothing), list[bool]()
    assert turns.wait(Job(nothing))
    impatient = threading.Thread(target=lambda: mine.append(turns.wait(job, 0.2)))
    impatient.start()
    wait_until(lambda: len(turns))
    taken_over = turns.gather()
    impatient.join(0.5)
    assert (list(taken_over), impatient.is_alive()) == ([job], True)
    job.finish()
    impatient.join(30)
    assert mine == [False], "it was done, and is not to be done again"
