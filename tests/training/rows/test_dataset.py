"""Checking, today's agencies, duplicates and conflicts of labelled complaints."""

import json
from pathlib import Path

import pytest

from model.faults import InvalidData
from model.labelled import Answered, LabelledComplaint
from model.register import Agency, Register
from training.rows import dataset, training_set
from training.rows.data import own_words

REGISTER = Register(
    (
        Agency("dlh", "Dinas Lingkungan Hidup"),
        Agency("dpupr", "Dinas Pekerjaan Umum dan Penataan Ruang"),
        Agency("dpu", "Dinas Pekerjaan Umum", valid_until="2023-12-31", successor="dpupr"),
    )
)


def _file(folder: Path, *rows: dict[str, object], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _faults(error: pytest.ExceptionInfo[InvalidData]) -> list[str]:
    return [str(fault).rpartition("/")[2] for fault in error.value.faults]


def test_loading_names_every_fault_of_every_file(tmp_path: Path) -> None:
    first = _file(
        tmp_path, {"text": "parit mampet", "agency": "dpupr"}, {"text": " ", "agency": "dlh"}, {"agency": "dlh"}, name="a.jsonl"
    )
    second = tmp_path / "b.jsonl"
    second.write_text("{", encoding="utf-8")
    with pytest.raises(InvalidData) as error:
        dataset.load(first, second, tmp_path / "c.jsonl")
    faults = _faults(error)
    assert faults[:2] == ["a.jsonl:2: text is empty", "a.jsonl:3: text is missing"]
    assert faults[2].startswith("b.jsonl:1: not JSON")
    assert faults[3] == "c.jsonl: no such file"


def test_a_misspelt_use_is_refused_for_an_emergency_would_teach_what_is_no_complaint(tmp_path: Path) -> None:
    row = {"text": "rumah terbakar", "agency": "", "expect": "review", "emergency": True, "use": "emergencies"}
    with pytest.raises(InvalidData) as error:
        dataset.load(_file(tmp_path, row, row | {"use": "emergency"}, row | {"use": ""}, row | {"use": None}))
    assert _faults(error) == ["rows.jsonl:1: use 'emergencies': train, emergency, or left out"]


def test_a_line_that_cannot_be_read_does_not_hide_what_is_wrong_with_others(tmp_path: Path) -> None:
    file = _file(tmp_path, {"text": 5, "agency": "dlh"}, {"text": "jalan rusak", "agency": "dinas-x"})
    with pytest.raises(InvalidData) as error:
        training_set.load(REGISTER, [file], [], "2026-01-01")
    assert _faults(error) == ["rows.jsonl:1: text must be text", "rows.jsonl:2: agency 'dinas-x' is not in the register"]
    with pytest.raises(InvalidData) as known:
        dataset.load_known(REGISTER, [file])
    assert _faults(known) == _faults(error)  # and nothing of agencies without any row: line 1 may be one's


def test_what_is_read_is_masked_wherever_it_came_from(tmp_path: Path) -> None:
    said = dict.fromkeys(("title", "text", "kecamatan", "desa", "category"), "hub 081234567890")
    (row,) = dataset.load(_file(tmp_path, {**said, "agency": "dlh"}))
    assert {name: getattr(row.complaint, name) for name in said} == dict.fromkeys(said, "hub [TELEPON]")


def test_a_file_of_another_register_is_told_what_to_do_last(tmp_path: Path) -> None:
    strange: list[dict[str, object]] = [{"text": f"aduan {n}", "agency": f"dinas-{n}"} for n in range(11)]
    rows = dataset.load(_file(tmp_path, *strange))
    with pytest.raises(InvalidData) as error:
        dataset.check(rows, REGISTER, every_agency=False)
    *named, told = _faults(error)
    assert len(named) == 11
    assert told.startswith("rows.jsonl: 11 rows name agencies of another register: `import --crosswalk`")
    with pytest.raises(InvalidData) as error:
        dataset.check(rows[:10], REGISTER, every_agency=False)
    assert len(_faults(error)) == 10


def test_an_unknown_agency_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = dataset.load(
        _file(
            tmp_path,
            {"text": "satu", "agency": "dlh"},
            {"text": "dua", "agency": "dinas-x"},
            {"text": "tiga", "agency": "dpupr", "also": ["dinas-y"], "acceptable": ["dinas-z"]},
        )
    )
    with pytest.raises(InvalidData) as error:
        dataset.check(rows, REGISTER)
    assert _faults(error) == [
        "rows.jsonl:2: agency 'dinas-x' is not in the register",
        "rows.jsonl:3: also 'dinas-y' is not in the register",
        "rows.jsonl:3: acceptable 'dinas-z' is not in the register",
    ]


def test_what_a_desk_tells_beside_a_label_is_refused_with_its_line_where_it_is_wrong(tmp_path: Path) -> None:
    right = {"audit_share": 0.05, "answered": {"agency": "dlh", "sureness": 0.9}}
    wrong: list[dict[str, object]] = [
        {"audit_share": "banyak"},
        {"audit_share": 1.5},
        {"answered": 0.9},
        {"answered": {"agency": "dlh"}},
        {"answered": {"agency": "dlh", "sureness": True}},
        {"answered": {"agency": None, "sureness": 0.9}},
        {"blind": "ya"},
    ]
    file = _file(tmp_path, *({"text": f"aduan {n}", "agency": "dlh", **more} for n, more in enumerate([right, *wrong])))
    with pytest.raises(InvalidData) as error:
        dataset.load(file)
    told = _faults(error)
    assert [fault.partition(": ")[0] for fault in told] == [f"rows.jsonl:{line}" for line in range(2, 9)]
    assert told[0].endswith("audit_share 'banyak' is no number from 0 to 1")
    assert told[2].endswith("answered '0.9' is no object of an agency and a sureness from 0 to 1")


def test_a_date_whose_order_as_text_is_not_that_of_time_is_refused_with_its_line(tmp_path: Path) -> None:
    dates = ["", "2024-05-13", "2024-05-13T10:00:00+08:00", "13-05-2024", "20240513", "2024-W20-1", "2024-02-30", "kemarin"]
    given: list[dict[str, object]] = [{"text": f"aduan {day}", "agency": "dlh", "received_at": day} for day in dates]
    rows = dataset.load(_file(tmp_path, *given))
    with pytest.raises(InvalidData) as error:
        dataset.check(rows, REGISTER, every_agency=False)
    assert _faults(error) == [
        f"rows.jsonl:{line}: received_at {dates[line - 1]!r} is no date as YYYY-MM-DD" for line in range(4, len(dates) + 1)
    ]


def test_an_id_that_stands_twice_in_a_source_is_refused_and_in_two_sources_is_not(tmp_path: Path) -> None:
    twice = dataset.load(_file(tmp_path, {"id": "1", "text": "a", "agency": "dlh"}, {"id": "1", "text": "b", "agency": "dpupr"}))
    with pytest.raises(InvalidData) as error:
        dataset.check(twice, REGISTER)
    (fault,) = error.value.faults
    assert (fault.line, fault.reason) == (2, f"id '1' stands already in {fault.file}:1")
    other = dataset.load(
        _file(
            tmp_path,
            {"id": "1", "text": "a", "agency": "dlh", "source": "x"},
            {"id": "1", "text": "b", "agency": "dpupr", "source": "y"},
        )
    )
    dataset.check(other, REGISTER)


def test_an_active_agency_without_any_row_is_refused_only_where_asked(tmp_path: Path) -> None:
    rows = dataset.load(_file(tmp_path, {"text": "sampah menumpuk", "agency": "dlh"}))
    with pytest.raises(InvalidData, match="'dpupr' has no complaint"):
        dataset.check(rows, REGISTER)
    dataset.check(rows, REGISTER, every_agency=False)
    assert dataset.unseen_agencies([row.complaint for row in rows], REGISTER) == ["dpupr"]


def test_an_agency_without_any_row_is_named_by_its_line_and_with_the_option_that_takes_it(tmp_path: Path) -> None:
    agencies = "id,name,aliases\ndlh,Dinas Lingkungan Hidup,\ndpupr,Dinas PU,\nbaru,Dinas Baru,\n"
    (tmp_path / "agencies.csv").write_text(agencies, encoding="utf-8")
    rows = dataset.load(_file(tmp_path, {"text": "sampah menumpuk", "agency": "dlh"}, {"text": "jalan", "agency": "dpupr"}))
    with pytest.raises(InvalidData) as error:
        dataset.check(rows, Register.load(tmp_path))
    (fault,) = map(str, error.value.faults)
    assert fault.startswith(f"{tmp_path / 'agencies.csv'}:4: agency 'baru' has no complaint: ")
    assert "--allow-unseen" in fault


def test_a_successor_is_known_by_the_complaints_of_whom_it_followed(tmp_path: Path) -> None:
    rows = dataset.load(_file(tmp_path, {"text": "sampah menumpuk", "agency": "dlh"}, {"text": "jalan rusak", "agency": "dpu"}))
    dataset.check(rows, REGISTER, today="2024-06-01")
    with pytest.raises(InvalidData, match="'dpupr' has no complaint"):
        dataset.check(rows, REGISTER, today="2023-06-01")


def test_a_complaint_of_the_future_is_refused_with_its_line(tmp_path: Path) -> None:
    days = ["2026-03-01", "2026-03-02T01:00:00", "2026-03-03", "2206-03-01"]
    given: list[dict[str, object]] = [{"text": f"aduan {day}", "agency": "dlh", "received_at": day} for day in days]
    rows = dataset.load(_file(tmp_path, *given))
    dataset.check(rows, REGISTER, every_agency=False)
    with pytest.raises(InvalidData) as error:
        dataset.check(rows, REGISTER, every_agency=False, today="2026-03-01")
    assert _faults(error) == [f"rows.jsonl:{line}: received_at {days[line - 1]!r} is later than today" for line in (3, 4)]


def test_the_words_of_an_agency_that_ended_are_its_successors_or_nobodys() -> None:
    register = Register((*REGISTER.agencies, Agency("dinas-pasar", "Dinas Pasar", valid_until="2023-12-31")))
    assert {row.agency for row in own_words(register, "2023-06-01")} == {"dlh", "dpupr", "dpu", "dinas-pasar"}
    now = [(row.text, row.agency) for row in own_words(register, "2024-06-01")]
    assert ("Dinas Pekerjaan Umum", "dpupr") in now
    assert {agency for _, agency in now} == {"dlh", "dpupr"}


def test_no_rows_at_all_is_refused() -> None:
    with pytest.raises(InvalidData, match="no labelled complaints"):
        dataset.check([], REGISTER)


def test_labels_of_an_ended_agency_go_to_its_successor() -> None:
    old = LabelledComplaint("jalan rusak", "dpu", also=("dlh", "dpu"), acceptable=("dpu",), answered=Answered("dpu", 0.7))
    assert dataset.to_current([old], REGISTER, "2023-06-01") == [old]
    new = dataset.to_current([old], REGISTER, "2024-06-01")[0]
    assert (new.agency, new.also, new.acceptable) == ("dpupr", ("dlh", "dpupr"), ("dpupr",))
    assert new.answered == Answered("dpupr", 0.7), "else the model had been wrong"


def test_of_two_equal_texts_the_later_is_kept_and_differing_labels_are_reported() -> None:
    rows = [
        LabelledComplaint(text="Parit  mampet, tolong!", agency="dlh", id="2", received_at="2024-02-01"),
        LabelledComplaint(text="lampu mati", agency="dpupr", id="3"),
        LabelledComplaint(text="parit mampet tolong", agency="dpupr", id="1", received_at="2024-01-01"),
    ]
    result = dataset.deduplicate(rows)
    assert [row.id for row in result.kept] == ["2", "3"]
    assert result.dropped == 1
    assert result.conflicts == [dataset.Conflict(("2", "1"), ("dlh", "dpupr"), "dlh")]


def test_of_equal_texts_of_one_day_the_last_of_the_list_is_kept_and_one_that_nobody_could_route_contradicts() -> None:
    rows = [
        LabelledComplaint(text="lampu mati", agency="dlh", id="1"),
        LabelledComplaint(text="parit mampet", agency="dlh", id="2"),
        LabelledComplaint(text="lampu mati", expect="review", id="3"),
    ]
    result = dataset.deduplicate(rows)
    assert [row.id for row in result.kept] == ["2", "3"]
    assert result.conflicts == [dataset.Conflict(("1", "3"), ("dlh", ""), "")]


def test_equal_texts_with_equal_labels_are_no_conflict() -> None:
    rows = [LabelledComplaint(text="lampu mati", agency="dlh"), LabelledComplaint(text="Lampu mati.", agency="dlh")]
    assert dataset.deduplicate(rows).conflicts == []


def test_nearly_the_same_texts_share_a_group_and_others_do_not() -> None:
    base = "mohon perbaikan jalan poros menuju desa kami karena sudah rusak parah sejak musim hujan tahun lalu"
    texts = [base, base + " terima kasih", "lampu jalan di depan pasar mati", base.replace("parah", "berat"), "sampah"]
    groups = dataset.near_duplicate_groups([LabelledComplaint(text=text, agency="dpupr") for text in texts])
    assert groups[0] == groups[1] == groups[3]
    assert len({groups[0], groups[2], groups[4]}) == 3
    assert dataset.near_duplicate_groups([]) == []


def test_of_nearly_the_same_texts_the_latest_is_the_one() -> None:
    said = "air di perumahan kami mati sejak tiga hari lalu, rumah nomor {}"
    dates = ["2026-03-02", "2026-03-09", "2026-03-09", ""]
    rows = [LabelledComplaint(text=said.format(n), agency="dlh", received_at=date) for n, date in enumerate(dates)]
    rows.append(LabelledComplaint(text="parit mampet", agency="dpupr"))
    assert dataset.one_of_each(rows).tolist() == [False, False, True, False, True]
    assert dataset.one_of_each([]).tolist() == []


def test_what_repeats_a_row_of_another_list_is_left_out_and_what_repeats_its_own_list_is_not() -> None:
    base = "mohon perbaikan jalan poros menuju desa kami karena sudah rusak parah sejak musim hujan tahun lalu"
    own = [LabelledComplaint(text=base, agency="dpupr")]
    lamp = "lampu jalan di depan pasar mati sudah seminggu"
    texts = [base.upper(), base + " terima kasih", lamp, f"{lamp} ini"]
    other = [LabelledComplaint(text=text, agency="dpupr") for text in texts]
    assert dataset.without_repeats(other, own) == other[2:]
    assert dataset.without_repeats([], own) == []


def test_rows_for_training_only_and_rows_nobody_could_route_do_not_test() -> None:
    rows = [
        LabelledComplaint(text="a", agency="dlh"),
        LabelledComplaint(text="b", agency="dlh", use="train"),
        LabelledComplaint(text="c", expect="review"),
    ]
    assert [row.text for row in dataset.testable(rows)] == ["a"]
