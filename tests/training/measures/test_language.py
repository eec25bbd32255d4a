import pytest

from training.measures.language import COLLOQUIAL, ENGLISH, REGIONAL, STANDARD, leaning


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Jalan di depan sekolah rusak parah dan belum diperbaiki", STANDARD),
        ("gmn nih lampu jalan mati udah lama bgt", COLLOQUIAL),
        ("kulo nyuwun tulung, dalan ngarep omah wis suwe ora didandani", REGIONAL),
        ("please fix the street light near our school", ENGLISH),
        ("", STANDARD),
    ],
)
def test_the_language_that_a_text_leans_to(text: str, language: str) -> None:
    assert leaning(text) == language
