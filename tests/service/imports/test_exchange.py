"""An export of LAPOR! goes in, is confirmed by a person, and comes back; of what is here already nothing is taken in twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from model.lapor import OURS
from service.clock import now
from service.complaints import review
from service.desk import cases
from service.imports import exchange
from service.storage.tables import complaint, standing
from tests.service.conftest import both
from tests.service.importing import HEADER, Imports, as_csv, line, rows_of, workbook

if TYPE_CHECKING:
    from tests.service.conftest import Api


@both
def test_open_rows_enter_the_queue_and_the_file_comes_back_with_proposals(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu jalan mati"), line("L2", "pasti sampah menumpuk", day="2026-03-03")))
    assert job.state == "done"
    assert (job.counts["did_new"], job.counts["did_review"], job.counts["did_auto"]) == (2, 1, 1)
    with imports.parts.database.read() as connection:
        states = {
            row[0]: row[1]
            for row in connection.execute(
                select(complaint.c.client_id, standing.c.state).join(standing, standing.c.complaint_id == complaint.c.id)
            )
        }
    assert states == {"L1": "waiting", "L2": "sent"}
    first, second = rows_of(imports.fetch(job.id))
    assert [first[name] for name in OURS] == [
        "Dinas Pekerjaan Umum",
        "Perlu ditinjau petugas",
        "40%",
        "Belum cukup yakin untuk diteruskan sendiri",
    ]
    assert [second[name] for name in OURS] == ["Dinas Lingkungan Hidup", "Diteruskan otomatis", "90%", ""]
    assert first["Nama Pelapor"] == "Budi Rahasia Sekali"


def test_a_csv_goes_the_same_way(imports: Imports) -> None:
    job = imports.run(as_csv(line("L1", "lampu mati"), line("L2", "parkir liar")), "ekspor.csv")
    text = imports.fetch(job.id).decode()
    assert job.counts["did_new"] == 2
    assert text.splitlines()[0].endswith(";".join(f'"{name}"' for name in OURS))
    assert "Dinas Perhubungan" in text.splitlines()[1]


@both
def test_the_same_export_next_week_adds_only_what_is_new(imports: Imports) -> None:
    old = line("L1", "lampu mati di jalan")
    imports.run(workbook(old))
    job = imports.run(workbook(old, line("L2", "sampah menumpuk")))
    assert (job.counts["did_known"], job.counts["did_new"]) == (1, 1)
    assert imports.count(complaint) == 2


def test_a_title_that_the_operator_mended_is_still_the_same_complaint(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati di jalan")))
    changed = list(line("L1", "lampu mati di jalan"))
    changed[2] = "Judul yang dirapikan"
    job = imports.run(workbook(changed))
    assert job.counts["did_known"] == 1
    assert job.state == "done"


def test_what_another_system_brought_under_the_same_id_is_another_complaint(imports: Imports, api: Api) -> None:
    api.post("/complaints", json={"id": "L1", "text": "sampah menumpuk"})
    job = imports.run(workbook(line("L1", "lampu mati", kind="Rahasia")))
    assert (job.counts["did_new"], job.counts.get("did_known", 0)) == (1, 0)
    assert imports.count(complaint, complaint.c.confidential) == 1
    assert imports.count(complaint) == 2


def test_a_row_that_stands_twice_is_taken_in_once(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati"), line("L1", "lampu mati")))
    assert (job.counts["did_new"], job.counts["did_known"]) == (1, 1)


def test_rows_without_an_id_are_known_again_by_what_they_say(imports: Imports) -> None:
    nameless = line("", "lampu mati di depan pasar")
    imports.run(workbook(nameless))
    job = imports.run(workbook(nameless))
    assert job.counts["did_known"] == 1


def test_rows_without_an_id_that_differ_in_day_title_or_text_are_several(imports: Imports) -> None:
    first = list(line("", "lampu mati di depan pasar"))
    others = [
        [*first[:1], "2026-03-05", *first[2:]],
        [*first[:2], "Judul lain", *first[3:]],
        [*first[:3], "lampu padam", *first[4:]],
    ]
    assert imports.run(workbook(first, *others)).counts["did_new"] == 4


@pytest.mark.parametrize(("one", "other"), [("###", "??"), ("-", "-"), ("1,23457E+11", "1,23457E+11")])
def test_an_id_that_is_none_neither_loses_its_row_nor_takes_it_for_another(imports: Imports, one: str, other: str) -> None:
    content = as_csv(line(one, "lampu mati"), line(other, "jalan rusak"))
    assert imports.run(content, "ekspor.csv").counts["did_new"] == 2
    assert imports.run(content, "ekspor.csv").counts["did_known"] == 2


def test_what_is_personal_is_masked_and_the_reporter_is_never_stored(imports: Imports) -> None:
    imports.run(workbook(line("L1", "lampu mati, hubungi saya di 081234567890")))
    with imports.parts.database.read() as connection:
        row = connection.execute(select(complaint)).one()
    assert "081234567890" not in row.text
    assert "Budi" not in str(tuple(row))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("02/03/2026", dt.datetime(2026, 3, 1, 16, tzinfo=dt.UTC)),
        ("2026-03-02T23:30:00 WIB", dt.datetime(2026, 3, 2, 16, 30, tzinfo=dt.UTC)),
    ],
)
def test_the_time_of_a_report_is_that_of_the_region_unless_it_says_its_zone(
    imports: Imports, written: str, moment: dt.datetime
) -> None:
    imports.run(workbook(line("L1", "lampu mati", day=written)))
    with imports.parts.database.read() as connection:
        assert connection.execute(select(complaint.c.received_at)).scalar_one() == moment


def test_a_date_that_cannot_be_is_taken_as_now(imports: Imports) -> None:
    imports.run(
        workbook(
            line("L1", "lampu mati", day="kemarin sore"),
            line("L2", "sampah", day="1890-01-01"),
            line("L3", "parkir", day="2099-01-01"),
        )
    )
    with imports.parts.database.read() as connection:
        moments = connection.execute(select(complaint.c.received_at)).scalars().all()
    assert all(abs(now() - moment) < dt.timedelta(minutes=5) for moment in moments)


def test_dates_that_cannot_be_read_or_may_be_turned_round_are_told_before_anything_is_taken_in(imports: Imports) -> None:
    lines = [
        line(f"L{n}", "lampu mati", day=day) for n, day in enumerate(("kemarin", "", "2099-01-01", "02/13/2026", "02/03/2026"))
    ]
    page = imports.page(imports.begin(workbook(*lines)))
    assert "<b>3</b> <span>tanpa tanggal yang terbaca" in page
    assert "1 tanggal di berkas ini hanya dapat dibaca dengan bulan di depan" in page
    imports.run(workbook(*lines))
    page = imports.page(imports.begin(workbook(*lines, line("L9", "sampah"))))
    assert "tanpa tanggal yang terbaca" not in page  # they are here already, as they were received


@both
def test_what_became_confidential_since_an_earlier_export_is_nobodys_neighbour_any_more(imports: Imports) -> None:
    said = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", f"{said} pak")))
    with imports.parts.database.read() as connection:
        first, *others = connection.execute(select(complaint.c.id).order_by(complaint.c.id)).scalars()
        assert cases.members(connection, others[0]), "they are one matter"
    imports.run(workbook(line("L1", said, kind="Rahasia"), line("L2", f"{said} ya")))
    with imports.parts.database.read() as connection:
        closed = connection.execute(select(complaint.c.id).where(complaint.c.confidential)).scalars().all()
        assert closed == [first]
        assert not [member for other in others for member in cases.members(connection, other) if member.id == first]
    imports.run(workbook(line("L4", f"{said} bu")))
    with imports.parts.database.read() as connection:
        newest = connection.execute(select(complaint.c.id).order_by(complaint.c.id.desc()).limit(1)).scalar_one()
        assert first not in [member.id for member in cases.members(connection, newest)]


def test_what_became_confidential_leaves_other_matters_as_they_were(imports: Imports) -> None:
    said, other = "sampah menumpuk di belakang pasar induk sudah seminggu", "lampu jalan poros dekat jembatan lama padam semalam"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", other)))
    imports.run(workbook(line("L3", other, kind="Rahasia"), line("L4", f"{said} pak")))
    with imports.parts.database.read() as connection:
        numbers = {row.client_id: row.id for row in connection.execute(select(complaint.c.client_id, complaint.c.id))}
        members = cases.members(connection, numbers["L4"])
    assert {member.id for member in members} == {numbers["L1"], numbers["L2"]}


def test_of_a_matter_what_became_confidential_since_is_left_out_and_the_others_stay_one(imports: Imports) -> None:
    said = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas"
    imports.run(workbook(line("L1", said), line("L2", f"{said} ya"), line("L3", f"{said} pak")))
    imports.run(workbook(line("L2", f"{said} ya", kind="Rahasia")))
    with imports.parts.database.read() as connection:
        numbers = {row.client_id: row.id for row in connection.execute(select(complaint.c.client_id, complaint.c.id))}
        assert {member.id for member in cases.members(connection, numbers["L3"])} == {numbers["L1"]}
        assert not cases.members(connection, numbers["L2"])
        firsts = {name: review.first_of(connection, number) for name, number in numbers.items()}
        assert firsts["L1"] == firsts["L3"] != firsts["L2"], "no verdict on it serves the others, nor theirs it"


def test_confidential_rows_never_go_out_by_themselves(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "pasti lampu mati", kind="Rahasia")))
    assert job.counts["did_review"] == 1


def test_what_is_over_without_a_disposition_is_left_alone(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati", status="Diarsipkan"), line("L2", "sampah", status="Selesai")))
    assert job.counts["did_closed"] == 2
    assert imports.count(complaint) == 0


def test_rows_that_say_nothing_are_named_and_the_others_go_on(imports: Imports) -> None:
    job = imports.run(workbook(("L1", "2026-03-02", "", "", "", "", "", "", "", ""), line("L2", "sampah menumpuk")))
    assert (job.counts["did_unreadable"], job.counts["did_new"]) == (1, 1)
    assert "Baris 3: tidak ada uraian yang dapat dibaca" in imports.page(job.id)


def test_a_text_longer_than_we_keep_is_cut(imports: Imports) -> None:
    job = imports.run(workbook(line("L1", "lampu mati " * 2_500)))
    assert job.counts["did_new"] == 1


def test_other_fields_longer_than_we_keep_are_cut_and_none_is_left_out(imports: Imports) -> None:
    header = (*HEADER[:9], "Kelurahan", "Sumber Laporan")
    long = [*line("L1", "lampu mati")[:9], "Teluk Lingga " * 50, "Telepon " * 50]
    long[2], long[8] = "Judul " * 200, "Sangatta Utara " * 50
    short = [*line("L2", "lampu mati lagi")[:9], "Teluk Lingga", "Telepon"]
    assert imports.run(workbook(long, short, header=header)).counts["did_new"] == 2
    with imports.parts.database.read() as connection:
        kept = connection.execute(select(complaint).where(complaint.c.client_id == "L2")).one()
    assert (kept.kecamatan, kept.desa, kept.channel) == ("Sangatta Utara", "Teluk Lingga", "Telepon")


@pytest.mark.parametrize("words", ["", "-", "." * 30_000 + "lampu mati"])
def test_a_row_whose_title_says_it_all_is_taken_in_by_its_title(imports: Imports, words: str) -> None:
    only_title = list(line("L1", words))
    only_title[2] = "Lampu jalan mati"
    assert imports.run(as_csv(only_title), "ekspor.csv").counts["did_new"] == 1
    with imports.parts.database.read() as connection:
        assert connection.execute(select(complaint.c.text)).scalar_one() == "Lampu jalan mati"


def test_a_complaint_that_the_api_takes_in_at_the_same_moment_is_no_new_one(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = workbook(line("L1", "lampu mati"))
    imports.run(content)
    monkeypatch.setattr(exchange, "_known", lambda *_: {})  # looked at before it was there
    job = imports.run(content)
    assert (job.counts.get("did_new", 0), job.counts["did_known"]) == (0, 1)
    assert imports.count(complaint) == 1


@both
def test_html_and_formulas_in_every_cell_stay_text(imports: Imports) -> None:
    evil = '=cmd|" /C calc"!A0 <script>alert(1)</script>'
    number = imports.begin(
        workbook((evil, evil, evil, f"lampu {evil}", evil, evil, evil, evil, evil, evil)), "<img src=x onerror=alert(1)>.xlsx"
    )
    page = imports.page(number)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    job = imports.go(number, names={"nama-0": "dishub"})
    assert job.state == "done"
    assert "<script>alert" not in imports.page(number)
    assert imports.count(complaint) == 1
