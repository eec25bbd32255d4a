"""The parts of the desk that know neither database nor web: the rank, the question, the search, exact intervals."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from scipy.stats import beta

from model.register import Agency, Register
from model.wording import office
from service.complaints import review, urgency
from service.desk import agency_search, desk_page, questions
from service.desk.waiting import Cursor
from service.promise import audit, breakers
from service.promise.proportions import evidence_against, exact_interval
from service.storage.tables import MAX_ID
from service.web.bodies import row_number

TODAY = dt.date(2026, 3, 4)
KUTIM = Path(__file__).parents[3] / "data" / "kutai-timur"


def test_the_rank_puts_first_what_is_due_and_what_a_mistake_would_hurt() -> None:
    late, later = TODAY, TODAY + dt.timedelta(days=1)
    assert urgency.rank(late, 0.5, "review") < urgency.rank(later, 0.5, "review")
    assert urgency.rank(late, 0.3, "review") < urgency.rank(late, 0.9, "review")
    assert urgency.rank(late, 0.5, "review", oversight=True) < urgency.rank(late, 0.5, "review")
    assert urgency.rank(late, 0.9, "returned") < urgency.rank(late, 0.0, "no-model")
    unknown = {urgency.rank(late, probability, queue) for probability in (0.0, 0.9) for queue in ("ask", "no-model")}
    assert unknown == {urgency.rank(late, 0.0, "review")}, "nothing is known of these, whatever the model says"
    assert urgency.rank(later, 0.3, "review") < urgency.rank(late, 0.9, "review"), "a day is less than a wrong agency costs"
    long_overdue = TODAY - dt.timedelta(days=300)
    assert urgency.rank(later, 0.99, "review", emergency=True) < urgency.rank(long_overdue, 0.0, "returned", oversight=True)


@pytest.mark.parametrize("text", ["", "1", "~", "1~", "x~1", "1~x", "1~1" + "0" * 60])
def test_what_is_no_cursor_is_taken_for_none(text: str) -> None:
    assert Cursor.read(text) is None


def test_a_cursor_loses_no_digit() -> None:
    cursor = Cursor(739_314.123_456_789_01 - 1 / 3, 2**31 - 1)
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1006, "lewat 1.006 hari kerja"), (-3, "lewat 3 hari kerja"), (0, "tenggat hari ini"), (2, "sisa 2 hari kerja")],
)
def test_a_deadline_is_said_in_working_days(days: int, words: str) -> None:
    assert desk_page.days_left(days) == words


def test_an_office_is_named_as_people_do() -> None:
    register = Register((Agency("kecamatan", "Kecamatan (18 kecamatan)", per="kecamatan"), Agency("pln", "PT PLN (Persero)")))
    assert office("kecamatan", "Bengalon", register) == "Kecamatan Bengalon"
    assert office("kecamatan", "", register) == "Kecamatan (18 kecamatan)"
    assert office("pln", "", register) == "PT PLN (Persero)"
    assert office("hapus", "", register) == office("hapus", "", None) == "hapus"
    assert office("", "", register) == ""


def test_an_office_whose_place_begins_as_its_family_is_not_called_so_twice() -> None:
    register = Register((Agency("kampung", "Kampung (9 kampung)", per="desa"), Agency("kelurahan", "Kelurahan", per="desa")))
    assert office("kampung", "Kampung Baru", register) == "Kampung Baru"
    assert office("kampung", "Kampungan", register) == "Kampung Kampungan"
    assert office("kelurahan", "Kampung Baru", register) == "Kelurahan Kampung Baru"


def test_a_question_asks_for_the_place_as_the_region_calls_it() -> None:
    asked = questions.ask(["lokasi"], called={"kecamatan": "distrik", "desa": "kampung"})
    assert "RT, kampung, dan distrik, atau patokan" in asked
    assert "RT, desa/kelurahan, dan kecamatan, atau patokan" in questions.ask(["lokasi"])


def test_a_question_asks_for_each_thing_that_is_missing() -> None:
    asked = questions.ask(["waktu", "lokasi"], "Lampu jalan mati", "", "Bengalon")
    assert asked.startswith("Yth. Bapak/Ibu Pelapor,")
    assert '"Lampu jalan mati"' in asked
    assert asked.index("1. di mana") < asked.index("nomor tiang") < asked.index("Bengalon") < asked.index("2. kapan")
    assert "Terima kasih" in asked


def test_a_question_fits_the_matter_and_never_asks_for_an_identity_number() -> None:
    water = questions.ask(["identitas"], "", "air mati tiga hari")
    assert "nomor sambungan pelanggan air" in water
    for text in ("air mati", "akta kelahiran", "gaji belum dibayar", "entah"):
        assert "jangan menuliskan NIK" in questions.ask(["identitas"], "", text)
    assert "1." not in water
    assert "nama sekolahnya" in questions.ask(["lokasi"], "", "atap SDN bocor, begitu juga SMPN")
    assert "ruas yang rusak" in questions.ask(["lokasi"], "", "jln rusak")


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        ("", "akta lahir anak rusak, rumah kemasukan air", "tanggal pengurusan"),
        ("", "PKH ibu tidak cair, di rumah pun tidak ada listrik", "nama bantuan"),
        ("", "gaji tidak dibayar, tidak bisa beli air dan bayar listrik", "bagian tempat bekerja"),
        ("KTP belum jadi", "air mati pun sudah kami maklumi", "tanggal pengurusan"),
        ("", "air mata kami habis menunggu KTP", "tanggal pengurusan"),
        ("", "BPJS Ketenagakerjaan saya ditolak", "tahun mulai terdaftar"),
        ("", "KIS nonaktif", "fasilitas kesehatan"),
        ("", "sertifikat PTSL belum jadi, pajaknya jalan terus", "letak tanah"),
        ("", "PBB salah nama", "letak objeknya"),
        ("", "SK honorer belum keluar", "unit kerja"),
        ("", "beasiswa belum cair", "nama beasiswa"),
        ("", "menunggu terus", "nomor pelanggan"),
    ],
)
def test_what_is_asked_to_tell_whose_case_it_is_fits_what_is_said_first(title: str, text: str, said: str) -> None:
    assert said in questions.ask(["identitas"], title, text)


def test_a_question_quotes_little_and_breaks_no_word() -> None:
    asked = questions.ask([], "panjang " * 50)
    assert "panjang …" in asked
    assert len(asked) < 500
    assert questions.ask([], 'kata "mereka"').count('"') == 2
    assert "mengenai" not in questions.ask(["lokasi"])
    assert 'mengenai "jalan rusak"' in questions.ask(["lokasi"], " - ", "jalan rusak")
    assert "mengenai" not in questions.ask(["uraian"], "", "🙏?")


def test_every_question_that_can_be_made_can_be_sent() -> None:
    long = questions.ask(["lokasi", "waktu", "identitas", "uraian"], "jalan sekolah air " * 30, "", "Desa Nama Panjang, " * 5)
    assert len(long) <= review.MAX_QUESTION


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("pdam", "perumdam"),
        ("PDAM", "perumdam"),
        ("dinas perhubungan", "dishub"),
        ("perhub", "dishub"),
        ("bpn", "bpn"),
        ("camat", "kecamatan"),
        ("sampah", "dlh"),
        ("ktp", "disdukcapil"),
        ("kominfo", "diskominfo"),
    ],
)
def test_an_agency_is_found_by_name_alias_or_matter(query: str, first: str) -> None:
    assert agency_search.search(Register.load(KUTIM), query)[0].agency.id == first


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("kecamatan bengalon", ["Bengalon"]),
        ("camat", []),
        ("Kecamatan", []),
        ("kec sangatta", ["Sangatta Selatan", "Sangatta Utara"]),
        ("bengalon", ["Bengalon"]),
        ("kantor camat bengalon", ["Bengalon"]),
        ("dinas bengalon", []),
        ("", []),
    ],
)
def test_an_office_of_a_family_is_found_by_the_place_it_is_named_after(query: str, units: list[str]) -> None:
    found = agency_search.offices(Register.load(KUTIM), query)
    assert [(one.agency.id, one.unit) for one in found] == [("kecamatan", unit) for unit in units]


def test_what_an_agency_does_not_look_after_does_not_find_it() -> None:
    register = Register(agencies=(Agency("a", "Dinas A", matters="guru SD; Bukan SMA/SMK"), Agency("b", "Dinas B", matters="SMA")))
    assert [found.agency.id for found in agency_search.search(register, "sma")] == ["b"]
    assert [found.because for found in agency_search.search(register, "guru")] == ["guru SD"]


def test_an_agency_that_is_no_more_is_not_offered() -> None:
    register = Register(
        agencies=(Agency("lama", "Dinas Lama", valid_until="2020-01-01", successor="baru"), Agency("baru", "Dinas Baru"))
    )
    assert [found.agency.id for found in agency_search.search(register, "dinas", "2026-01-01")] == ["baru"]


@pytest.mark.parametrize("query", ["", " ", "%", "<script>", "\0", "x" * 10_000])
def test_a_search_for_nothing_finds_nothing(query: str) -> None:
    assert agency_search.search(Register.load(KUTIM), query) == []


@pytest.mark.parametrize("cases", [1, 2, 7, 60, 1_000, 20_000])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_exact_interval_is_that_of_the_beta_distribution(cases: int, confidence: float) -> None:
    tail = (1 - confidence) / 2
    for wrong in {0, 1, cases // 20, cases // 2, cases}:
        low, high = exact_interval(wrong, cases, confidence)
        assert low == pytest.approx(beta.ppf(tail, wrong, cases - wrong + 1) if wrong else 0.0, abs=1e-9)
        assert high == pytest.approx(beta.ppf(1 - tail, wrong + 1, cases - wrong) if wrong < cases else 1.0, abs=1e-9)


def test_the_interval_of_nothing_says_nothing() -> None:
    assert exact_interval(0, 0) == (0.0, 1.0)


def stops_after(share: float, seed: int, most: int = 400) -> int | None:
    """Number of cases after which an agency with this share of errors is stopped."""
    chance = random.Random(seed)  # noqa: S311
    wrong = 0
    for cases in range(1, most + 1):
        wrong += chance.random() < share
        if evidence_against(audit.TARGET, wrong, cases) >= 1 / breakers.FALSE_ALARM:
            return cases
    return None


def test_a_promise_that_holds_is_hardly_ever_called_broken_however_often_one_looks() -> None:
    alarms = [stops_after(audit.TARGET, seed) for seed in range(400)]
    assert sum(alarm is not None for alarm in alarms) <= 400 * breakers.FALSE_ALARM


def test_a_promise_that_is_broken_is_found_out_soon() -> None:
    found = [stops_after(0.2, seed) for seed in range(100)]
    soon = sorted(cases for cases in found if cases is not None)
    assert len(soon) == 100
    assert soon[50] <= 40


def test_no_error_never_speaks_against_the_promise() -> None:
    assert all(evidence_against(0.05, 0, cases) <= 1 for cases in (0, 1, 10, 10_000))
    assert evidence_against(0.05, 5_000, 5_000) > 1e300


def test_the_draw_is_the_same_on_every_replay_and_unforeseeable_without_the_secret() -> None:
    names = [f"K-{number}" for number in range(4_000)]
    drawn = {name for name in names if audit.is_drawn("rahasia", "lapor", name, 0.05)}
    assert drawn == {name for name in names if audit.is_drawn("rahasia", "lapor", name, 0.05)}
    assert 150 < len(drawn) < 250
    assert drawn < {name for name in names if audit.is_drawn("rahasia", "lapor", name, 0.2)}
    assert drawn != {name for name in names if audit.is_drawn("lain", "lapor", name, 0.05)}
    assert drawn != {name for name in names if audit.is_drawn("rahasia", "lain", name, 0.05)}
    assert not any(audit.is_drawn("rahasia", "lapor", name, 0.0) for name in names)
    assert all(audit.is_drawn("rahasia", "lapor", name, 1.0) for name in names)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1", 1),
        ("0", 0),
        ("2147483647", MAX_ID),
        ("2147483648", None),
        ("9" * 5_000, None),
        ("", None),
        ("-1", None),
        ("\u0663", None),
    ],
)
def test_a_rows_number_is_read_up_to_the_largest_that_there_is(written: str, read: int | None) -> None:
    assert row_number(written) == read
