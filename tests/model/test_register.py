from pathlib import Path

import pytest

from model.faults import InvalidData
from model.register import MAX_FILE, PLACE_TYPES, Agency, Register, split_list

DEFAULT = Path(__file__).parents[2] / "data" / "kutai-timur"
AGENCIES = "id,name\ndishub,Dinas Perhubungan\n"


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        path = tmp_path / (name + (".toml" if name == "rules" else ".csv"))
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def faults(tmp_path: Path, **files: str | bytes) -> list[str]:
    """What is said of a folder, without the folder's own path."""
    with pytest.raises(InvalidData) as error:
        Register.load(folder(tmp_path, **files))
    return [str(fault).removeprefix(f"{tmp_path}/") for fault in error.value.faults]


def test_the_default_region_loads_whole() -> None:
    register = Register.load(DEFAULT)
    assert (len(register.agencies), len(register.kecamatan)) == (66, 18)
    assert sum(1 for place in register.places if place.desa) == 141
    assert all(road.source for road in register.roads)


def test_every_row_of_the_default_region_names_its_source() -> None:
    for name in ("agencies.csv", "places.csv", "roads.csv"):
        header, *rows = (DEFAULT / name).read_text(encoding="utf-8").splitlines()
        assert header.endswith(",source")
        assert not [row for row in rows if row.endswith(",")]


def test_only_agencies_are_needed(tmp_path: Path) -> None:
    register = Register.load(folder(tmp_path, agencies=AGENCIES))
    assert register.by_id["dishub"] == Agency("dishub", "Dinas Perhubungan")
    assert (register.places, register.roads, register.kecamatan) == ((), (), ())


def test_a_folder_without_agencies_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["agencies.csv: missing: a register needs at least its agencies"]


def test_every_fault_of_every_file_comes_in_one_run(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        agencies="id,name,authority,per\nDinas X,Dinas X,kabupaten,\nbpn,,negara,rt\nbpn,BPN,pusat,\n",
        places="kecamatan,desa,type\nKaubun,,desa\n,Saka,desa\nKaubun,,kecamatan\n",
        roads="name,class,kecamatan\nPoros Saka,tol,\n,desa,Telen\n",
    )
    assert found == [
        "agencies.csv:2: id 'Dinas X': use lower-case letters, digits and hyphens",
        "agencies.csv:3: agency 'bpn' has no name",
        "agencies.csv:3: authority 'negara': one of kabupaten, kota, provinsi, pusat",
        "agencies.csv:3: per 'rt': empty, or one of kecamatan, desa",
        "agencies.csv:4: id 'bpn' stands already on line 3",
        "places.csv:2: a row of type kecamatan, distrik and the like has an empty desa, and no other row has",
        "places.csv:3: kecamatan is empty",
        "places.csv:4: 'Kaubun' stands already on line 2",
        "roads.csv:2: class 'tol': one of nasional, provinsi, kabupaten, kota, lingkungan, desa, khusus",
        "roads.csv:3: name is empty",
        "roads.csv:3: kecamatan 'Telen' is not in places.csv",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,nama\na,b\n", "agencies.csv:1: column missing: name; the first line has id, nama"),
        ("id;name\na;b\n", "agencies.csv:1: column missing: id, name; the cells must be separated by commas, not semicolons"),
        ("id\tname\na\tb\n", "agencies.csv:1: column missing: id, name; the cells must be separated by commas, not tabs"),
        ("id,name,name\na,b,c\n", "agencies.csv:1: column stands twice: name"),
        (
            "id,name\na,Dinas Komunikasi, Statistik\n",
            "agencies.csv:2: more cells than the header has columns: quote the cell with the comma",
        ),
        ("id,name\na\n", "agencies.csv:2: fewer cells than the header has columns"),
        (b"id,name\na,Caf\xe9\n", "agencies.csv:2: not UTF-8: byte 0xe9; save it as CSV UTF-8"),
        ("id,name\na,b\0c\n", "agencies.csv:2: NUL byte: this is not a text file"),
        (
            'id,name\na,b\nc,"d\ne,f\ng,h\n',
            "agencies.csv:3: not CSV: unexpected end of data; is a quotation mark missing?",
        ),
        ("id,name\n", "agencies.csv: no rows: a register needs at least its agencies"),
        ("", "agencies.csv:1: column missing: id, name"),
    ],
)
def test_a_broken_table_is_named_with_line_and_reason(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert faults(tmp_path, agencies=content) == [said]


def test_what_names_rows_of_a_table_that_cannot_be_read_is_no_fault_beside_it(tmp_path: Path) -> None:
    agencies = "id,name,per\nkelurahan,Kelurahan,desa\n"
    assert faults(
        tmp_path, agencies=agencies, places="kecamatan;desa\nUtara;Kuala\n", roads="name,class,kecamatan\nA,kota,Utara\n"
    ) == ["places.csv:1: column missing: kecamatan, desa; the cells must be separated by commas, not semicolons"]


def test_rows_of_empty_cells_that_a_spreadsheet_leaves_are_passed_over(tmp_path: Path) -> None:
    register = Register.load(folder(tmp_path, agencies=AGENCIES + ",\n , \n,,,\n"))
    assert [agency.id for agency in register.agencies] == ["dishub"]


@pytest.mark.parametrize("name", ["Jalan", "jl.", "Jalan Poros", "ruas"])
def test_a_road_that_is_called_no_more_than_road_is_refused(tmp_path: Path, name: str) -> None:
    said = f"roads.csv:2: name {name!r} is any road: every complaint that says the word would mean this one"
    assert faults(tmp_path, agencies=AGENCIES, roads=f"name,class,aliases\nJalan Pendidikan,kota,{name}\n") == [said]


def test_a_table_too_large_to_be_one_is_not_read(tmp_path: Path) -> None:
    assert faults(tmp_path, agencies=b"x" * (MAX_FILE + 1)) == [
        "agencies.csv: over 5,000,000 bytes: too large for a file of a register"
    ]


def test_a_directory_in_place_of_a_table_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "places.csv").mkdir()
    assert faults(tmp_path, agencies=AGENCIES) == ["places.csv: cannot be read: Is a directory"]


def test_a_byte_order_mark_and_a_quoted_line_break_are_no_fault(tmp_path: Path) -> None:
    register = Register.load(folder(tmp_path, agencies='\ufeffid,name,matters\nbpn,"Kantor\nPertanahan",sertifikat\u2028\n'))
    assert register.by_id["bpn"].name == "Kantor\nPertanahan"


LIFE = "id,name,valid_from,valid_until,successor\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,A,2024-02-30,,\n", "agencies.csv:2: valid_from '2024-02-30': a date of the calendar as YYYY-MM-DD"),
        ("a,A,,20240101,\n", "agencies.csv:2: valid_until '20240101': a date of the calendar as YYYY-MM-DD"),
        ("a,A,2024-02-01,2023-01-01,\n", "agencies.csv:2: valid_until 2023-01-01 is before valid_from 2024-02-01"),
        ("a,A,,2024-01-01,b\n", "agencies.csv:2: successor 'b' is no agency of this file"),
        ("a,A,,,b\nb,B,,,\n", "agencies.csv:2: successor 'b' without valid_until: when does it take over?"),
        ("a,A,,2024-01-01,a\n", "agencies.csv:2: successors lead in a circle: a -> a"),
    ],
)
def test_the_life_of_an_agency_must_make_sense(tmp_path: Path, rows: str, said: str) -> None:
    assert faults(tmp_path, agencies=LIFE + rows) == [said]


def test_a_circle_of_successors_is_named_at_each_of_its_agencies(tmp_path: Path) -> None:
    rows = "a,A,,2024-01-01,b\nb,B,,2025-01-01,a\nc,C,,2023-01-01,a\n"
    assert faults(tmp_path, agencies=LIFE + rows) == [
        "agencies.csv:2: successors lead in a circle: a -> b -> a",
        "agencies.csv:3: successors lead in a circle: b -> a -> b",
    ]


def test_two_agencies_cannot_answer_to_one_name(tmp_path: Path) -> None:
    rows = "id,name,aliases\ndpupr,Dinas PU,PUPR;DPU\npupr-kaltim,PUPR Kaltim,pupr\n"
    assert faults(tmp_path, agencies=rows) == ["agencies.csv:3: name 'pupr' belongs already to 'dpupr' on line 2"]


def test_a_road_of_a_kota_has_a_class_of_its_own(tmp_path: Path) -> None:
    (road,) = Register.load(folder(tmp_path, agencies=AGENCIES, roads="name,class\nJalan Melati,kota\n")).roads
    assert road.road_class == "kota"


@pytest.mark.parametrize(
    ("places", "district", "village"),
    [
        ("kecamatan,desa\nKaubun,Saka\n", "kecamatan", "desa/kelurahan"),
        ("kecamatan,desa,type\nKaubun,Saka,desa\nKaubun,Melati,kelurahan\n", "kecamatan", "desa/kelurahan"),
        ("kecamatan,desa,type\nKaubun,Melati,kelurahan\n", "kecamatan", "kelurahan"),
        (
            "kecamatan,desa,type\nKofiau,,distrik\nKofiau,Deer,kampung\nKofiau,Melati,kelurahan\n",
            "distrik",
            "kelurahan/kampung",
        ),
    ],
)
def test_places_are_called_what_the_region_calls_them(tmp_path: Path, places: str, district: str, village: str) -> None:
    register = Register.load(folder(tmp_path, agencies=AGENCIES, places=places))
    assert (register.called("kecamatan"), register.called("desa")) == (district, village)
    assert Register(()).called("desa") == "desa/kelurahan"


def test_a_distrik_has_no_desa_and_a_kampung_is_one(tmp_path: Path) -> None:
    wrong = faults(tmp_path, agencies=AGENCIES, places="kecamatan,desa,type\nKofiau,Deer,distrik\nKofiau,,kampung\n")
    said = "a row of type kecamatan, distrik and the like has an empty desa, and no other row has"
    assert wrong == [f"places.csv:{line}: {said}" for line in (2, 3)]


def test_two_roads_cannot_share_a_name(tmp_path: Path) -> None:
    rows = "name,aliases,class\nPoros Bontang,Jalan Trans,nasional\nJalan Trans,,provinsi\n"
    assert faults(tmp_path, agencies=AGENCIES, roads=rows) == [
        "roads.csv:3: name 'Jalan Trans' belongs already to 'Poros Bontang' on line 2"
    ]


def test_two_places_may_share_an_alias(tmp_path: Path) -> None:
    rows = "kecamatan,desa,type,aliases\nSangatta Utara,,kecamatan,Sangatta\nSangatta Selatan,,kecamatan,Sangatta\n"
    assert len(Register.load(folder(tmp_path, agencies=AGENCIES, places=rows)).places) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Kaubun,,kecamatan,kaubun\n", "places.csv:2: alias 'kaubun' only repeats the name"),
        ("-,,kecamatan,\n", "places.csv:2: name '-' has neither letter nor digit"),
        ("Kaubun,...,desa,\n", "places.csv:2: name '...' has neither letter nor digit"),
        ("Kaubun,,kecamatan,...\n", "places.csv:2: alias '...' has neither letter nor digit"),
        ("Kaubun,,kecamatan,\nkaubun,Saka,desa,\n", "places.csv:3: kecamatan 'kaubun' is written 'Kaubun' on line 2"),
        ("Kaubun,Saka,dusun,\n", f"places.csv:2: type 'dusun': one of {', '.join(PLACE_TYPES)}"),
    ],
)
def test_a_place_that_cannot_be_found_is_refused(tmp_path: Path, row: str, said: str) -> None:
    assert faults(tmp_path, agencies=AGENCIES, places="kecamatan,desa,type,aliases\n" + row) == [said]


def test_a_name_can_be_marked_as_an_everyday_phrase(tmp_path: Path) -> None:
    rows = "kecamatan,desa,ordinary\nKaubun,Mata Air,ya\nKaubun,Bumi Jaya,\n"
    assert [place.ordinary for place in Register.load(folder(tmp_path, agencies=AGENCIES, places=rows)).places] == [True, False]
    assert faults(tmp_path, agencies=AGENCIES, places=rows + "Kaubun,Saka,yes\n") == ["places.csv:4: ordinary 'yes': empty, or ya"]


def test_a_family_needs_the_places_of_its_offices(tmp_path: Path) -> None:
    agencies = "id,name,per\nkecamatan,Kecamatan,kecamatan\nkelurahan,Kelurahan,desa\n"
    assert faults(tmp_path, agencies=agencies, places="kecamatan,desa\nTelen,\n") == [
        "agencies.csv:3: 'kelurahan' has one office per desa, but places.csv names none"
    ]


def test_who_writes_a_family_of_kelurahan_is_told_what_it_counts_as(tmp_path: Path) -> None:
    agencies = "id,name,per\nkelurahan,Kelurahan,kelurahan\n"
    assert faults(tmp_path, agencies=agencies, places="kecamatan,desa\nKaubun,Melati\n") == [
        "agencies.csv:2: per 'kelurahan': empty, or one of kecamatan, desa; a kelurahan counts as a desa, a distrik as a kecamatan"
    ]


def test_an_agency_lives_from_its_first_to_its_last_day() -> None:
    agency = Agency("a", "A", valid_from="2024-01-01", valid_until="2024-12-31")
    days = ("2023-12-31", "2024-01-01", "2024-12-31T23:59:59", "2025-01-01", "")
    assert [agency.active_on(day) for day in days] == [False, True, True, False, True]


def test_successors_are_followed_to_the_one_that_is_active(tmp_path: Path) -> None:
    rows = LIFE + "a,A,,2022-12-31,b\nb,B,2023-01-01,2024-12-31,c\nc,C,2025-01-01,,\nd,D,,2020-01-01,\n"
    register = Register.load(folder(tmp_path, agencies=rows))
    assert [register.current("a", day) for day in ("2022-06-01", "2024-06-01", "2026-01-01")] == ["a", "b", "c"]
    assert register.current("d", "2026-01-01") == "d"


def test_the_digest_is_that_of_the_content_wherever_it_lies(tmp_path: Path) -> None:
    register = Register.load(DEFAULT)
    register.save(tmp_path / "copy")
    assert Register.load(tmp_path / "copy").digest == register.digest
    (tmp_path / "copy" / "roads.csv").unlink()
    assert Register.load(tmp_path / "copy").digest != register.digest


def test_a_list_in_a_cell_drops_its_blanks() -> None:
    assert split_list(" DPU ;; PUPR;") == ("DPU", "PUPR")
