"""Names that no word announces: found by the lexicon, and left where they are a street's, a school's or a shop's."""

import re
from pathlib import Path

import pytest

from model.privacy import mask
from model.register import Register

DATA = Path(__file__).parents[2] / "data" / "kutai-timur"

PEOPLE = """
Kemarin {Sutrisno} sudah lapor ke kantor desa
keluhan dari {Yohanes Suparman}, petani di Kongbeng
hub. {Marlina Hutapea} 081255667788
Uang diminta oleh {Bambang Sulistiyono}, staf loket
Terima kasih. - {Rudiansyah}, RT 5
Belum dapat bantuan: 1. {Jumiati} 2. {Tarmizi} 3. {Hendra Wijaya}
Perempuan itu, {Erni Susanti}, sudah sepuh
Moh. {Hartono} dan M. {Sutrisno} belum terdata
saya {suyanto wibowo} mau tanya
disuruh {agus suyanto} ke loket
sudah bilang sama junaidi, eh {sutrisno wibowo} marah
gara-gara si {sutrisno}
SURAT SAYA DITAHAN {AGUS SUTRISNO} SEJAK SENIN
Ketua RW {Hartono Atmadja} tidak mau tanda tangan
Sangat disayangkan, {Bambang Triyatnan} datang minta uang
laporan dari {Yohanes Lahang}, petani di Kongbeng
yang belum dapat: 3. {Lusia Hibaun} 4. warga lain
kemarin {Teuku Zulfadli} sudah lapor
anak {Ni Kadek Suartini} sakit
""".strip().splitlines()

NOBODY = [
    "lampu di Ahmad Yani mati, juga di Soekarno Hatta dan Yos Sudarso",
    "Jl. Sutrisno dan Gang Marlina tergenang",
    "depan SD Katolik Santa Maria dan Gereja Yakobus",
    "Perumahan Permata Hartono Regency banjir",
    "parkir di depan Hartono Elektronik dan Hartono Motor",
    "PT. Tirta Hendra dan CV Naufal Abadi menang lelang",
    "jalan ke arah Mayjend Sungkono macet",
    "sugeng enjang bapak, sugeng ndalu",
    "bulan ramadhan pasar ramai",
    "agus kemarin dan rudi",  # one name in small letters with nothing before it says too little
    "bengkel Rudiansyah bising",
    "depan Bakso Sutrisno dan Karaoke Marlina",
    "Setia Budi, Mulia dan Harapan Jaya itu nama gang",
    "di Madrasah Aliyah dan Bandara Syamsudin Noor",
    "bantuan untuk kelompok tani Budi Luhur, koperasi Hendra Jaya",
]


@pytest.mark.parametrize("sentence", PEOPLE)
def test_a_name_that_is_hardly_anything_else_is_masked(sentence: str) -> None:
    masked = mask(re.sub("[{}]", "", sentence))
    names = {word for name in re.findall(r"\{(.*?)\}", sentence) for word in name.split()}
    assert names.isdisjoint(re.findall(r"\w+", masked)), masked
    assert mask(masked) == masked


@pytest.mark.parametrize("text", NOBODY)
def test_a_street_a_school_and_a_shop_keep_the_name_they_are_called_by(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("sentence", ["lampu mati di {} sejak kemarin", "{}: lampu mati", "warga {} mengeluh"])
def test_no_place_and_no_road_of_the_default_region_is_taken_for_a_person(sentence: str) -> None:
    register = Register.load(DATA)
    named = {name for place in register.places for name in (place.kecamatan, place.desa, *place.aliases) if name}
    named |= {name for road in register.roads for name in (road.name, *road.aliases)}
    texts = [sentence.format(form) for name in sorted(named) for form in (name, name.lower(), name.upper())]
    assert [text for text in texts if mask(text) != text] == []
