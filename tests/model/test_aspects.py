"""Facts of invented complaints, and heads whose coefficients are written by hand."""

import copy
import json
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.aspects import ASPECTS, FACTS, GROUPS, Aspects, AspectsError, Cues, Facts, Findings, Head, load_cues, measure, read_cues
from model.complaint import MAX_TEXT, Complaint
from model.faults import InvalidData
from model.place import ResolvedPlace
from model.routing import FoundPlace, Span
from model.text import Analyzer, load_abbreviations

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


def seen(text: str = "", *, title: str = "", form: tuple[str, str] = ("", ""), found: str = "") -> Facts:
    complaint = Complaint(text=text, title=title, kecamatan=form[0], desa=form[1])
    places = (FoundPlace(Span("text", 0, 1), found, "x"),) if found else ()
    return Facts(complaint, ANALYZER.words(complaint), places, ResolvedPlace(*form), NOTHING_SURE)


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
    facts = seen(" ".join(words[place % len(words)] for place in range(MAX_TEXT)))
    measure(CUES, facts)
    began = time.process_time()
    measure(CUES, facts)
    assert time.process_time() - began < 0.1


def test_the_lexicon_has_cues_for_every_group() -> None:
    assert all(CUES.phrases[group] for group in (*GROUPS, "here"))


def test_no_cue_holds_an_abbreviation_for_none_is_left_once_words_are_read() -> None:
    short = load_abbreviations()
    assert [cue for cues in CUES.phrases.values() for cue in cues if any(word in short for word in cue.split())] == []


def test_another_cue_or_group_is_another_digest_and_another_order_is_not() -> None:
    cues = Cues({"misuse": ["suap", "sogok"], "here": ["sini"]})
    assert cues.digest == Cues({"here": ["sini"], "misuse": ["sogok", "suap"]}).digest
    others = [
        {"misuse": ["suap"], "here": ["sini"]},
        {"demand": ["suap", "sogok"], "here": ["sini"]},
        {"misuse": ["suap", "sogok"]},
    ]
    assert len({cues.digest, *(Cues(other).digest for other in others)}) == 4


def test_every_wrong_line_of_a_lexicon_is_named() -> None:
    content = "# cues\nsuap\tmisuse\nSuap\tmisuse\nsogok\tbribes\nsuap\tmisuse\ndi sini\there\na b c d e\tmisuse\nsogok"
    with pytest.raises(InvalidData) as caught:
        read_cues(content, "cues.tsv")
    assert [fault.line for fault in caught.value.faults] == [3, 4, 5, 6, 7, 8]
    assert "cues.tsv:4: group 'bribes': one of misuse, official" in str(caught.value)
    assert "cues.tsv:5: 'suap' stands already above in misuse" in str(caught.value)


def head(threshold: float = 0.0, bias: float = 0.0, columns: tuple[float, ...] = (0.0, 0.0), **facts: float) -> Head:
    named = {name.replace("_", " "): value for name, value in facts.items()}
    return Head(columns, (0.0, 0.0), tuple(named.get(name, 0.0) for name in FACTS), bias, threshold)


def build(heads: Mapping[str, Head], needs: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Aspects:
    names = ("aspirasi", "lokasi")
    return Aspects(("dishub", "dlh", "pln"), names, FEW, dict.fromkeys(names, needs), heads)


COLUMNS = np.array([1.0, -2.0], dtype=np.float32)


def test_a_model_that_was_taught_nothing_says_nothing() -> None:
    aspects = Aspects(("dishub", "dlh"), (), Cues({}), {}, {})
    assert aspects.read(np.zeros(0, np.float32), seen("PUNGLI")) == Findings("", False, (), True)


def test_an_aspect_holds_above_its_threshold_only() -> None:
    said = [build({"oversight": head(threshold, misuse=1.0)}).read(COLUMNS, seen("ada suap")).oversight for threshold in (0.6, 0.8)]
    assert said == [True, False]


def test_the_kind_is_a_pengaduan_unless_another_exceeds_its_threshold() -> None:
    heads = {"aspirasi": head(0.5, wishes_first=1.0), "permintaan-informasi": head(0.5, asks_first=1.0)}
    kinds = [build(heads).read(COLUMNS, seen(text)).kind for text in ("usul lampu", "apa syaratnya", "lampu mati")]
    assert kinds == ["aspirasi", "permintaan-informasi", "pengaduan"]


def test_of_two_kinds_the_one_further_above_its_threshold_is_said() -> None:
    heads = {"aspirasi": head(0.0, bias=1.0), "permintaan-informasi": head(-1.5, bias=0.0)}
    assert build(heads).read(COLUMNS, seen("lampu")).kind == "permintaan-informasi"


def test_what_is_missing_comes_in_one_order() -> None:
    heads = {"uraian": head(bias=1.0), "lokasi": head(no_place=1.0), "waktu": head(bias=-1.0)}
    assert build(heads).read(COLUMNS, seen("lampu mati")).missing == ("lokasi", "uraian")


def test_what_is_no_complaint_is_told() -> None:
    assert not build({"not-a-complaint": head(bias=1.0)}).read(COLUMNS, seen("tes")).is_complaint
    assert build({"not-a-complaint": head(bias=-1.0)}).read(COLUMNS, seen("tes")).is_complaint


def test_an_emergency_is_told() -> None:
    assert build({"emergency": head(bias=1.0)}).read(COLUMNS, seen("api")).emergency
    assert not build({"emergency": head(bias=-1.0)}).read(COLUMNS, seen("api")).emergency
    assert not build({}).read(COLUMNS, seen("api")).emergency


def test_the_scorers_columns_and_the_agencies_needs_count() -> None:
    by_column = head(columns=(1.0, 0.0))
    assert build({"oversight": by_column}).read(COLUMNS, seen("x")).oversight
    assert not build({"oversight": by_column}).read(-COLUMNS, seen("x")).oversight
    by_need = Head((0.0, 0.0), (1.0, 0.0), (0.0,) * len(FACTS), 0.0, 0.9)
    assert build({"oversight": by_need}, (2.0, 0.0, 0.0)).read(COLUMNS, seen("x")).oversight  # 0.5 of dishub's 2
    assert not build({"oversight": by_need}, (0.0, 2.0, 0.0)).read(COLUMNS, seen("x")).oversight


def test_aspects_come_back_from_json_as_they_were() -> None:
    aspects = build({name: head(0.1, 0.2, (0.3, 0.0), misuse=0.4) for name in ASPECTS}, (1.0, 2.0, 3.0))
    table = json.loads(json.dumps(aspects.to_dict()))
    again = Aspects.from_dict(table)
    assert again.to_dict() == table
    assert again.read(COLUMNS, seen("ada suap")) == aspects.read(COLUMNS, seen("ada suap"))


def test_coefficients_stand_under_the_names_of_what_they_weigh() -> None:
    written = build({"oversight": head(misuse=0.4)}).to_dict()["heads"]["oversight"]
    assert written["facts"] == {"misuse": 0.4}


TABLE = build({"oversight": head(misuse=0.4)}).to_dict()


def broken(*path: str, value: Any) -> dict[str, Any]:
    table: dict[str, Any] = copy.deepcopy(TABLE)
    place = table
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "agencies: must be a list of texts"),
        (broken("agencies", value=["dishub", "dishub"]), "agencies: must be a list of texts, each once"),
        (broken("columns", value=["aspirasi", "humour"]), "columns: 'humour' is none of"),
        (broken("heads", value=[]), "heads: must be a table"),
        (broken("heads", "humour", value={}), "heads: 'humour' is none of"),
        (broken("heads", "oversight", value=1), "oversight: columns: must be a table"),
        (broken("heads", "oversight", "facts", value={"misuse": math.nan}), "oversight: facts: misuse: must be a finite number"),
        (broken("heads", "oversight", "facts", value={"luck": 1.0}), "oversight: facts: 'luck' is not known to this program"),
        (broken("heads", "oversight", "bias", value="0"), "oversight: bias: must be a finite number"),
        (broken("needs", "lokasi", value=[0.0]), "needs of lokasi: must be 3 finite numbers, one an agency"),
        (broken("cues", value=None), "cues: must be a table"),
        (broken("cues", "misuse", value=["PUNGLI"]), "cues: cue 'PUNGLI': must be 1 to 4 normalised words"),
        (broken("cues", "luck", value=["untung"]), "cues: group 'luck': one of"),
    ],
)
def test_a_table_that_cannot_be_applied_is_refused_by_name(table: dict[str, Any], message: str) -> None:
    with pytest.raises(AspectsError, match="aspects: ") as caught:
        Aspects.from_dict(table)
    assert message in str(caught.value)


def test_aspects_of_another_model_are_refused() -> None:
    aspects = build({"oversight": head()})
    aspects.fits(("dishub", "dlh", "pln"), 2)
    with pytest.raises(AspectsError, match="2 columns here and 3 in the arrays"):
        aspects.fits(("dishub", "dlh", "pln"), 3)
    with pytest.raises(AspectsError, match="not the model's"):
        aspects.fits(("dlh", "dishub", "pln"), 2)


def test_who_gave_a_number_that_says_who_he_is_is_not_asked_for_it() -> None:
    said = build({"identitas": head(bias=1.0)})
    given = ("NIK saya [NIK] tidak terbaca", "nomor KK [KK]", "[NPWP] ditolak", "nopel [NOMOR] mati", "ID pelanggan PLN: [NOMOR]")
    for text, missing in (*((text, ()) for text in given), ("anak lahir [NOMOR]", ("identitas",)), ("[NAMA]", ("identitas",))):
        assert said.read(COLUMNS, seen(text)).missing == missing
    assert said.read(COLUMNS, seen("NIK ditolak", title="NIK [NIK]")).missing == ()
