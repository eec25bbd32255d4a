"""From a foreign name, category and words to an agency: first match, faults, what matched nothing."""

from pathlib import Path

import pytest

from model.faults import InvalidData
from model.register import Agency, Register
from training.reading.crosswalk import Crosswalk, identity

REGISTER = Register(
    (
        Agency("dpupr", "Dinas Pekerjaan Umum dan Penataan Ruang", ("DPUPR", "Dinas PU")),
        Agency("perkim", "Dinas Perumahan", ("Perkim",)),
        Agency("dishub", "Dinas Perhubungan", ("Dishub", "Perkim")),
    )
)
SHIPPED = Path(__file__).parents[3] / "data" / "crosswalks"


def _load(folder: Path, *lines: str, header: str = "name,category,words,agency,acceptable,use,note") -> Crosswalk:
    path = folder / "source.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return Crosswalk.load(path, REGISTER)


def _faults(folder: Path, *lines: str) -> list[str]:
    with pytest.raises(InvalidData) as error:
        _load(folder, *lines)
    return [f"{fault.line}: {fault.reason}" for fault in error.value.faults]


def _agency(crosswalk: Crosswalk, name: str, category: str = "", text: str = "") -> str | None:
    rule = crosswalk.resolve(name, category, (text,))
    return rule.agency if rule else None


def test_the_first_row_that_matches_decides(tmp_path: Path) -> None:
    crosswalk = _load(
        tmp_path,
        "Dinas PU*,Jalan*; Drainase,gang; gg,perkim,dpupr,,",
        "Dinas PU*,*Lampu*,,dishub,,,",
        "Dinas PU*,,,dpupr,,train,why",
    )
    assert _agency(crosswalk, "dinas  pu KAB. X", "jalan berlubang", "rusak di GG. mawar") == "perkim"
    assert _agency(crosswalk, "Dinas PU", "Jalan Berlubang", "rusak di pagang raya") == "dpupr"
    assert _agency(crosswalk, "Dinas PU", "Drainase", "masuk gang") == "perkim"
    assert _agency(crosswalk, "Dinas PU", "Perbaikan Lampu Jalan") == "dishub"
    assert _agency(crosswalk, "Dinas PU") == "dpupr"
    assert _agency(crosswalk, "Dinas Lain", "Drainase") is None
    rule = crosswalk.resolve("Dinas PU", "x", ())
    assert rule is not None
    assert (rule.use, rule.note) == ("train", "why")


def test_case_spacing_and_hard_spaces_do_not_count(tmp_path: Path) -> None:
    assert _agency(_load(tmp_path, "Dinas Pekerjaan Umum,,,dpupr,,,"), "DINAS\u00a0PEKERJAAN  umum ") == "dpupr"


def test_words_are_whole_words_and_an_asterisk_ends_one(tmp_path: Path) -> None:
    crosswalk = _load(tmp_path, "x,,smk*; sma,perkim,,,", "x,,,dpupr,,,")
    assert _agency(crosswalk, "x", text="anak saya di SMKN 2") == "perkim"
    assert _agency(crosswalk, "x", text="tamat SMA.") == "perkim"
    assert _agency(crosswalk, "x", text="asma") == "dpupr"


def test_only_name_and_agency_are_required(tmp_path: Path) -> None:
    assert _agency(_load(tmp_path, "x,dpupr", header="name,agency"), "x") == "dpupr"


def test_acceptable_agencies_are_kept(tmp_path: Path) -> None:
    rule = _load(tmp_path, "x,,,dpupr,perkim; dishub,,").resolve("x", "", ())
    assert rule is not None
    assert rule.acceptable == ("perkim", "dishub")


def test_a_row_that_drops_says_why(tmp_path: Path) -> None:
    rule = _load(tmp_path, "x,,,-,,,not ours").resolve("x", "", ())
    assert rule is not None
    assert rule.drops
    assert _faults(tmp_path, "x,,,-,,,") == ["2: a row that drops says why in note"]


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    remedy = "name another, write - and why in note, or leave out what such rows match with --allow-missing"
    assert _faults(
        tmp_path, "x,,,dinas-x,,,", ",,,dpupr,,,", "a*b*c*d*e*,,,dpupr,,,", "y,,,dpupr,dpupr; nil,sometimes,", "z,,!,dpupr,,,"
    ) == [
        f"2: agency 'dinas-x' is not in the register: {remedy}",
        "3: name is empty: write * where every name is meant",
        "4: pattern 'a*b*c*d*e*': at most 4 asterisks",
        f"5: agency 'nil' is not in the register: {remedy}",
        "5: agency 'dpupr' is acceptable anyway",
        "5: use 'sometimes': empty or train",
        "6: words '!': holds no word",
    ]


def test_rows_of_agencies_that_the_register_lacks_drop_what_they_match_where_that_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "source.csv"
    path.write_text("name,agency,acceptable\nksop,ksop,\nbina,dpupr,ksop; perkim\n*,dishub,\n", encoding="utf-8")
    crosswalk = Crosswalk.load(path, REGISTER, allow_missing=True)
    gone, kept = (crosswalk.resolve(name, "", ()) for name in ("ksop", "bina"))
    assert gone is not None
    assert (gone.drops, gone.note) == (True, "this register has no 'ksop'")
    assert kept is not None
    assert (kept.agency, kept.acceptable) == ("dpupr", ("perkim",))
    with pytest.raises(InvalidData, match="agency 'ksop' is not in the register"):
        Crosswalk.load(path, REGISTER)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Dinas*,,,dpupr,,,", "Dinas PU,Jalan,,perkim,,,"),
        ("x,Jalan; Parit,,dpupr,,,", "x,Parit,,perkim,,,"),
        ("x,,gang; gg,dpupr,,,", "x,Jalan,gg,perkim,,,"),
        ("x,,,dpupr,,,", "X,,,dpupr,,,"),
        ("*a*,,,dpupr,,,", "*ba*,,,perkim,,,"),
    ],
)
def test_a_row_that_an_earlier_one_covers_is_refused(tmp_path: Path, first: str, second: str) -> None:
    assert _faults(tmp_path, first, second) == ["3: can never match: line 2 matches all of it first"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("x,Jalan,,dpupr,,,", "x,,,perkim,,,"), ("x,,gang,dpupr,,,", "x,,,perkim,,,"), ("x; y,,,dpupr,,,", "x; z,,,perkim,,,")],
)
def test_a_row_that_still_can_match_is_not_refused(tmp_path: Path, first: str, second: str) -> None:
    assert len(_load(tmp_path, first, second).rules) == 2


def test_rows_and_patterns_that_matched_nothing_are_named(tmp_path: Path) -> None:
    crosswalk = _load(tmp_path, "x,Jalan; Jallan,,dpupr,,,", "y,,,perkim,,,", "x; w,Parit,,perkim,,,")
    assert _agency(crosswalk, "x", "Jalan") == "dpupr"
    assert _agency(crosswalk, "x", "Parit") == "perkim"
    assert [f"{fault.line}: {fault.reason}" for fault in crosswalk.unused()] == [
        "2: category 'jallan' matches nothing in the source",
        "3: 'y / *' matches nothing in the source",
        "4: name 'w' matches nothing in the source",
    ]


def test_a_missing_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no such file"):
        Crosswalk.load(tmp_path / "none.csv", REGISTER)
    assert _faults(tmp_path) == ["0: no rows"]


def test_own_names_are_ids_names_and_aliases_that_only_one_agency_has() -> None:
    ids = identity(REGISTER)
    assert ids["dpupr"] == ids["dinas pu"] == ids["dinas pekerjaan umum dan penataan ruang"] == "dpupr"
    assert ids["perkim"] == "perkim", "an id stands for itself, though another agency has it as alias"
    shared = identity(Register((Agency("a", "Dinas A", ("Bagian SDA",)), Agency("b", "Dinas B", ("Bagian SDA",)))))
    assert "bagian sda" not in shared


OF_EXPORTS = ("surabaya", "kabupaten-bandung", "lapor-national-2017")


@pytest.mark.parametrize("name", OF_EXPORTS)
def test_the_shipped_crosswalks_of_exports_fit_the_shipped_register(name: str) -> None:
    register = Register.load(SHIPPED.parent / "kutai-timur")
    crosswalk = Crosswalk.load(SHIPPED / f"{name}.csv", register)
    assert len(crosswalk.rules) > 50
    assert all(rule.note for rule in crosswalk.rules if rule.words or rule.use or rule.drops)


def test_those_and_the_one_to_the_starter_are_shipped() -> None:
    assert {path.stem for path in SHIPPED.glob("*.csv")} == {*OF_EXPORTS, "kutai-timur"}
