"""Names as others write them find the agency that is meant, or none."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from model.register import Agency, Place, Register
from service.imports.name_proposals import SURE, NameIndex, is_region

KUTIM = Register.load(Path("data/kutai-timur"))
INDEX = NameIndex(KUTIM)
FAMILIES = NameIndex(
    Register(
        agencies=(
            Agency("kecamatan", "Kecamatan (2 kecamatan)", ("Kantor Camat",), per="kecamatan"),
            Agency("kelurahan", "Kelurahan", per="desa"),
            Agency("kampung", "Kampung", per="desa"),
            Agency("dinkes", "Dinas Kesehatan"),
        ),
        places=tuple(Place("Kenanga", desa) for desa in ("Melati", "Kampung Baru", "Kampung Harapan", "Kenanga", "Kota Lama")),
    )
)


@pytest.mark.parametrize(
    ("written", "agency"),
    [
        ("DINAS PERHUBUNGAN", "dishub"),
        ("Dinas Perhubungan Kabupaten Kutai Timur", "dishub"),
        ("Dinas Perhubugan", "dishub"),
        ("Disdukcapil Kab. Kutai Timur", "disdukcapil"),
        ("Dinas Kependudukan & Pencatatan Sipil", "disdukcapil"),
        ("PT PLN (Persero)", "pln"),
    ],
)
def test_a_name_finds_its_agency(written: str, agency: str) -> None:
    found = INDEX.propose(written)
    assert found[0].agency == agency
    assert found[0].score >= SURE


def test_a_register_may_name_its_region_in_its_agencies_too() -> None:
    names = ("Dinas Kesehatan Kota Bontang", "Dinas Perhubungan Kota Bontang", "Dinas Perhubungan Kabupaten Kutai Timur")
    index = NameIndex(Register(agencies=tuple(Agency(f"a-{place}", name) for place, name in enumerate(names))))
    for place, name in enumerate(names):
        first, *_ = index.propose(name.upper().replace("KABUPATEN", "KAB."))
        assert (first.agency, first.score) == (f"a-{place}", 1.0)


@pytest.mark.parametrize(
    ("written", "agency"),
    [
        ("Kecamatan Kenanga", "kecamatan"),
        ("KANTOR CAMAT KENANGA KAB. BANDUNG", "kecamatan"),
        ("Kelurahan Melati", "kelurahan"),
        ("Kel. Kampung Baru Kec. Kenanga Kota Bandung", "kelurahan"),
        ("Kelurahan Kenanga Kecamatan Kenanga", "kelurahan"),
        ("Kelurahan Kota Lama", "kelurahan"),
        ("Kampung Harapan", "kampung"),
        ("KAMPUNG HARAPAN DISTRIK KOFIAU", "kampung"),
        ("Kelurahan Melati Kapanewon Kenanga", "kelurahan"),
    ],
)
def test_an_office_of_a_family_is_surely_that_familys(written: str, agency: str) -> None:
    found = FAMILIES.propose(written)
    assert (found[0].agency, found[0].score) == (agency, 1.0)


@pytest.mark.parametrize("written", ["Kelurahan Melati Indah", "Kelurahan Mawar", "Kecamatan Melati", "Puskesmas Melati", "Melati"])
def test_an_office_that_no_family_of_ours_has_is_not_a_sure_one(written: str) -> None:
    assert all(one.score < SURE for one in FAMILIES.propose(written))


@pytest.mark.parametrize("written", ["", "!!!", "Kedutaan Besar Antah Berantah", "xyz" * 5_000])
def test_a_name_of_nobody_is_never_a_sure_one(written: str) -> None:
    assert all(one.score < SURE for one in INDEX.propose(written))


def test_a_shared_word_alone_is_not_enough() -> None:
    register = Register(agencies=(Agency("a", "Dinas Sosial"), Agency("b", "Dinas Pendidikan"), Agency("c", "Dinas Kesehatan")))
    assert all(one.score < SURE for one in NameIndex(register).propose("Dinas Perikanan"))


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("Pemerintah Kabupaten Kutai Timur", True),
        ("PEMKAB KUTAI TIMUR", True),
        ("Pemkab", True),
        ("Pemerintah Kota Bontang", True),
        ("Dinas Pemerintahan Desa Kabupaten", False),
        ("Kecamatan Sangatta Utara", False),
    ],
)
def test_the_whole_government_is_told_from_its_offices(name: str, whole: bool) -> None:
    assert is_region(name) is whole


@pytest.mark.parametrize(("source", "least"), [("kabupaten-bandung", 0.9), ("surabaya", 0.7), ("lapor-national-2017", 0.6)])
def test_names_of_other_regions_are_mostly_proposed_rightly_and_hardly_ever_surely_wrong(source: str, least: float) -> None:
    names: dict[str, str] = {}
    with Path(f"data/crosswalks/{source}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["category"] in ("", "*") and not row.get("words") and row["agency"] not in ("", "-"):
                for pattern in row["name"].split(";"):
                    names.setdefault(pattern.strip().strip("*").replace("*", " ").strip(), row["agency"])
    proposed = {name: INDEX.propose(name) for name in names if name}
    right = sum(bool(found) and found[0].agency == names[name] for name, found in proposed.items())
    wrong = [name for name, found in proposed.items() if found and found[0].score >= SURE and found[0].agency != names[name]]
    if os.environ.get("SALUR_TEST_VERBOSE"):
        print(f"{source}: {right} of {len(proposed)} right, {len(wrong)} surely wrong")  # noqa: T201
    assert right >= least * len(proposed)
    assert len(wrong) <= 1
