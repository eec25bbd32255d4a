"""What is remembered is what would be worked out, and it is bounded."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.remembered import Remembered


def counted(most: int) -> tuple[Remembered[str, str], list[str]]:
    asked: list[str] = []

    def upper(word: str) -> str:
        asked.append(word)
        return word.upper()

    return Remembered(upper, most), asked


def test_what_was_worked_out_is_not_worked_out_again() -> None:
    words, asked = counted(10)
    assert [words["a"], words["b"], words["a"]] == ["A", "B", "A"]
    assert asked == ["a", "b"]


def test_no_more_than_the_bound_is_kept() -> None:
    words, _ = counted(10)
    for number in range(1_000):
        assert words[f"w{number}"] == f"W{number}"
        assert len(words) + len(words._old) <= 10


def test_a_word_that_keeps_coming_outlives_a_flood_of_new_ones() -> None:
    words, asked = counted(10)
    for number in range(1_000):
        assert words["a"] == "A"
        assert words[f"w{number}"] == f"W{number}"
    assert asked.count("a") == 1


def test_a_word_that_does_not_come_again_is_forgotten() -> None:
    words, asked = counted(4)
    for word in "abcdefa":
        assert words[word] == word.upper()
    assert asked.count("a") == 2


def test_an_error_is_not_remembered() -> None:
    answers: dict[str, str] = {}
    words = Remembered(answers.__getitem__, 4)
    with pytest.raises(KeyError):
        words["a"]
    answers["a"] = "now"
    assert words["a"] == "now"


@given(st.lists(st.sampled_from("abcdefgh")), st.integers(1, 9))
def test_any_order_of_questions_has_the_same_answers(asked: list[str], most: int) -> None:
    words, _ = counted(most)
    assert [words[word] for word in asked] == [word.upper() for word in asked]


def test_threads_share_one_that_overflows() -> None:
    words, _ = counted(6)
    asked = [f"w{number % 17}" for number in range(20_000)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(words.__getitem__, asked)) == [word.upper() for word in asked]
