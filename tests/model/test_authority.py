import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.authority import MAX_RULES, MOVED, Rules, apply, lint, load_region, load_rules, what_to_do
from model.complaint import Complaint
from model.faults import InvalidData
from model.place import PlaceFinder, ResolvedPlace
from model.register import Agency, Place, Register
from model.routing import Candidate, FiredRule, FoundPlace
from model.text import Analyzer, Word

DEFAULT = Path(__file__).parents[2] / "data" / "kutai-timur"
ANALYZER = Analyzer()
NOWHERE = ResolvedPlace()
AGENCIES = tuple(Agency(name, name.upper()) for name in ("dpupr", "perkim", "bbpjn", "dishub"))
PLACES = (Place("Telen", type="kecamatan"), Place("Telen", "Juk Ayaq"))


def rules_of(text: str) -> Rules:
    return load_rules(Register(AGENCIES, PLACES, files={"rules.toml": text.encode()}))


def faults_of(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidData) as error:
        load_rules(Register(AGENCIES, PLACES, files={"rules.toml": content}))
    return [str(fault).removeprefix("rules.toml:") for fault in error.value.faults]


def test_the_rule_that_data_readme_gives_stops_what_plainly_alleges_wrongdoing() -> None:
    blocks = (DEFAULT.parent / "README.md").read_text(encoding="utf-8").split("```\n")
    (guide,) = [block for block in blocks if block.lstrip().startswith("[[rule]]")]
    likely = (Candidate("dpupr", 0.9), Candidate("perkim", 0.1))
    for text, stopped in (("pak lurah pungli urus surat", True), ("jalan berlubang", False)):
        _, fired = apply(rules_of(textwrap.dedent(guide)), likely, words(text), NOWHERE, ())
        assert [rule.id for rule in fired] == ["dugaan-penyimpangan"] * stopped


def rule(**parts: object) -> str:
    """A valid rule in TOML, with parts set anew, or left out where None."""
    values: dict[str, object] = {
        "id": "aturan",
        "agencies": ["dpupr"],
        "any": ["gang"],
        "move_to": "perkim",
        "sentence": "Kalimat.",
        "source": "BK",
    }
    lines = [f"{key} = {_toml(value)}" for key, value in (values | parts).items() if value is not None]
    return "\n".join(["[[rule]]", *lines]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", '"') if isinstance(value, list) else f'"{value}"' if isinstance(value, str) else str(value)


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


def alarm(**parts: object) -> str:
    """A rule of emergency: the usual one, of no agency."""
    return rule(**({"agencies": None, "move_to": None, "emergency": True, "any": ["kebakaran"]} | parts))


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            rule(anny=["x"]),
            "8: unknown key 'anny': one of agencies, all, any, emergency, id, kecamatan, move_to, none, note, on, review,"
            " roads, sentence, source, unplaced, within",
        ),
        (rule(move_to="dinas"), "5: 'dinas' is no agency of agencies.csv"),
        (rule(agencies=["dinas"]), "3: 'dinas' is no agency of agencies.csv"),
        (rule(roads=["tol"]), "8: 'tol' is no road class: one of nasional, provinsi, kabupaten, kota, lingkungan, desa, khusus"),
        (rule(kecamatan=["Juk Ayaq"]), "8: 'Juk Ayaq' is no kecamatan of places.csv"),
        (rule(any=None), "2: the condition is empty: give roads, kecamatan, any or all"),
        (rule(any=[]), "4: any is empty: leave it out"),
        (rule(any=["..."]), "4: phrase '...' has no word"),
        (rule(any=["jalan*"]), "4: phrase 'jalan*': write words as they stand in a text, no pattern: '*' is none of them"),
        (rule(any=["sm(a|k)"]), "4: phrase 'sm(a|k)': write words as they stand in a text, no pattern: '|' is none of them"),
        (rule(any="gang"), "4: any must be a list of texts"),
        (rule(any=[7]), "4: any must be a list of texts"),
        (rule(move_to=["dishub"]), "5: move_to must be text"),
        (rule(sentence=""), "6: sentence is missing"),
        (rule(source=None), "1: source is missing"),
        (rule(source=7), "7: source must be text"),
        (rule(on="ya"), "8: on must be true or false"),
        (rule(unplaced=1), "8: unplaced must be true or false"),
        (rule(any=None, unplaced=True), "2: the condition is empty: give roads, kecamatan, any or all"),
        (rule(within=0), "8: within must be a number from 1 to 7"),
        (rule(within=True), "8: within must be a number from 1 to 7"),
        (rule(within=8), "8: within must be a number from 1 to 7"),
        (rule(within="dua"), "8: within must be a number from 1 to 7"),
        (rule(within=2.0), "8: within must be a number from 1 to 7"),
        (rule(review=True), "5: give one effect: move_to, review = true or emergency = true"),
        (rule(emergency=True), "5: give one effect: move_to, review = true or emergency = true"),
        (rule(move_to=None), "1: give one effect: move_to, review = true or emergency = true"),
        (rule(move_to=None, emergency="ya"), "7: emergency must be true or false"),
        (alarm(agencies=["dpupr"]), "3: an emergency is one whoever is responsible: leave agencies out"),
        (rule(agencies=None), "4: a rule that moves says from whom: agencies is missing"),
        (rule(agencies=["dpupr", "perkim"]), "3: 'perkim' is also where the rule moves to"),
        ("aturan = 1\n", " unknown key 'aturan': only [[rule]]"),
        ("rule = 1\n", " rules are written as [[rule]]"),
        ("rule = [{}, 1]\n", " rules are written as [[rule]]"),
        ("[[rule]]\nid = \n", "2: not TOML: Invalid value"),
        ("rule = " + "[" * 50_000, " not TOML: nested too deeply"),
        (b"# ok\n\xff\n", "2: not UTF-8: byte 0xff"),
    ],
)
def test_a_bad_rule_is_named_with_line_and_reason(text: str | bytes, said: str) -> None:
    assert said in faults_of(text)


def test_every_fault_of_every_rule_comes_in_one_run_in_the_order_of_the_file() -> None:
    assert len(faults_of(rule(move_to="x", any=None) + rule(id="b", agencies=["y"]))) == 3
    assert [fault.partition(":")[0] for fault in faults_of(rule(anny=["x"], move_to="dinas") + rule())] == ["5", "8"]


def test_rules_that_contradict_are_refused() -> None:
    text = rule() + rule(id="lain", move_to="dishub")
    assert faults_of(text) == ["8: rule 'lain' contradicts rule 'aturan' on line 1 with the same condition"]
    both = alarm() + alarm(id="lain", emergency=None, review=True)
    assert faults_of(both) == ["7: rule 'lain' contradicts rule 'aturan' on line 1 with the same condition"]


def test_a_rule_said_twice_is_refused() -> None:
    assert faults_of(rule() + rule()) == [
        "8: id 'aturan' stands already on line 1",
        "8: rule 'aturan' says what rule 'aturan' on line 1 with the same condition",
    ]


def test_too_many_rules_are_refused() -> None:
    assert faults_of("[[rule]]\n" * (MAX_RULES + 1)) == [f" over {MAX_RULES} rules"]
    assert f" over {MAX_RULES} rules" not in faults_of("[[rule]]\n" * MAX_RULES)


def test_a_region_without_rules_has_none() -> None:
    assert load_rules(Register(AGENCIES)) == ()


def test_the_faults_of_register_and_rules_come_in_one_run(tmp_path: Path) -> None:
    (tmp_path / "agencies.csv").write_text("id,name\ndpupr,DPUPR\ndpupr,DPU\n", encoding="utf-8")
    (tmp_path / "rules.toml").write_text(rule(), encoding="utf-8")
    with pytest.raises(InvalidData) as error:
        load_region(tmp_path)
    named = [(fault.file, fault.line) for fault in error.value.faults]
    assert named == [(str(tmp_path / "agencies.csv"), 3), (str(tmp_path / "rules.toml"), 5)]


def test_rules_are_not_blamed_for_agencies_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "agencies.csv").write_text("id;name\ndpupr;DPUPR\n", encoding="utf-8")
    (tmp_path / "rules.toml").write_text(rule(any=["..."]), encoding="utf-8")
    with pytest.raises(InvalidData) as error:
        load_region(tmp_path)
    named = [(fault.file, fault.line) for fault in error.value.faults]
    assert named == [(str(tmp_path / "agencies.csv"), 1), (str(tmp_path / "rules.toml"), 4)]


@pytest.mark.parametrize(
    ("places", "blamed"), [("kecamatan;desa\nTelen;\n", ["places.csv"]), ("", ["rules.toml"])], ids=["not read", "none"]
)
def test_rules_are_blamed_for_a_kecamatan_only_where_it_is_known_which_there_are(
    tmp_path: Path, places: str, blamed: list[str]
) -> None:
    (tmp_path / "agencies.csv").write_text("id,name\ndpupr,DPUPR\nperkim,Perkim\n", encoding="utf-8")
    (tmp_path / "rules.toml").write_text(rule(kecamatan=["Telen"]), encoding="utf-8")
    if places:
        (tmp_path / "places.csv").write_text(places, encoding="utf-8")
    with pytest.raises(InvalidData) as error:
        load_region(tmp_path)
    assert [Path(fault.file).name for fault in error.value.faults] == blamed


def test_a_rule_that_never_holds_on_a_corpus_is_named() -> None:
    rules = rules_of(rule() + rule(id="lain", any=["titian"]))
    assert [str(fault) for fault in lint(rules, [(words("gang"), ResolvedPlace(), ())])] == [
        "rules.toml:8: rule 'lain' holds for no complaint of the corpus"
    ]


def test_the_rules_of_the_default_region_load_and_each_says_its_source() -> None:
    _, rules = load_region(DEFAULT)
    assert len(rules) > 30
    assert all(one.sentence.endswith(".") and one.source for one in rules)


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
def test_the_rules_of_the_default_region_say_who_is_competent(text: str, first: str, agency: str, fires: str) -> None:
    register, rules = load_region(DEFAULT)
    complaint = Complaint(text=text)
    finder = PlaceFinder(register)
    found = finder.find(ANALYZER.words(complaint))
    candidates, reports = apply(rules, (Candidate(first, 1.0),), ANALYZER.words(complaint), finder.resolve(found), found)
    assert (candidates[0].agency, [one.id for one in reports]) == (agency, [fires] if fires else [])
