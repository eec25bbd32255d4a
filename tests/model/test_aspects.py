"""Heads whose coefficients are written by hand, and how they are written into a manifest."""

import copy
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from model.aspect_facts import FACTS, Case
from model.aspects import ASPECTS, Aspects, AspectsError, Findings, Head
from model.complaint import Complaint
from model.cues import Cues
from model.place import ResolvedPlace
from model.text import Analyzer

ANALYZER = Analyzer()
FEW = Cues({"misuse": ["suap"], "wish": ["usul"], "ask": ["apa"]})


def seen(text: str, *, title: str = "") -> Case:
    complaint = Complaint(text=text, title=title)
    return Case(complaint, ANALYZER.words(complaint), (), ResolvedPlace(), np.array([0.5, 0.3, 0.2], dtype=np.float32))


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
