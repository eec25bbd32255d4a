import copy
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.complaint import Complaint
from model.place import PlaceFinder, ResolvedPlace, unit_of
from model.register import Agency, Place, Register, Road
from model.routing import FoundPlace, Span
from model.text import Analyzer

REGISTER = Register.load(Path(__file__).parents[2] / "data" / "kutai-timur")
FINDER = PlaceFinder(REGISTER)
ANALYZER = Analyzer()
ELSEWHERE = PlaceFinder(
    Register(
        agencies=(),
        places=(
            Place("Wonorejo", "Wonorejo", "kelurahan"),
            Place("Wonorejo", "Jemur Wonosari", "kelurahan"),
            Place("Wonorejo", "Genteng", "kelurahan"),
            Place("Genteng", "Kapas Sari", "kelurahan"),
            Place("Genteng", "Melati", "kelurahan"),
            Place("Kenanga", "Melati", "kelurahan"),
        ),
        roads=(Road("Jalan Anggrek", "kabupaten", kecamatan="Kenanga"),),
    )
)
NAMESAKES = PlaceFinder(Register(agencies=(), places=(Place("Melati", "Waras"), Place("Kenanga", "Melati"))))
KECAMATAN = Agency("kecamatan", "Kecamatan", per="kecamatan")
KELURAHAN = Agency("kelurahan", "Kelurahan", per="desa")


def find(text: str, kecamatan: str = "", desa: str = "", finder: PlaceFinder = FINDER, title: str = "") -> tuple[FoundPlace, ...]:
    return finder.find(ANALYZER.words(Complaint(text=text, title=title)), kecamatan, desa)


def names(text: str, kecamatan: str = "", desa: str = "", finder: PlaceFinder = FINDER) -> list[str]:
    return [place.name for place in find(text, kecamatan, desa, finder)]


def resolve(text: str, kecamatan: str = "", desa: str = "", finder: PlaceFinder = FINDER) -> ResolvedPlace:
    return finder.resolve(find(text, kecamatan, desa, finder), kecamatan, desa)


def where(text: str, kecamatan: str = "", desa: str = "", finder: PlaceFinder = FINDER) -> tuple[str, str, bool]:
    place = resolve(text, kecamatan, desa, finder)
    return place.kecamatan, place.desa, place.conflict


def test_two_desa_of_one_name_are_two_offices() -> None:
    places = (Place("Wahau", "Sukamaju"), Place("Bengalon", "Sukamaju"), Place("Bengalon", "Sepaso"))
    register = Register((KELURAHAN,), places)
    units = [unit_of(KELURAHAN, ResolvedPlace(place.kecamatan, place.desa), register) for place in places]
    assert units == ["Sukamaju (Wahau)", "Sukamaju (Bengalon)", "Sepaso"]
    assert register.units("desa") == set(units)


def test_a_found_place_says_where_it_stands_and_what_it_is() -> None:
    (place,) = find("Air mati di Desa Nehas Liah  Bing, tolong")
    assert place == FoundPlace(Span("text", 17, 33), "desa", "Nehes Liah Bing", "Muara Wahau", "Nehes Liah Bing", "", "desa")


@pytest.mark.parametrize("cue", ["kecamatan", "camat", "distrik", "kapanewon", "panewu", "kemantren"])
def test_a_kecamatan_is_known_by_what_any_region_calls_it(cue: str) -> None:
    assert where(f"lampu mati {cue} melati", finder=NAMESAKES) == ("Melati", "", False)


@pytest.mark.parametrize(
    "cue", ["desa", "lurah", "kelurahan", "kalurahan", "gampong", "keuchik", "nagari", "pekon", "peratin", "kampung"]
)
def test_a_desa_is_known_by_what_any_region_calls_it(cue: str) -> None:
    assert where(f"lampu mati {cue} melati", finder=NAMESAKES) == ("Kenanga", "Melati", False)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("di SANGATA UTARA gelap", "Sangatta Utara"),
        ("di sangkulirangg gelap", "Sangkulirang"),
        ("di sangkuliran gelap", "Sangkulirang"),
        ("di sangkuilrang gelap", "Sangkulirang"),
        ("di bengolon gelap", "Bengalon"),
        ("di wahau gelap", "Muara Wahau"),
        ("di Kombeng gelap", "Kongbeng"),
        ("di singa gweh gelap", "Singa Geweh"),
        ("di sapaso timur gelap", "Sepaso Timur"),
        ("kec. m. bengkal gelap", "Muara Bengkal"),
        ("di marahhaloq gelap", "Marah Haloq"),
        ("di Marah Halok gelap", "Marah Haloq"),
        ("di Jak Lu'ay gelap", "Jak Luay"),
        ("di karya bakti gelap", "Karya Bhakti"),
        ("di suka maju gelap", "Sukamaju"),
    ],
)
def test_spelling_variants_mean_the_place(written: str, name: str) -> None:
    desa = "Sukamaju" if name == "Sukamaju" else ""
    assert names(written, "Kongbeng" if desa else "", desa) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "bayi saya sakit",
        "pengadaan komputer desa terlambat",
        "sudah lima kali orang kantor datang",
        "di atas telaga ada sampah",
        "Saka Guru rumah adat",
        "dari mata air yang keruh",
        "toko Makmur Jaya dan CV Bangun Jaya menipu",
        "PT Bengalon Sejahtera tidak bayar upah",
        "parit di gg. Suka Damai dan Gang Bukit Makmur mampet",
        "pelayanannya jadi sandaran kami",
        "simomulyo dan sidomulyono",
        "jalan ke perusahaan rusak",
        "sangat ta puas",
        "jalan sgt rusak, warga sgt resah, puskesmas sgt jauh, desa sgt gelap",
    ],
)
def test_ordinary_words_and_names_of_firms_are_no_places(text: str) -> None:
    assert names(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("listrik di sgt padam", "Sgt"),
        ("warga desa Saka", "Saka"),
        ("pustu Kolek kosong", "Kolek"),
        ("kampung Telaga banjir", "Telaga"),
        ("Desa Mata Air", "Mata Air"),
        ("di Sandaran belum ada sinyal", "Sandaran"),
        ("Makmur Jaya banjir", "Makmur Jaya"),
    ],
)
def test_an_ordinary_word_is_a_place_behind_a_word_that_says_so(text: str, name: str) -> None:
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Desa kami Senyiur belum ada sinyal", ("Muara Ancalong", "Senyiur", False)),
        ("warga desa sy, Melan, mohon jalan", ("Long Mesangat", "Melan", False)),
        ("kampung kami Sekerat banjir", ("Bengalon", "Sekerat", False)),
        ("di desa kami telaga sudah kering", ("", "", False)),  # what is first of all another word needs "desa" right before it
        ("rumah kami sandaran banjir", ("", "", False)),
    ],
)
def test_a_possessive_between_desa_and_its_name_is_stepped_over(text: str, place: tuple[str, str, bool]) -> None:
    assert where(text) == place


@pytest.mark.parametrize(
    ("text", "desa"),
    [
        ("Tj. Labu banjir", "Tanjung Labu"),
        ("warga tjg labu", "Tanjung Labu"),
        ("tj mangkalihat", "Tanjung Mangkaliat"),
        ("Kel. Tlk. Lingga RT 12", "Teluk Lingga"),
        ("Bt Timbau ulu", "Batu Timbau Ulu"),
        ("bkt makmur gelap", "Bukit Makmur"),
        ("Dn. Redan", "Danau Redan"),
        ("pl. miang", "Pulau Miang"),
        ("guru MA Bengalon", ""),
        ("tj rusak, labu mahal", ""),
    ],
)
def test_the_first_word_of_a_name_may_be_shortened(text: str, desa: str) -> None:
    assert resolve(text).desa == desa


def test_a_shortened_name_is_shown_as_it_stands_in_the_register() -> None:
    places = (Place("Kenanga", "Bukit Asri"), Place("Melati", "Bukit Asri"))
    assert [found.name for found in find("Bkt. Asri", finder=PlaceFinder(Register((), places)))] == ["Bukit Asri"]


def test_the_word_before_the_first_of_two_names_holds_for_both() -> None:
    assert names("Desa Kolek dan Saka banjir") == ["Kolek", "Saka"]


@pytest.mark.parametrize(
    "text",
    [
        "Kaubun, Bengalon dan Telen belum ada sinyal",
        "di Kaubun, Bengalon, Telen",
        "warga Kec. Kaubun, Bengalon dan Telen",
        "Kecamatan Kaubun, Bengalon, serta Telen",
        "kecamatan kaubun/bengalon/telen",
        "Kec. Kaubun & Bengalon & Telen",
        "kami harus ke Kaubun, Bengalon dan Telen",
    ],
)
def test_of_a_list_of_kecamatan_none_is_the_place(text: str) -> None:
    place = resolve(text)
    assert [candidate.name for candidate in place.candidates] == ["Kaubun", "Bengalon", "Telen"]
    assert unit_of(KECAMATAN, place, REGISTER) == ""
    assert where(text, "Telen") == ("Telen", "", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("warga Desa Kolek, Peridan, Kec. Sangkulirang", ("Sangkulirang", "", False)),
        ("warga Desa Kolek, Sangkulirang", ("Sangkulirang", "Kolek", False)),
        ("warga Desa Kaliorang, Kaliorang", ("Kaliorang", "Kaliorang", False)),
        ("kantor camat Kaubun, Sangatta", ("Kaubun", "", False)),
        ("mobil lewat jalur Sangatta - Telen", ("", "", False)),
    ],
)
def test_an_address_or_a_way_is_no_list(text: str, expected: tuple[str, str, bool]) -> None:
    assert where(text) == expected


def test_its_kecamatan_behind_it_proves_a_doubtful_name() -> None:
    assert names("lampu mati, Saka Kec. Sangkulirang") == ["Saka", "Sangkulirang"]
    assert names("lampu mati, Saka Kec. Kaubun") == ["Kaubun"]


def test_the_form_proves_a_doubtful_name() -> None:
    assert names("saka banjir terus", "Sangkulirang", "Saka") == ["Saka"]
    assert names("saka banjir terus", "Kaubun", "Bumi Jaya") == []


def test_a_name_of_kecamatan_and_desa_means_the_kecamatan_unless_desa_stands_before() -> None:
    assert [place.kind for place in find("di Kaliorang")] == ["kecamatan"]
    assert [place.kind for place in find("di Desa Kaliorang")] == ["desa"]


def test_the_longest_name_wins() -> None:
    assert names("banjir di Benua Baru Ulu") == ["Benua Baru Ulu"]
    assert names("banjir di Wahau Baru") == ["Wahau Baru"]


def test_a_name_does_not_reach_from_the_title_into_the_text() -> None:
    assert [place.name for place in find("lingga padam", title="teluk")] == []


@pytest.mark.parametrize(
    ("text", "name", "road_class"),
    [
        ("lampu jalan poros Sangatta-Bengalon mati", "Poros Sangatta-Bengalon", "nasional"),
        ("jln dari sangata ke bengalon hancur", "Poros Sangatta-Bengalon", "nasional"),
        ("poros arah Berau longsor", "Poros Wahau-Berau", "nasional"),
        ("jalan negara rusak", "Jalan Nasional", "nasional"),
        ("Jl. A.W. Syahranie gelap", "A.W. Syahranie", "provinsi"),
        ("jl pendidikan gelap", "A.W. Syahranie", "provinsi"),
        ("Jl. A. Wahab Sjahranie gelap", "A.W. Syahranie", "provinsi"),
        ("depan RS jalan Pendidikan gelap", "A.W. Syahranie", "provinsi"),
        ("trotoar apt pranoto", "APT Pranoto", "kabupaten"),
        ("jalan poros kabo gelap", "Jalan Kabo", "kabupaten"),
        ("di simpang perdau", "Simpang Perdau", "nasional"),
        ("jalan simpang Perdau ke Maloy", "Jalan Simpang Perdau-Maloy", "provinsi"),
        ("jalan lintas Sangatta Bengalon", "Poros Sangatta-Bengalon", "nasional"),
        ("jl lintas arah Wahau", "Poros Bengalon-Muara Wahau", "nasional"),
        ("jalan lintas Kalimantan rusak", "Jalan Trans", "nasional"),
        ("jalan dari Sangatta ke Wahau", "Poros Bengalon-Muara Wahau", "nasional"),
        ("jalan poros Samarinda - Sangatta", "Poros Sangatta-Bontang", "nasional"),
    ],
)
def test_roads_are_found_with_their_class(text: str, name: str, road_class: str) -> None:
    assert [(place.kind, place.name, place.road_class) for place in find(text)] == [("road", name, road_class)]


def test_a_road_named_like_a_matter_needs_the_word_before_it() -> None:
    assert names("biaya pendidikan mahal, dayung perahu patah, jalan Kalimantan gelap") == []
    assert [place.kind for place in find("lalu lintas Bengalon macet")] == ["kecamatan"]


def test_a_hospital_named_after_somebody_is_not_the_road_named_after_him() -> None:
    assert names("dirujuk ke RSUD Abdoel Wahab Sjahranie dan rumah sakit A.W. Syahranie") == []


def test_an_airport_or_stadium_named_after_somebody_is_not_his_road_either() -> None:
    assert names("taksi bandara APT Pranoto, bandar udara Soekarno-Hatta dan stadion Yos Sudarso") == []
    assert names("APT Pranoto dekat bandara, jalan APT Pranoto ke bandara") == ["APT Pranoto", "APT Pranoto"]


def test_the_places_in_the_name_of_a_road_are_not_where_it_happened() -> None:
    assert where("poros Sangatta-Bengalon berlubang") == ("", "", False)
    assert where("poros Sangatta-Bengalon berlubang", "Teluk Pandan") == ("Teluk Pandan", "", False)


@pytest.mark.parametrize(
    ("text", "kecamatan", "desa"),
    [
        ("lampu mati di Kolek, Sangkulirang", "Sangkulirang", "Kolek"),
        ("lampu mati di Desa Miau Baru", "Kongbeng", "Miau Baru"),
        ("jalan dari Wanasari ke Dabeq", "Muara Wahau", ""),
        ("kami di Kandolo disuruh ke Bengalon", "Teluk Pandan", "Kandolo"),
        ("saya ke Bengalon", "Bengalon", ""),
        ("kantor camat Telen tutup, kami di Kaubun", "Telen", ""),
        ("warga Long Bentuq di kantor Muara Ancalong", "Busang", "Long Bentuq"),
        ("lampu Jl. APT Pranoto Sangatta mati", "Sangatta Utara", ""),
        ("Jl. Dayung banjir", "Sangatta Utara", ""),
        ("di Sangatta macet", "", ""),
        ("di Kongbeng dan Telen", "", ""),
        ("tidak ada tempat", "", ""),
    ],
)
def test_the_text_alone_resolves_where_it_can(text: str, kecamatan: str, desa: str) -> None:
    assert where(text) == (kecamatan, desa, False)


def test_what_stays_open_is_told_as_candidates() -> None:
    assert [place.name for place in resolve("di Sangatta macet").candidates] == ["Sangatta Utara", "Sangatta Selatan"]
    assert [place.name for place in resolve("di Kongbeng dan Telen").candidates] == ["Kongbeng", "Telen"]
    assert [place.name for place in resolve("dermaga di Benua Baru").candidates] == [
        "Benua Baru",
        "Benua Baru Ilir",
        "Benua Baru Ulu",
    ]


@pytest.mark.parametrize(
    ("kecamatan", "desa", "expected"),
    [
        ("Kec. Sangata Utara", "", ("Sangatta Utara", "")),
        ("KOMBENG", "Desa miau baru", ("Kongbeng", "Miau Baru")),
        ("", "Kandolo", ("Teluk Pandan", "Kandolo")),
        ("Sangatta", "Teluk Lingga", ("Sangatta Utara", "Teluk Lingga")),
        ("Kecamatan lain", "", ("", "")),
        ("x" * 10_000, "\0\n", ("", "")),
    ],
)
def test_the_form_is_read_tolerantly(kecamatan: str, desa: str, expected: tuple[str, str]) -> None:
    assert where("lampu mati", kecamatan, desa) == (*expected, False)


@pytest.mark.parametrize(
    ("kecamatan", "desa", "expected"),
    [
        ("Kampung Laut", "Kampung Baru", ("Kampung Laut", "Kampung Baru")),
        ("Distrik Kampung Laut", "Kelurahan Kampung Baru", ("Kampung Laut", "Kampung Baru")),
        ("", "Kampung Laut", ("Kenanga", "Laut")),
    ],
)
def test_a_name_in_the_form_may_begin_with_a_word_like_kampung(kecamatan: str, desa: str, expected: tuple[str, str]) -> None:
    finder = PlaceFinder(Register(agencies=(), places=(Place("Kampung Laut", "Kampung Baru"), Place("Kenanga", "Laut"))))
    assert where("lampu mati", kecamatan, desa, finder) == (*expected, False)


def test_the_text_narrows_what_the_form_leaves_open() -> None:
    assert where("parit Teluk Lingga mampet", "Sangatta Utara") == ("Sangatta Utara", "Teluk Lingga", False)
    assert where("parit Teluk Lingga mampet", "Sangatta") == ("Sangatta Utara", "Teluk Lingga", False)
    assert where("dermaga di Benua Baru gelap", "Muara Bengkal") == ("Muara Bengkal", "Benua Baru", False)


def test_form_and_text_that_disagree_are_a_conflict() -> None:
    place = resolve("lampu mati di Kaubun", "Telen")
    assert (place.kecamatan, place.conflict) == ("Telen", True)
    assert [candidate.name for candidate in place.candidates] == ["Telen", "Kaubun"]
    assert resolve("warga Desa Kolek", "Sangkulirang", "Saka").conflict
    assert resolve("lampu mati", "Telen", "Kolek").conflict


@pytest.mark.parametrize(
    "text",
    [
        "kami harus ke Kaubun",
        "air dibeli dari Kaubun",
        "Sungai Kaubun meluap",
        "kantor di Sangatta jauh",
        "poros Bengalon rusak",
        "jalan dayung rusak",
        "dari Kaubun sampai Telen di Telen",
    ],
)
def test_a_place_one_only_comes_from_or_goes_to_is_no_conflict(text: str) -> None:
    assert not resolve(text, "Telen").conflict


def test_another_region_needs_no_code() -> None:
    assert names("warga jemurwonosari", finder=ELSEWHERE) == ["Jemur Wonosari"]
    assert names("di kapassari", finder=ELSEWHERE) == ["Kapas Sari"]
    assert where("kelurahan Genteng tutup", finder=ELSEWHERE) == ("Wonorejo", "Genteng", False)
    assert where("kecamatan Genteng tutup", finder=ELSEWHERE) == ("Genteng", "", False)
    assert names("genteng rumah bocor, bunga melati layu", finder=ELSEWHERE) == []


def test_a_desa_that_several_kecamatan_have_is_told_apart_by_the_form_or_a_road() -> None:
    (place,) = find("kelurahan Melati", finder=ELSEWHERE)
    assert (place.kecamatan, place.kind) == ("", "desa")
    assert where("kelurahan Melati", "Kenanga", finder=ELSEWHERE) == ("Kenanga", "Melati", False)
    assert where("kelurahan Melati, Jl Anggrek", finder=ELSEWHERE) == ("Kenanga", "Melati", False)


def test_the_unit_of_a_family_is_the_place_it_serves() -> None:
    assert unit_of(KECAMATAN, resolve("di Desa Miau Baru"), REGISTER) == "Kongbeng"
    assert unit_of(KELURAHAN, resolve("di Desa Miau Baru"), REGISTER) == "Miau Baru"
    assert unit_of(KECAMATAN, resolve("di Sangatta"), REGISTER) == ""
    assert unit_of(KELURAHAN, resolve("di Kongbeng"), REGISTER) == ""
    assert unit_of(Agency("dlh", "DLH"), resolve("di Kongbeng"), REGISTER) == ""


def test_a_kelurahan_named_like_its_kecamatan_is_the_unit_when_nothing_else_is_said() -> None:
    assert unit_of(KELURAHAN, resolve("di Wonorejo", finder=ELSEWHERE), REGISTER) == "Wonorejo"


def test_a_finder_travels_to_another_process() -> None:
    # copy goes the way that pickle goes, through __reduce__
    assert [place.name for place in copy.copy(FINDER).find(ANALYZER.words(Complaint(text="di Wahau")))] == ["Muara Wahau"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.text(max_size=30), st.text(max_size=30))
def test_any_text_and_form_are_answered(text: str, kecamatan: str, desa: str) -> None:
    found = find(text, kecamatan, desa)
    assert [place for place in found if not 0 <= place.span.start < place.span.end <= len(text)] == []
    assert len(FINDER.resolve(found, kecamatan, desa).candidates) <= 7


def test_spans_never_overlap_and_stand_in_order() -> None:
    found = find("warga Desa Miau Baru, Kec. Kongbeng, lewat poros Wahau-Berau ke Sangatta Utara lalu Jl Dayung")
    spans = [(place.span.start, place.span.end) for place in found]
    assert len(spans) == 5
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
