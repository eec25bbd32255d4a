"""A landmark says where a matter is; features are made without it, and everything else still reads it."""

import pytest

from model.complaint import Complaint
from model.landmarks import Landmarks
from model.reader import Reader
from model.register import Register
from model.text import load_landmarks

READER = Reader(Register(agencies=()))
PARTS = {"near", "between", "landmark", "detail"}


def left(text: str, title: str = "") -> str:
    """Write what is left of a complaint, as it was written but for abbreviations."""
    return " ".join(word.text for word in READER.read(Complaint(text=text, title=title)).matter)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Lampu di depan rumah sakit mati", "lampu di depan mati"),
        ("lampu mati dpn rs", "lampu mati depan"),
        ("got mampet dekat SD 004", "got mampet dekat"),
        ("got mampet di belakang pagar kantor desa", "got mampet di belakang pagar"),
        ("macet di depan pintu gerbang pasar induk tiap pagi", "macet di depan pintu gerbang tiap pagi"),
        ("jalan menuju puskesmas rusak", "jalan menuju rusak"),
        ("sampah sebelah kiri dari masjid", "sampah sebelah kiri dari"),
        ("di samping toko dekat terminal ada lubang", "di samping dekat ada lubang"),
    ],
)
def test_what_stands_behind_a_word_of_nearness_is_left_out(written: str, expected: str) -> None:
    assert left(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "antre di puskesmas lama sekali",
        "sekolah di depan belum punya guru",
        "lampu di depan kami mati",
        "dokter rumah sakit tidak ada",
        "pasar depan kotor",
        "dekat",
        "di depan persis di sebelah barat dari pagar pasar",  # too far behind
    ],
)
def test_a_matter_stays_what_it_is(written: str) -> None:
    assert left(written) == written


def test_a_landmark_has_an_end() -> None:
    assert left("lubang depan kantor dinas kesehatan kota lama sekali") == "lubang depan lama sekali"


def test_no_landmark_reaches_across_title_and_text() -> None:
    assert left("sekolah rusak", title="Lubang di depan") == "lubang di depan sekolah rusak"


def test_an_abbreviation_is_left_out_whole_or_not_at_all() -> None:
    words = READER.read(Complaint("parkir liar di depan rs dan rsud")).matter
    assert [word.text for word in words] == ["parkir", "liar", "di", "depan", "dan", "rsud"]
    assert all(word.written for word in words)


def test_a_complaint_without_a_landmark_costs_no_copy() -> None:
    words = READER.analyzer.words(Complaint("lampu jalan mati"))
    assert Landmarks().leave_out(words) is words


def test_places_and_rules_still_read_every_word() -> None:
    reading = READER.read(Complaint("lampu di depan rumah sakit mati"))
    assert [word.text for word in reading.words] == ["lampu", "di", "depan", "rumah", "sakit", "mati"]


def test_every_word_of_the_lexicon_has_a_part_that_exists() -> None:
    assert set(load_landmarks().values()) == PARTS
