"""Rules that a test writes, and those of the default region, applied to a line of text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.authority import MOVED, apply, lint, what_to_do
from model.complaint import Complaint
from model.place import PlaceFinder, ResolvedPlace
from model.routing import Candidate, FiredRule, FoundPlace
from model.rules import Rules, load_region
from model.text import Analyzer, Word
from tests.model.written_rules import AGENCIES, PLACES, alarm, rule, rules_of

DEFAULT = Path(__file__).parents[2] / "data" / "kutai-timur"
ANALYZER = Analyzer()
NOWHERE = ResolvedPlace()


def words(text: str, title: str = "") -> Sequence[Word]:
    return ANALYZER.words(Complaint(text=text, title=title))


def ranked(**probabilities: float) -> tuple[Candidate, ...]:
    return tuple(Candidate(agency, p) for agency, p in sorted(probabilities.items(), key=lambda item: -item[1]))


def fired(
    rules: Rules, text: str, place: ResolvedPlace = NOWHERE, found: Sequence[FoundPlace] = (), title: str = "", **p: float
) -> list[str]:
    return [one.id for one in apply(rules, ranked(**(p or {"dpupr": 0.8, "dishub": 0.2})), words(text, title), place, found)[1]]


def road(road_class: str) -> FoundPlace:
    return FoundPlace(words("jalan")[0].span, "road", "Jalan", road_class=road_class)


def test_a_rule_that_holds_moves_the_probability_and_says_why() -> None:
    candidates, reports = apply(
        rules_of(rule()), ranked(dpupr=0.8, dishub=0.15, perkim=0.05), words("jalan gang kami rusak"), ResolvedPlace(), ()
    )
    assert [(c.agency, round(c.probability, 4)) for c in candidates] == [("perkim", 0.77), ("dishub", 0.15), ("dpupr", 0.08)]
    assert reports == (FiredRule("aturan", "Kalimat.", "perkim"),)


def test_the_target_may_be_new_among_the_candidates() -> None:
    candidates, _ = apply(rules_of(rule()), ranked(dpupr=1.0), words("gang"), ResolvedPlace(), ())
    assert candidates == (Candidate("perkim", MOVED), Candidate("dpupr", 1 - MOVED))


def test_a_rule_that_does_not_hold_leaves_everything_as_it_was() -> None:
    before = ranked(dpupr=0.8, dishub=0.2)
    assert apply(rules_of(rule()), before, words("jalan rusak"), ResolvedPlace(), ()) == (before, ())
    assert apply(rules_of(rule()), (), words("gang"), ResolvedPlace(), ()) == ((), ())


def test_a_rule_looks_at_the_first_candidates_only() -> None:
    assert fired(rules_of(rule()), "gang", dishub=0.6, dpupr=0.4) == []
    assert fired(rules_of(rule(within=2)), "gang", dishub=0.6, dpupr=0.4) == ["aturan"]
    assert fired(rules_of(rule(within=2)), "gang", dishub=0.5, bbpjn=0.3, dpupr=0.2) == []


def test_a_rule_is_silent_where_its_target_leads_already() -> None:
    assert fired(rules_of(rule(within=2)), "gang", perkim=0.6, dpupr=0.4) == []


def test_a_rule_that_is_off_is_read_but_not_applied() -> None:
    rules = rules_of(rule(on=False))
    assert len(rules) == 1
    assert fired(rules, "gang") == []
    for on, ids in ((False, []), (True, ["aturan"])):  # of any agency, too
        assert fired(rules_of(rule(on=on, agencies=None, move_to=None, review=True)), "gang") == ids


@pytest.mark.parametrize(
    ("parts", "text", "holds"),
    [
        ({"any": ["lampu jalan", "pju"]}, "PJU mati", True),
        ({"any": ["lampu jalan", "pju"]}, "lampu di jalan mati", False),
        ({"any": ["lampu jalan"]}, "lampu jln mati", True),
        ({"any": ["lampu jalan"]}, "lampu rumah dan lampu jalan mati", True),
        ({"any": ["lembur"]}, "kami melembur terus", True),
        ({"any": ["di bawah umk"]}, "gaji dibawah UMK", True),
        ({"any": ["di gang"]}, "parit digang kami", True),
        ({"any": ["di gang"]}, "parit di depan gang", False),
        ({"none": ["di pasar"]}, "gang dipasar", False),
        ({"any": None, "all": ["gang", "parit"]}, "parit di gang", True),
        ({"any": None, "all": ["gang", "parit"]}, "parit kami", False),
        ({"none": ["jalan utama"]}, "gang dan jalan utama", False),
        ({"none": ["jalan utama"]}, "gang dan jalan", True),
    ],
)
def test_phrases_are_words_or_stems_that_follow_each_other(parts: dict[str, object], text: str, holds: bool) -> None:
    assert (fired(rules_of(rule(**parts)), text) == ["aturan"]) is holds


def told(rules: Rules, text: str, place: ResolvedPlace = NOWHERE) -> str:
    return what_to_do(rules, words(text), place, ())


def test_an_emergency_says_what_to_do_and_moves_nothing() -> None:
    rules = rules_of(alarm(id="darurat", sentence="Telepon 112.") + rule(any=["rumah"]))
    assert told(rules, "rumah kebakaran") == "Telepon 112."
    assert told(rules, "rumah rusak") == ""
    assert fired(rules, "rumah kebakaran") == ["aturan"]
    assert fired(rules_of(alarm()), "rumah kebakaran") == []
    assert told(rules_of(rule()), "gang") == ""


def test_the_first_emergency_of_the_file_that_holds_speaks() -> None:
    rules = rules_of(
        alarm(any=["banjir"], sentence="A.") + alarm(id="b", sentence="B.") + alarm(id="c", none=["asap"], sentence="C.")
    )
    assert told(rules, "kebakaran") == "B."


def test_a_rule_of_emergency_that_is_off_says_nothing() -> None:
    assert told(rules_of(alarm(on=False)), "kebakaran") == ""


def test_a_rule_of_emergency_without_a_condition_speaks_where_no_other_does() -> None:
    rules = rules_of(alarm(sentence="A.") + alarm(id="b", any=None, sentence="B."))
    assert [told(rules, text) for text in ("kebakaran", "longsor")] == ["A.", "B."]


def test_an_emergency_may_ask_for_a_place() -> None:
    rules = rules_of(alarm(kecamatan=["Telen"]))
    assert told(rules, "kebakaran", ResolvedPlace("Telen"))
    assert not told(rules, "kebakaran")


def test_a_phrase_does_not_reach_from_the_title_into_the_text() -> None:
    assert fired(rules_of(rule(any=["lampu jalan"])), "jalan rusak", title="lampu") == []


def test_roads_and_kecamatan_are_part_of_the_condition() -> None:
    by_road = rules_of(rule(any=None, roads=["nasional"]))
    assert fired(by_road, "rusak", found=[road("nasional")]) == ["aturan"]
    assert fired(by_road, "rusak", found=[road("provinsi")]) == []
    by_place = rules_of(rule(any=None, kecamatan=["Telen"]))
    assert fired(by_place, "rusak", ResolvedPlace("Telen")) == ["aturan"]
    assert fired(by_place, "rusak", ResolvedPlace()) == []


def test_a_road_of_one_kecamatan_is_meant_unless_the_place_is_another() -> None:
    by_road = rules_of(rule(any=None, roads=["nasional"]))
    one, any_ = [replace(road("nasional"), kecamatan="Telen")], [road("nasional")]
    assert [fired(by_road, "rusak", ResolvedPlace(place), one) for place in ("", "Telen", "Kaubun")] == [["aturan"], ["aturan"], []]
    assert fired(by_road, "rusak", ResolvedPlace("Kaubun"), any_) == ["aturan"]


def test_a_rule_may_hold_only_where_no_place_of_the_region_is_named() -> None:
    rules = rules_of(rule(unplaced=True))
    assert fired(rules, "gang rusak") == ["aturan"]
    assert fired(rules, "gang rusak", ResolvedPlace("Telen")) == []
    assert fired(rules, "gang rusak", ResolvedPlace(candidates=PLACES)) == []
    assert fired(rules, "gang rusak", found=[road("nasional")]) == []
    assert [one.unplaced for one in rules_of(rule() + rule(id="lain", unplaced=True))] == [False, True]  # and these two differ


def test_rules_that_pull_apart_move_nothing_and_ask_for_a_person() -> None:
    rules = rules_of(rule() + rule(id="lain", any=["parit"], move_to="dishub"))
    before = ranked(dpupr=0.9, perkim=0.1)
    candidates, reports = apply(rules, before, words("parit di gang"), ResolvedPlace(), ())
    assert candidates == before
    assert [(one.id, one.agency) for one in reports] == [("aturan", ""), ("lain", "")]


def test_rules_that_agree_move_together() -> None:
    rules = rules_of(rule() + rule(id="lain", agencies=["bbpjn"], within=2, any=["parit"]))
    candidates, reports = apply(rules, ranked(dpupr=0.5, bbpjn=0.5), words("parit di gang"), ResolvedPlace(), ())
    assert round(candidates[0].probability, 4) == 0.9
    assert [one.id for one in reports] == ["aturan", "lain"]


def test_a_rule_may_ask_for_a_person_and_move_nothing() -> None:
    rules = rules_of(rule(agencies=None, any=["sidrap"], move_to=None, review=True))
    before = ranked(dishub=1.0)
    assert apply(rules, before, words("warga Sidrap"), ResolvedPlace(), ()) == (before, (FiredRule("aturan", "Kalimat.", ""),))


def test_the_order_of_the_file_decides_nothing() -> None:
    parts = [rule(), rule(id="b", any=["parit"], within=3), rule(id="c", any=["titian"], agencies=["dishub"], within=3)]
    text = words("parit dan titian di gang")
    before = ranked(dpupr=0.5, dishub=0.3, bbpjn=0.2)
    results = {apply(rules_of("".join(order)), before, text, ResolvedPlace(), ())[0] for order in (parts, parts[::-1])}
    assert len(results) == 1


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.lists(st.floats(0.001, 1), min_size=1, max_size=4))
def test_the_sum_of_probabilities_stays(text: str, weights: list[float]) -> None:
    before = tuple(Candidate(agency.id, w / sum(weights)) for agency, w in zip(AGENCIES, weights, strict=False))
    rules = rules_of(rule(within=4) + rule(id="b", any=["jalan"], agencies=["perkim"], move_to="bbpjn", within=4))
    after, _ = apply(rules, before, words(text + " jalan"), ResolvedPlace(), ())
    assert abs(sum(c.probability for c in after) - 1) < 1e-9
    assert [c.probability for c in after] == sorted((c.probability for c in after), reverse=True) or after == before


def test_a_rule_that_never_holds_on_a_corpus_is_named() -> None:
    rules = rules_of(rule() + rule(id="lain", any=["titian"]))
    assert [str(fault) for fault in lint(rules, [(words("gang"), ResolvedPlace(), ())])] == [
        "rules.toml:8: rule 'lain' holds for no complaint of the corpus"
    ]


@pytest.fixture(scope="module")
def default_region() -> tuple[Rules, PlaceFinder]:
    register, rules = load_region(DEFAULT)
    return rules, PlaceFinder(register)


@pytest.mark.parametrize(
    ("text", "first", "agency", "fires"),
    [
        ("lampu jalan poros Sangatta-Bengalon mati sudah seminggu", "dishub", "bptd", "perlengkapan-jalan-nasional"),
        ("aspal poros Sangatta-Bontang berlubang", "dpupr", "bbpjn", "jalan-nasional"),
        ("PJU Jl. A.W. Syahranie padam", "dishub", "dishub-kaltim", "perlengkapan-jalan-provinsi"),
        ("guru SMA kurang", "disdikbud", "disdikbud-kaltim", "sma-smk-slb"),
        ("guru SMAN 2 dan SMKN1 kurang", "disdikbud", "disdikbud-kaltim", "sma-smk-slb"),
        ("atap MTsN 1 bocor", "disdikbud", "kemenag", "madrasah-dan-pesantren"),
        ("adik lulus SMPN 1 mau masuk SLTA", "disdikbud", "disdikbud", ""),
        ("atap madrasah bocor", "disdikbud", "kemenag", "madrasah-dan-pesantren"),
        ("tebing sungai longsor lagi", "dpupr", "bws-kalimantan-iv", "sungai-besar"),
        ("upah lembur di kebun tidak dibayar", "disnakertrans", "disnakertrans-kaltim", "pengawasan-ketenagakerjaan"),
        ("kampung kami belum pernah ada listrik", "pln", "setkab", "listrik-desa"),
        ("kami warga Sidrap bingung", "disdukcapil", "disdukcapil", "sidrap"),
        ("dusun kami belum teraliri listrik sampai sekarang", "pln", "setkab", "listrik-desa"),
        ("kamar inap RSUD Sangkulirang penuh terus", "rsud-kudungga", "rsud-kudungga", "rumah-sakit-lain"),
        ("RSUD Taman Husada Bontang menolak pasien dari Teluk Pandan", "rsud-kudungga", "rsud-kudungga", "rumah-sakit-lain"),
        ("dirawat di RSUD A.W. Syahranie tidak diberi obat", "rsud-kudungga", "rsud-kudungga", "rumah-sakit-lain"),
        ("dirujuk RSUD Kudungga ke RSUD Bontang, ambulansnya lama", "rsud-kudungga", "rsud-kudungga", ""),
        ("antre lama sekali di puskesmas Tenggarong", "dinkes", "dinkes", "wilayah-tetangga"),
        # Another region's matter goes to nobody here by itself; who only goes there, or says where he lives, is from here.
        ("lampu jalan MT Haryono Samarinda mati dua minggu", "dishub", "dishub", "wilayah-lain"),
        ("air PDAM di Balikpapan Utara mati tiga hari", "perumdam", "perumdam", "wilayah-lain"),
        ("sampah di Kelurahan Api-api Bontang Utara menumpuk", "dlh", "dlh", "wilayah-lain"),
        ("sampah di Kota Bontang menumpuk", "dlh", "dlh", "wilayah-tetangga"),
        ("saya harus ke Samarinda hanya untuk imunisasi", "dinkes", "dinkes", ""),
        ("puskesmas Sangkulirang tutup, berobat sampai Samarinda", "dinkes", "dinkes", ""),
        ("lampu di Sangatta mati, di Bontang menyala", "dishub", "dishub", ""),
        ("Perawat puskesmas terima amplop baru mau melayani", "dinkes", "dinkes", "minta-uang"),
        ("polsek minta damai 5 juta", "polres", "polres", "minta-uang"),
        ("nyogok 50 juta supaya jadi honorer", "bkpsdm", "bkpsdm", "minta-uang"),
        ("got mampet sudah kami sogok2 pakai linggis", "perkim", "perkim", ""),
        ("bayi itu disuapi kakaknya", "dinsos", "dinsos", ""),
        ("gas 3 kg di pangkalan tidak dikirim agen", "pertamina", "pertamina", ""),
        # What lies beside a trunk road is not the road's; a house without a meter is no village without electricity.
        ("gang di belakang jalan poros Sangatta-Bontang becek", "perkim", "perkim", ""),
        ("lampu di perumahan dekat poros Sangatta-Bengalon mati", "dishub", "dishub", ""),
        ("jalan usaha tani dari Simpang Perdau ke kebun rusak", "dpupr", "dpupr", ""),
        ("rumah baru saya belum ada listrik, sudah daftar ke PLN", "pln", "pln", ""),
        ("kampung kami belum ada jaringan listrik PLN", "pln", "setkab", "listrik-desa"),
        ("sungai keruh sejak ada tambang di hulu", "esdm", "dlh", "debu-dan-limbah-tambang"),
        ("sumur kami tercemar tambang", "esdm", "dlh", "debu-dan-limbah-tambang"),
        ("upah security di kantor dibawah UMK", "disnakertrans", "disnakertrans-kaltim", "pengawasan-ketenagakerjaan"),
        ("tiang Telkom depan rumah miring", "dishub", "operator-telekomunikasi", "tiang-telekomunikasi"),
        ("Tolong rahasiakan identitas saya, tetangga jual miras", "satpol-pp", "satpol-pp", "minta-dirahasiakan"),
        ("jangan sebut nama saya, pabrik buang limbah malam hari", "dlh", "dlh", "minta-dirahasiakan"),
        ("nama sy mohon dirahasiakan", "dlh", "dlh", "minta-dirahasiakan"),
        ("apakah hasil rapat itu rahasia", "diskominfo", "diskominfo", ""),
        ("petugas meminta uang tambahan padahal gratis", "dinkes", "dinkes", "minta-uang"),
        ("petugas minta duit 200rb waktu urus KTP", "disdukcapil", "disdukcapil", "minta-uang"),
        ("kami tidak minta uang, cukup kursi roda untuk anak saya", "dinsos", "dinsos", ""),
        ("anak punk maksa minta uang di lampu merah", "satpol-pp", "satpol-pp", ""),
        # Where a word only says where something is, or what it is not, no rule moves the matter.
        ("habis hujan kemarin sampai sekarang belum ada listrik", "pln", "pln", ""),
        ("bantuan PKH belum cair, rumah saya di belakang pesantren", "dinsos", "dinsos", ""),
        ("anak saya dari MTs mau pindah ke SMP negeri ditolak", "disdikbud", "disdikbud", ""),
        ("poros Sangatta-Bengalon longsor dan belum ada rambu", "bbpjn", "bbpjn", ""),
        ("sampah di dekat gerbang Taman Nasional Kutai", "dlh", "dlh", ""),
        ("dulu PBI sekarang mandiri, iuran BPJS tetap ditagih", "bpjs-kesehatan", "bpjs-kesehatan", ""),
        ("sengketa lahan plasma, koperasi tidak membagi hasil", "disbun", "disbun", ""),
        ("jalan poros desa di Tanjung Labu rusak berat", "dpupr", "dpupr", ""),
        ("lampu di Jalan Pendidikan Muara Wahau mati", "dishub", "dishub", ""),
        ("ada yang menjual kulit buaya", "bksda", "bksda", ""),
    ],
)
def test_the_rules_of_the_default_region_say_who_is_competent(
    default_region: tuple[Rules, PlaceFinder], text: str, first: str, agency: str, fires: str
) -> None:
    rules, finder = default_region
    read = words(text)
    found = finder.find(read)
    candidates, reports = apply(rules, (Candidate(first, 1.0),), read, finder.resolve(found), found)
    assert (candidates[0].agency, [one.id for one in reports]) == (agency, [fires] if fires else [])
