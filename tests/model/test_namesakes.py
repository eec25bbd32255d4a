"""Places that are called as people are: they stay where the place is meant, and people of that name are masked all the same."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.namesakes import NONE
from model.privacy import mask, namesakes_of
from model.register import Register

PLACES = ["Nainggolan", "Silaen", "Siti Rejo", "Datuk Bandar", "Simanindo", "Girsang Sipangan Bolon", "Sitio-tio"]
NAMESAKES = namesakes_of(PLACES)
PLACE_MEANT = [
    "Nainggolan",
    "  siti  rejo ",
    "Girsang Sipangan Bolon",
    "Jalan rusak di Nainggolan, mohon diperbaiki.",
    "jalan rusak di nainggolan mohon diperbaiki",
    "Camat Nainggolan tidak ada di tempat.",
    "Kades Siti Rejo bolos",
    "warga Silaen dan warga Nainggolan",
    "Siti Rejo banjir lagi",
    "RT 03, Siti  Rejo, belum ada lampu",
    "Datuk Bandar gelap gulita",
    "Listrik padam dari Sitio-tio sampai Nainggolan.",
]
PERSON_MEANT = [
    ("Pak Nainggolan tidak masuk", "Pak [NAMA] tidak masuk"),
    ("Ibu Siti Rejo minta uang", "Ibu [NAMA] minta uang"),
    ("Kemarin Nainggolan sudah lapor", "Kemarin [NAMA] sudah lapor"),
    ("nama saya Siti Rejo", "nama saya [NAMA]"),
    ("Nama: Siti Rejo", "Nama: [NAMA]"),
    ("a.n. Siti Rejo", "a.n. [NAMA]"),
    ("Terima kasih. Siti Rejo", "Terima kasih. [NAMA]"),
    ("Camat Nainggolan Hendra Wijaya bolos", "Camat [NAMA] bolos"),
    ("dibantu Rina Nainggolan", "dibantu [NAMA]"),
    ("[30/11 08.12] Siti Rejo: lampu mati", "[30/11 08.12] [NAMA]: lampu mati"),
]
BOTH_MEANT = [
    ("Bu Siti warga Siti Rejo", "Bu [NAMA] warga Siti Rejo"),
    ("di Silaen Pak Silaen menagih", "di Silaen Pak [NAMA] menagih"),
    ("rumah saya di Nainggolan no 12", "rumah saya di Nainggolan no 12"),
]


@pytest.mark.parametrize("text", PLACE_MEANT)
def test_the_name_of_a_place_stays_where_the_place_is_meant(text: str) -> None:
    assert mask(text, NAMESAKES) == text


@pytest.mark.parametrize(("text", "masked"), PERSON_MEANT + BOTH_MEANT)
def test_somebody_of_that_name_is_masked(text: str, masked: str) -> None:
    assert mask(text, NAMESAKES) == masked


def test_without_the_region_all_of_them_with_capitals_are_taken_for_people() -> None:
    assert [text for text in PLACE_MEANT if mask(text) == text and not text.islower()] == []


def test_only_names_that_masking_would_take_are_namesakes() -> None:
    assert NAMESAKES.places == {place.lower() for place in PLACES} - {"simanindo"}


def test_a_register_knows_its_namesakes_by_name_and_alias(tmp_path: Path) -> None:
    (tmp_path / "agencies.csv").write_text("id,name\ndlh,Dinas Lingkungan Hidup\n", encoding="utf-8")
    places = "kecamatan,desa,type,aliases\nNainggolan,,kecamatan,\nNainggolan,Sinaga Uruk,desa,Hutarihit; Siti Rejo\n"
    (tmp_path / "places.csv").write_text(places, encoding="utf-8")
    assert {"nainggolan", "siti rejo"} <= Register.load(tmp_path).namesakes.places


def test_in_kutai_timur_the_names_of_all_places_stay() -> None:
    register = Register.load(Path("data/kutai-timur"))
    named = [name for place in register.places for name in (place.name, *place.aliases)]
    said = [
        f"{before}{name}{behind}" for name in named for before, behind in (("", ""), ("Jalan rusak di ", "."), ("Camat ", " bolos"))
    ]
    assert [text for text in said if mask(text, register.namesakes) != text] == []


def test_marks_of_a_strangers_text_are_no_names() -> None:
    text = "\ue000 di Nainggolan \ue001"
    assert mask(text, NAMESAKES) == mask(text)


def test_of_more_names_than_there_are_marks_the_last_are_masked_and_none_is_mistaken() -> None:
    said = "di Silaen di Nainggolan, "
    masked = mask(said * 4_000, NAMESAKES)
    assert masked == said * 3_200 + "di [NAMA] di [NAMA], " * 800


@pytest.mark.parametrize(
    "text", ["Siti " * 4_000, "Siti Rejo " * 1_000, f"{'a' * 60} Silaen " * 290, "di Nainggolan" + " " * 20_000]
)
def test_a_hostile_text_is_masked_in_time(text: str) -> None:
    started = time.process_time()
    mask(text, NAMESAKES)
    assert time.process_time() - started < 1


@given(
    st.lists(
        st.sampled_from(["di", "Pak", "Camat", "dan", ".", ",", "Rina", "nama saya", "\n", "rusak", "\ue000", *PLACES]), max_size=12
    )
)
def test_masking_twice_changes_nothing_more(parts: list[str]) -> None:
    once = mask(" ".join(parts), NAMESAKES)
    assert mask(once, NAMESAKES) == once


def test_the_corpus_is_masked_as_before_but_for_such_places() -> None:
    register = Register.load(Path("data/kutai-timur"))
    lines = (Path("data/kutai-timur") / "complaints.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    changed = [text for text in texts if mask(text, register.namesakes) != mask(text, NONE)]
    assert all(any(place in text.lower() for place in register.namesakes.places) for text in changed)
