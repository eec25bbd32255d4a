"""What a new region begins with: the starter, its crosswalk from Kutai Timur, and a region made of a copy of it."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from model.authority import apply
from model.complaint import Complaint
from model.faults import InvalidData
from model.labelled import LabelledComplaint, dump, load
from model.place import PlaceFinder
from model.register import Register, csv_rows
from model.router import Router
from model.routing import Candidate
from model.rules import load_region, load_rules
from model.text import Analyzer
from training import train
from training.config import TrainingConfig
from training.reading.crosswalk import Crosswalk
from training.reading.importing import import_export
from training.rows import training_set

DATA = Path(__file__).parents[2] / "data"
STARTER, HOME = DATA / "starter", DATA / "kutai-timur"
CROSSWALK = DATA / "crosswalks" / "kutai-timur.csv"
PLACES = """kecamatan,desa,type,aliases,ordinary
Sukamekar,,kecamatan,,
Sukamekar,Tanjungsalam,desa,,
Ciranggon,,kecamatan,,
Ciranggon,Ciranggon Hilir,desa,,
Pasirputih,,kecamatan,,
Pasirputih,Muara Sabrang,desa,,
"""
ROADS = """Sukamekar-Ciranggon,nasional,,,BK
Raya Pasirputih,provinsi,,,BK
Merak,kota,,,BK
"""
OWN = [LabelledComplaint(id=f"{n}", text=f"lampu jalan {where} mati", agency="dishub") for n, where in enumerate("ABCDE")]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the starter with places and roads of an invented kabupaten."""
    folder = tmp_path_factory.mktemp("data") / "mekarsari"
    shutil.copytree(STARTER, folder)
    (folder / "places.csv").write_text(PLACES, encoding="utf-8")
    with (folder / "roads.csv").open("a", encoding="utf-8") as roads:
        roads.write(ROADS)
    return folder


def test_the_starter_lacks_nothing_but_the_places_of_a_region() -> None:
    with pytest.raises(InvalidData) as told:
        load_region(STARTER)
    assert [fault.reason for fault in told.value.faults] == ["'kecamatan' has one office per kecamatan, but places.csv names none"]


def test_a_copy_with_places_is_a_region(begun: Path) -> None:
    register, rules = load_region(begun)
    tables = {table["id"]: table for table in tomllib.loads((begun / "rules.toml").read_text(encoding="utf-8"))["rule"]}
    assert len(register.agencies) > 60
    assert {agency.authority for agency in register.agencies} == {"kabupaten", "provinsi", "pusat"}
    assert len(rules.of_emergency) > 5
    assert {rule.id for rule in rules if not rule.on and "note" not in tables[rule.id]} == set()


def test_the_tables_that_a_region_fills_in_have_every_column_that_is_read(begun: Path) -> None:
    register = Register.load(begun)
    assert (len(register.kecamatan), len(register.roads)) == (3, 6)
    places, roads = ((STARTER / name).read_text(encoding="utf-8").splitlines() for name in ("places.csv", "roads.csv"))
    assert places == PLACES.splitlines()[:1]
    assert roads[0] == "name,class,aliases,kecamatan,source"


def test_every_row_and_rule_of_the_starter_names_a_source_that_is_listed() -> None:
    listed = set(re.findall(r"\b(S\d+|BK) ", (DATA / "README.md").read_text(encoding="utf-8").partition("## Sources")[2]))
    rows = csv_rows((STARTER / "agencies.csv").read_bytes(), "agencies.csv", ("id", "source"), [])
    register, _ = Register.read(STARTER)
    named = {row["id"]: row["source"] for _, row in rows} | {rule.id: rule.source for rule in load_rules(register)}
    assert {name: source for name, source in named.items() if not source or not set(source.split(";")) <= listed} == {}


def test_nothing_of_kutai_timur_stands_in_the_starter() -> None:
    theirs = {"kutai", "kutim", "kaltim", "kalimantan", "samarinda", "bontang", "kudungga", "sangatta", "tk2d"}
    texts = {path.name: path.read_text(encoding="utf-8").casefold() for path in STARTER.iterdir()}
    named = {*theirs, *map(str.casefold, Register.load(HOME).kecamatan)}
    assert {(file, name) for file, text in texts.items() for name in named if re.search(rf"\b{re.escape(name)}\b", text)} == set()


def test_every_agency_of_the_crosswalk_is_there_at_both_ends(begun: Path) -> None:
    register, home = Register.load(begun), Register.load(HOME)
    crosswalk = Crosswalk.load(CROSSWALK, register)
    *named, rest = crosswalk.rules
    assert rest.drops
    assert rest.names == ("*",)
    assert {name for rule in named for name in rule.names} <= home.by_id.keys()
    assert {rule.agency for rule in named} == register.by_id.keys()
    assert {agency for agency in home.by_id if (rule := crosswalk.resolve(agency, "", ())) and rule.drops} == {"bpr-kutim"}


def test_an_agency_that_both_have_has_one_id(begun: Path) -> None:
    """Other crosswalks and rules then serve both; what differs is what belongs to one region or province."""
    ours, theirs = Register.load(begun).by_id, Register.load(HOME).by_id
    assert len(ours.keys() & theirs.keys()) > 50
    assert {one for one in ours.keys() - theirs.keys() if ours[one].authority != "provinsi"} == {"bws", "rsud"}


@pytest.mark.parametrize(
    ("text", "first", "agency", "fires"),
    [
        ("aspal jalan Sukamekar-Ciranggon berlubang", "dpupr", "bbpjn", "jalan-nasional"),
        ("PJU jalan Sukamekar-Ciranggon padam", "dishub", "bptd", "perlengkapan-jalan-nasional"),
        ("bahu jalan nasional di Ciranggon longsor", "dpupr", "bbpjn", "jalan-nasional"),
        ("lampu di jalan provinsi mati", "dishub", "dishub-provinsi", "perlengkapan-jalan-provinsi"),
        ("jalan Raya Pasirputih amblas", "dpupr", "pupr-provinsi", "jalan-provinsi"),
        ("lampu jalan Raya Pasirputih mati", "dishub", "dishub-provinsi", "perlengkapan-jalan-provinsi"),
        ("aspal jalan Merak rusak", "pupr-provinsi", "dpupr", "jalan-kabupaten"),
        ("lampu jalan di jalan Merak mati", "bptd", "dishub", "lampu-jalan-kabupaten"),
        ("jalan Merak berlubang", "perkim", "perkim", ""),
        ("guru SMKN 1 kurang", "disdikbud", "disdikbud-provinsi", "sma-smk-slb"),
        ("atap MTs bocor", "disdikbud", "kemenag", "madrasah-dan-pesantren"),
        ("upah lembur tidak dibayar", "disnakertrans", "disnakertrans-provinsi", "pengawasan-ketenagakerjaan"),
        ("pesangon belum dibayar", "disnakertrans-provinsi", "disnakertrans", "mediasi-ketenagakerjaan"),
        ("pembalakan di hutan lindung", "dlh", "dishut-provinsi", "kawasan-hutan"),
        ("perambahan di taman nasional", "dishut-provinsi", "bksda", "kawasan-konservasi"),
        ("selokan mampet", "bws", "dpupr", "saluran-dan-drainase"),
        ("pak lurah pungli urus surat", "kecamatan", "kecamatan", "dugaan-penyimpangan"),
        ("petugas minta uang tambahan", "dinkes", "dinkes", "minta-uang"),
        ("kami tidak minta uang, cukup kursi roda", "dinsos", "dinsos", ""),
        ("mohon identitas saya dirahasiakan", "dlh", "dlh", "minta-dirahasiakan"),
        ("jalan berlubang", "dpupr", "dpupr", ""),
    ],
)
def test_the_rules_of_the_starter_say_who_is_competent_anywhere(
    begun: Path, text: str, first: str, agency: str, fires: str
) -> None:
    register, rules = load_region(begun)
    finder, words = PlaceFinder(register), Analyzer(()).words(Complaint(text=text))
    found = finder.find(words)
    candidates, reports = apply(rules, (Candidate(first, 1.0),), words, finder.resolve(found), found)
    assert (candidates[0].agency, [one.id for one in reports]) == (agency, [fires] if fires else [])


def test_a_region_of_a_copy_learns_from_kutai_timur_and_routes(begun: Path, tiny_config: TrainingConfig, tmp_path: Path) -> None:
    """One agency of the copy has ended in favour of another, and one is not there at all: as a region may find it."""
    region = Path(shutil.copytree(begun, tmp_path / "region"))
    table = (region / "agencies.csv").read_text(encoding="utf-8")
    table = re.sub(r"^(disbun,.*),,,([^,]*)$", r"\1,2016-12-31,dtphp,\2", table, flags=re.MULTILINE)
    (region / "agencies.csv").write_text(re.sub(r"^ksop,.*\n", "", table, flags=re.MULTILINE), encoding="utf-8")
    dump(OWN, region / "complaints.jsonl")
    theirs = [row for row in load(HOME / "complaints.jsonl") if row.agency][::4]
    dump(theirs, tmp_path / "theirs.jsonl")
    register, _ = load_region(region)
    with pytest.raises(InvalidData, match="agency 'ksop' is not in the register"):
        import_export(tmp_path / "theirs.jsonl", region / "others.jsonl", register, CROSSWALK)
    report = import_export(tmp_path / "theirs.jsonl", region / "others.jsonl", register, CROSSWALK, allow_missing=True)
    assert report.dropped["this register has no 'ksop'"] > 0
    assert report.kept["disbun"] > 0

    files = [region / "complaints.jsonl"], [region / "others.jsonl"]
    given = training_set.load(register, *files, "2026-12-01", allow_unseen=True)
    router = Router(train.train(register, given, tiny_config, "2026-12-01T08:00:00+00:00")[0])
    routed = {text: router.route(Complaint(text=text)) for text in ("guru SMK sering tidak masuk", "KTP saya belum jadi")}
    assert [routing.agency for routing in routed.values()] == ["disdikbud-provinsi", "disdukcapil"]
    assert "disbun" not in router.manifest["agencies"]
    office = router.route(Complaint(text="kantor camat Ciranggon tutup, pelayanan surat pengantar di kantor camat lambat"))
    assert (office.agency, office.unit) == ("kecamatan", "Ciranggon")
