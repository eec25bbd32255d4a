"""What is refused in `rules.toml`, and by which line."""

from pathlib import Path

import pytest

from model.faults import InvalidData
from model.register import Agency, Register
from model.rules import MAX_RULES, load_region, load_rules
from tests.model.written_rules import AGENCIES, PLACES, alarm, rule

DEFAULT = Path(__file__).parents[2] / "data" / "kutai-timur"


def faults_of(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InvalidData) as error:
        load_rules(Register(AGENCIES, PLACES, files={"rules.toml": content}))
    return [str(fault).removeprefix("rules.toml:") for fault in error.value.faults]


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


def test_a_rule_that_names_an_ended_agency_and_not_its_successor_is_outdated() -> None:
    agencies = (
        *AGENCIES,
        Agency("pu-lama", "Dinas Lama", valid_until="2025-12-31", successor="dpupr"),
        Agency("bubar", "Badan yang Bubar", valid_until="2025-12-31"),
    )
    text = "".join(
        (
            rule(id="ke-lama", agencies=["dishub"], move_to="pu-lama"),
            rule(id="ke-bubar", agencies=["dishub"], move_to="bubar", any=["dua"]),
            rule(id="dari-lama", agencies=["pu-lama"], move_to="dishub", any=["tiga"]),
            rule(id="dari-keduanya", agencies=["pu-lama", "dpupr"], move_to="dishub", any=["empat"]),
            rule(id="dari-bubar", agencies=["bubar"], move_to="dishub", any=["lima"]),
            rule(id="mati", agencies=["pu-lama"], move_to="dishub", any=["enam"], on=False),
        )
    )
    register = Register(agencies, PLACES, files={"rules.toml": text.encode()})
    rules = load_rules(register)
    assert list(rules.outdated(register, "2025-12-31")) == []
    assert list(rules.outdated(register, "2026-01-01")) == [
        "rule 'ke-lama' names pu-lama, which does not exist on 2026-01-01: what it moves waits for a person; name dpupr",
        "rule 'ke-bubar' names bubar, which does not exist on 2026-01-01: what it moves waits for a person",
        "rule 'dari-lama' names pu-lama, which does not exist on 2026-01-01: it does not fire where dpupr is likely; name that too",
    ]


def test_the_rules_of_the_default_region_load_and_each_says_its_source() -> None:
    _, rules = load_region(DEFAULT)
    assert len(rules) > 30
    assert all(one.sentence.endswith(".") and one.source for one in rules)
