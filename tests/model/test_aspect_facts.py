"""Facts of invented complaints."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.aspect_facts import FACTS, Case, measure
from model.complaint import MAX_TEXT, Complaint
from model.cues import Cues, load_cues
from model.place import ResolvedPlace
from model.routing import FoundPlace, Span
from model.text import Analyzer

ANALYZER = Analyzer()
CUES = load_cues()
FEW = Cues(
    {
        "misuse": ["suap", "uang pelicin", "uang tanda tangan"],
        "official": ["petugas"],
        "demand": ["minta"],
        "money": ["ribu"],
        "ask": ["apa"],
        "wish": ["usul"],
        "want": ["mohon"],
        "spot": ["di", "jalan", "desa"],
        "address": ["gang", "rt"],
        "here": ["kami", "ini"],
    }
)
NOTHING_SURE = np.array([0.5, 0.3, 0.2], dtype=np.float32)


def facts_of(
    text: str = "", cues: Cues = FEW, *, title: str = "", form: tuple[str, str] = ("", ""), found: str = ""
) -> dict[str, float]:
    """The facts of a complaint by their names."""
    return dict(zip(FACTS, measure(cues, seen(text, title=title, form=form, found=found)), strict=True))


def seen(text: str = "", *, title: str = "", form: tuple[str, str] = ("", ""), found: str = "") -> Case:
    complaint = Complaint(text=text, title=title, kecamatan=form[0], desa=form[1])
    places = (FoundPlace(Span("text", 0, 1), found, "x"),) if found else ()
    return Case(complaint, ANALYZER.words(complaint), places, ResolvedPlace(*form), NOTHING_SURE)


def test_a_cue_counts_as_written_and_by_its_stem() -> None:
    assert facts_of("ada suap")["misuse"] == math.log1p(1)
    assert facts_of("petugas dan petugasnya dimintai apa")["demand"] == math.log1p(1)


@pytest.mark.parametrize(
    ("here", "elsewhere"),
    [
        ("kepala desa", "kepala kampung"),
        ("kepala desa", "wali nagari"),
        ("camat", "kepala distrik"),
        ("bpd", "bamuskam"),
        ("aset desa", "aset kampung"),
    ],
)
def test_whoever_holds_office_elsewhere_is_known_as_those_here(here: str, elsewhere: str) -> None:
    counted = [{name: facts_of(text, CUES)[name] for name in ("official", "misuse")} for text in (here, elsewhere)]
    assert counted[0] == counted[1] != {"official": 0, "misuse": 0}


def test_a_cue_of_several_words_needs_them_all_in_a_row() -> None:
    assert facts_of("diminta uang tanda tangan")["misuse"] == math.log1p(1)
    assert facts_of("uang untuk tanda tangan")["misuse"] == 0
    assert facts_of("diminta uang tanda")["misuse"] == 0
    assert facts_of("uang")["misuse"] == 0


def test_a_cue_does_not_reach_from_the_title_into_the_text() -> None:
    assert facts_of("pelicin lagi", title="uang")["misuse"] == 0
    assert facts_of("tangan saya", title="uang tanda")["misuse"] == 0


def test_many_cues_count_as_fifteen() -> None:
    assert facts_of("suap " * 400)["misuse"] == math.log1p(15)


def test_groups_that_stand_near_each_other_are_a_fact_of_their_own() -> None:
    near = facts_of("petugas loket minta dua puluh ribu")
    assert near["demand near money"] == near["official near demand"] == 1
    far = facts_of("petugas itu ramah sekali, semua berkas selesai hari itu juga, lalu orang lain minta fotokopi")
    assert far["official near demand"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "banjir di Gang Melati",
        "banjir di gang melati",
        "lampu mati rt 12",
        "lampu mati RT05",
        "banjir di jalan 3",
        "rusak di Jalan Anggrek Raya",
    ],
)
def test_a_name_or_number_behind_a_word_like_gang_names_a_spot(text: str) -> None:
    assert facts_of(text)["text names spot"] == 1
    assert facts_of(text)["no place in text"] == 0


@pytest.mark.parametrize(
    "text", ["got di gang kami mampet", "lampu jalan ini mati", "jalan rusak", "JALAN RUSAK DI DESA", "masuk gang"]
)
def test_words_such_as_kami_name_no_spot(text: str) -> None:
    assert facts_of(text)["text names spot"] == 0
    assert facts_of(text)["no place"] == 1


def test_what_the_text_says_of_here_is_a_fact() -> None:
    assert facts_of("got di gang kami mampet")["text says here"] == 1
    assert facts_of("got mampet")["text says here"] == 0


def test_the_forms_desa_is_a_place_though_the_text_has_none() -> None:
    facts = facts_of("lampu mati", form=("Bengalon", "Sepaso"))
    assert facts["no place"] == 0
    assert facts["no place in text"] == facts["form has desa"] == facts["desa known"] == 1


def test_a_found_road_or_desa_is_a_place() -> None:
    assert facts_of("rusak", found="road")["text names road"] == 1
    assert facts_of("rusak", found="desa")["no place"] == 0


def test_how_a_complaint_opens_and_ends_is_told() -> None:
    asking = facts_of("apa syarat pindah?")
    assert asking["asks first"] == asking["ends with a question"] == 1
    assert asking["question marks"] == 0.5
    for text in ("kapan? \U0001f64f", '"kapan?"', "kapan ya??!", "jalan rusak. kapan?\n"):
        assert facts_of(text)["ends with a question"] == 1
    assert facts_of("kapan? tolong")["ends with a question"] == facts_of("rusak.")["ends with a question"] == 0
    assert facts_of("lokasinya di sini https://peta.example/?q=1")["ends with a question"] == 0, "a link asks nothing"
    assert facts_of("mohon lampu")["wants first"] == facts_of("usul lampu")["wishes first"] == 1
    assert facts_of("lampu di depan rumah mohon diganti")["wants first"] == 0


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("terima kasih, sudah diperbaiki", True),
        ("Alhamdulillah jalan desa kami sudah mulus", True),
        ("apresiasi untuk perawat yang ramah", True),
        ("makasih min, KTP sudah jadi", True),
        ("terima kasih parit sudah dikeruk, tapi lumpurnya ditumpuk di jalan", False),
        ("mantap, lampu di simpang mati lagi", False),
        ("hebat, kapan jalan kami diaspal", False),
        ("hebat, listrik padam tiap malam", False),
        ("Alhamdulillah drainase kami tersumbat dan jalannya hancur", False),
        ("Salut, mohon ditambah petugasnya", False),
        ("lampu sudah sebulan padam di gang kami, terima kasih", False),
        ("petugas sudah datang memeriksa tiang", False),
    ],
)
def test_praise_that_says_nothing_else_is_a_fact(text: str, alone: bool) -> None:
    assert facts_of(text, CUES)["praises alone"] == alone


def test_how_long_a_complaint_is_is_told_by_a_logarithm() -> None:
    assert facts_of("lampu mati")["words"] == pytest.approx(math.log1p(2) / 3)
    assert [facts_of("lampu " * many)["under 14 words"] for many in (13, 14)] == [1, 0]


def test_an_empty_complaint_has_facts_too() -> None:
    assert all(math.isfinite(value) for value in facts_of("").values())
    assert facts_of("")["asks first"] == facts_of("")["asks last"] == 0


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=40))
def test_facts_are_bounded_whatever_is_written(text: str, title: str) -> None:
    values = measure(CUES, seen(text, title=title))
    assert len(values) == len(FACTS)
    assert all(0 <= value <= 3 for value in values)


def test_a_hostile_text_costs_no_more_than_its_words() -> None:
    words = ["uang", "tanda", "di", "gang", "tidak", "minta", "petugas", "suap", "apa"]
    case = seen(" ".join(words[place % len(words)] for place in range(MAX_TEXT)))
    measure(CUES, case)
    began = time.process_time()
    measure(CUES, case)
    assert time.process_time() - began < 0.1
