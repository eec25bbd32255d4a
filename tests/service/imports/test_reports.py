"""A row of an export is read for what it is: whose id, who still waits, and whose office is meant."""

from __future__ import annotations

import pytest

from model.lapor import Report
from model.register import Agency, Place, Register
from service.imports import reports
from service.imports.name_mapping import Targets
from tests.service.conftest import REGISTER


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Ditutup oleh Sistem", "closed"),
        ("Diarsipkan oleh Admin", "closed"),
        ("Konten Terblokir", "closed"),
        ("Diblokir", "closed"),
        ("Selesai Otomatis", "closed"),
        ("Dihapus", "closed"),
        ("Belum Selesai", "open"),
        ("Belum  Selesai", "open"),
        ("Belum diselesaikan", "open"),
        ("Tidak Ditutup", "open"),
        ("Menunggu Kelengkapan Informasi", "open"),
        ("Belum Terverifikasi", "open"),
        ("", "open"),
    ],
)
def test_a_status_tells_whether_anybody_still_waits(status: str, kind: str) -> None:
    assert reports.kind_of(Report(2, "lampu mati", status=status), Targets()) == kind


def test_the_unit_of_a_family_comes_from_the_name_or_the_place() -> None:
    named = Report(1, "x", agency="Kecamatan Bengalon Kab. Kutai Timur", kecamatan="Sangatta Utara")
    placed = Report(1, "x", agency="Kantor Camat", kecamatan="SANGATTA UTARA")
    assert reports.unit_of(named, "kecamatan", REGISTER) == "Bengalon"
    assert reports.unit_of(placed, "kecamatan", REGISTER) == "Sangatta Utara"
    assert reports.unit_of(placed, "dishub", REGISTER) == ""


@pytest.mark.parametrize("written", ["Kec. Bengalon", "KECAMATAN BENGALON", "Bengallon"])
def test_the_place_of_a_row_may_be_written_as_the_model_takes_it(written: str) -> None:
    assert reports.unit_of(Report(1, "x", agency="Kantor Camat", kecamatan=written), "kecamatan", REGISTER) == "Bengalon"


VILLAGES = Register(
    agencies=(Agency("kelurahan", "Kelurahan", per="desa"),),
    places=(
        Place("Kenanga", "Kenanga", "kelurahan"),
        Place("Kenanga", "Mojo", "kelurahan"),
        Place("Kenanga", "Melati", "kelurahan"),
        Place("Anggrek", "Melati", "kelurahan"),
        Place("Anggrek", "Melati Baru", "kelurahan"),
    ),
)


@pytest.mark.parametrize(
    ("named", "kecamatan", "desa", "office"),
    [
        ("Kelurahan Mojo", "", "", "Mojo"),
        ("KELURAHAN MELATI BARU", "Kenanga", "Melati", "Melati Baru"),
        ("Kelurahan Mojokerto", "", "", ""),
        ("Kelurahan Mojo Kecamatan Kenanga", "", "", "Mojo"),  # no word of the kelurahan that the kecamatan is called after
        ("Kelurahan Kenanga Kecamatan Kenanga", "Anggrek", "Melati", "Kenanga"),
        ("Kelurahan Melati, Kec. Anggrek", "Kenanga", "Mojo", "Melati (Anggrek)"),
        ("Kelurahan Melati", "kenanga", "", "Melati (Kenanga)"),
        ("Kelurahan Melati", "", "", ""),
        ("Kantor Lurah", "Anggrek", "MELATI", "Melati (Anggrek)"),
        ("Kantor Lurah", "", "Mojo", "Mojo"),
        ("Kantor Lurah", "Kenanga", "", ""),
    ],
)
def test_an_office_of_a_desa_is_the_one_that_the_name_or_the_place_means(
    named: str, kecamatan: str, desa: str, office: str
) -> None:
    report = Report(1, "x", agency=named, kecamatan=kecamatan, desa=desa)
    assert reports.unit_of(report, "kelurahan", VILLAGES) == office


def test_an_id_that_is_made_up_cannot_be_tried_out_without_the_secret() -> None:
    asked = [(report, secret * 32) for secret in "ab" for report in (Report(1, "hubungi 081234567890"), Report(1, "hubungi kami"))]
    made = [reports.client_id(*each) for each in asked]
    assert made == [reports.client_id(*each) for each in asked]
    assert len(set(made)) == 4
