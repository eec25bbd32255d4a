"""Models put live, taken back and tried beside the live one from /model: with a reason, by role, under the registry's rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from model.artifact import FORMAT
from model.faults import InvalidData
from model.ledger import Event, Verdict
from model.register import Register
from model.registry import Registry
from service import wording
from service.models import versions
from service.parts import Parts
from service.security import accounts
from service.storage.database import Database
from service.storage.tables import audit_log

if TYPE_CHECKING:
    from tests.service.conftest import Person

AT = "2026-11-20T08:00:00+00:00"
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def registry(app: Flask) -> Registry:
    """A registry in whose folder `palsu-1` is live, beside three more: `palsu-2`, `sempit` (fewer agencies) and `rusak`."""
    parts: Parts = app.extensions["salur"]
    folder, usual = parts.settings.models, parts.models.load
    for name in ("palsu-2", "sempit", "rusak"):
        (folder / name).mkdir()
        (folder / name / "ok").touch()
        (folder / name / "manifest.json").write_text(json.dumps({"version": name, "format": FORMAT, "files": {}}))

    def load(path: Path) -> Any:
        if path.name == "rusak":
            raise InvalidData([])
        router: Any = usual(path)
        return replace(router, register=Register(router.register.agencies[:4])) if path.name == "sempit" else router

    parts.models.load, parts.models.registry = load, Registry(folder, load)
    (folder / "current").unlink()
    parts.models.registry.promote("palsu-1", why="pertama", who="ani", at=AT)
    return parts.models.registry


def compare(registry: Registry, verdict: str, **more: Any) -> None:
    figures = {"verdict": verdict} | more
    registry.record(Event.COMPARED, version="palsu-2", previous="palsu-1", at=AT, who="ani", why="+2 poin", figures=figures)


def test_moments_are_written_in_the_regions_time_and_what_is_none_as_it_is(
    registry: Registry, pengelola: Person, app: Flask
) -> None:
    assert "20 Nov 2026 16.00 WITA" in pengelola.client.get("/model").text
    with app.app_context():
        assert [wording.moment_of(written) for written in ("2026-11-20T08:00:00", "0001-01-01T00:00:00+14:00", "kemarin", "")] == [
            "20 Nov 2026 16.00 WITA",
            "0001-01-01T00:00:00+14:00",
            "kemarin",
            "",
        ]


def test_the_live_version_is_listed_however_many_newer_ones_were_trained(
    registry: Registry, petugas: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MAX_VERSIONS", 2)
    listed = re.findall(r'<a class="nowrap" href="/model/([^"]+)"', petugas.client.get("/model").text)
    assert listed == ["palsu-1", "sempit"]


def test_a_figure_that_is_no_number_is_not_shown() -> None:
    metrics = {"accuracy": float("nan"), "top3": True, "ece": "0.1", "rows": 900, "auto": {"target_error": 0.05, "error": 0.0}}
    version = versions.Version("palsu-2", manifest={"metrics": metrics})
    assert version.figures == [("Aduan yang dipakai menguji", 900.0, "number")]
    assert version.promise is None


def use(person: Person, version: str, **form: str) -> Any:
    return person.send(f"/model/{version}", "/model", aksi="pakai", dipakai="palsu-1", **form)


def trail(database: Database) -> list[tuple[str, str, Any, int | None]]:
    with database.read() as connection:
        rows = connection.execute(
            select(audit_log).where(audit_log.c.action.like("%model-%") | audit_log.c.action.like("shadow-%"))
        )
        return [(row.action, row.object, row.detail, row.account_id) for row in rows]


def test_a_better_version_is_put_live_and_the_ledger_and_the_trail_say_by_whom_and_why(
    registry: Registry, pengelola: Person, database: Database
) -> None:
    compare(registry, Verdict.PROMOTE)
    assert "meskipun belum terbukti" not in pengelola.client.get("/model/palsu-2").text
    answer = use(pengelola, "palsu-2", alasan="lebih tepat untuk PLN")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/model")
    page = pengelola.client.get("/model").text
    assert "Versi palsu-2 mulai dipakai." in page
    assert re.search(r'palsu-2</a>\s*<span class="badge good">dipakai', page)
    entry = registry.history().entries[-1]
    told = (entry.what, entry.version, entry.previous, entry.who, entry.why)
    assert told == (Event.PROMOTED, "palsu-2", "palsu-1", "pengelola", "lebih tepat untuk PLN")
    assert trail(database) == [("model-promoted", "model:palsu-2", {"why": "lebih tepat untuk PLN", "before": "palsu-1"}, 1)]


def test_the_history_calls_previous_only_what_was_replaced_and_marks_what_the_program_says(
    registry: Registry, pengelola: Person
) -> None:
    use(pengelola, "palsu-2", alasan="terasa lebih baik")  # refused: it was not compared
    registry.start_shadow("palsu-2", why="dicoba", who="ani", at=AT)
    registry.promote("palsu-2", why="uji", who="ani", at=AT, force_why="uji")
    page = pengelola.client.get("/model").text
    version = r'<td><span class="nowrap">palsu-2</span><br><small>(.+?)</small></td>'
    lines = re.findall(rf'<td>([^<]+)</td>{version}.*?<td class="detail">(.*?)</td>', page)
    told = {what: (beside, why.partition(">")[0]) for what, beside, why in lines}
    assert told["mulai dipakai"] == ("sebelumnya palsu-1", "uji; uji")
    assert told["dipasang sebagai bayangan"] == ("yang dipakai palsu-1", "dicoba")
    assert told["ditolak"] == ("yang dipakai palsu-1", "Versi ini belum dibandingkan dengan versi yang sedang dipakai.")


def test_the_history_tells_in_the_words_of_the_pages_why_a_version_was_refused(registry: Registry, pengelola: Person) -> None:
    use(pengelola, "sempit", alasan="coba")
    with (registry.folder / "ledger.jsonl").open("a", encoding="utf-8") as ledger:  # a line of before, and ones by hand
        for figures in (
            "",
            ', "figures": {"refusal": "entah", "about": 7}',
            ', "figures": {"refusal": 7, "about": [{}]}',
            ', "figures": {"refusal": "broken"}',
        ):
            ledger.write(f'{{"when": "{AT}", "what": "refused", "version": "lama", "who": "ani", "why": "in English"{figures}}}\n')
    page = pengelola.client.get("/model").text
    assert page.count('<td class="detail"> Rincian (bahasa Inggris): <code lang="en">in English</code>') == 3
    told = "Versi ini tidak mengenal instansi yang dikenal model yang sekarang dipakai: Kecamatan, PLN.</td>"
    assert f'<td class="detail">{told}' in page
    assert 'dengan Salur yang berjalan. Rincian (bahasa Inggris): <code lang="en">in English</code>' in page


FIGURES = {"rows": 1_200, "accuracy": [0.77, 0.781], "interval": [-0.002, 0.024], "coverage": [0.24, 0.25], "error": [0.03, 0.0]}


def test_what_a_comparison_found_is_told_in_the_words_of_the_pages(registry: Registry, pengelola: Person) -> None:
    compare(registry, Verdict.HOLD, **FIGURES)
    for path in ("/model", "/model/palsu-2"):
        page = pengelola.client.get(path).text
        assert (
            "<b>sebaiknya ditahan</b>. Dari 1.200 aduan yang belum pernah dilihat keduanya, yang tepat 77,0% menjadi 78,1%" in page
        )
        assert (
            "rentang 95%: -0,2 sampai 2,4 poin). Diteruskan otomatis 24,0% menjadi 25,0%; di antaranya keliru 3,0% menjadi 0,0%."
            in page
        )


@pytest.mark.parametrize("odd", [{"accuracy": [0.7]}, {"error": ["0", 1]}, {"coverage": 1}, {"rows": None}, {"interval": "ab"}])
def test_a_comparison_whose_figures_are_none_is_told_without_them(
    registry: Registry, pengelola: Person, odd: dict[str, Any]
) -> None:
    compare(registry, Verdict.PROMOTE, **(FIGURES | odd))
    page = pengelola.client.get("/model").text
    assert "<b>layak dipakai</b>. Rincian (bahasa Inggris):" in page


def test_a_comparison_without_a_verdict_is_told_as_that(registry: Registry, pengelola: Person) -> None:
    registry.record(Event.COMPARED, version="palsu-2", previous="palsu-1", at=AT, who="ani", why="+2 poin", figures={"rows": 3})
    for path in ("/model", "/model/palsu-2"):
        assert "<b>tanpa putusan</b>. Rincian (bahasa Inggris):" in pengelola.client.get(path).text


def test_the_last_promotion_is_taken_back_once_however_often_one_clicks(
    registry: Registry, pengelola: Person, database: Database
) -> None:
    assert "Kembalikan ke versi sebelumnya" not in pengelola.client.get("/model").text
    for version in ("palsu-2", "palsu-1", "palsu-2"):
        registry.promote(version, why="uji", who="ani", at=AT, force_why="uji")
    assert "<b>palsu-1</b>" in pengelola.client.get("/model").text
    form = {"aksi": "kembalikan", "dipakai": "palsu-2", "alasan": f"salah rute {EVIL}"}
    assert pengelola.send("/model", "/model", **form).status_code == 303
    again = pengelola.send("/model", "/model", **form)
    assert again.status_code == 409
    assert "baru saja diganti" in again.text
    assert "<script>alert" not in again.text
    assert registry.current() == "palsu-1"
    assert registry.history().entries[-1].who == "pengelola"
    assert [row[:2] for row in trail(database)] == [("model-rolled-back", "model:palsu-1")]


def test_a_torn_pointer_is_mended_by_taking_the_last_promotion_back(registry: Registry, pengelola: Person, app: Flask) -> None:
    registry.promote("palsu-2", why="uji", who="ani", at=AT, force_why="uji")
    (registry.folder / "current").write_bytes(b"palsu\0")
    app.extensions["salur"].models.look()
    page = pengelola.client.get("/model").text
    assert "Catatan versi yang dipakai rusak" in page
    assert "<b>palsu-1</b>" in page
    assert pengelola.send("/model", "/model", aksi="kembalikan", dipakai="", alasan="rusak").status_code == 303
    assert registry.current() == "palsu-1"


@pytest.mark.parametrize("verdict", ["", Verdict.HOLD, Verdict.NOT_ENOUGH_DATA])
def test_what_is_not_known_to_be_better_needs_a_second_reason(registry: Registry, pengelola: Person, verdict: str) -> None:
    if verdict:
        compare(registry, verdict)
    refused = use(pengelola, "palsu-2", alasan="terasa lebih baik")
    assert refused.status_code == 422
    assert (
        "belum menyatakan versi ini layak" if verdict else "belum dibandingkan dengan versi yang sedang dipakai"
    ) in refused.text
    assert "terasa lebih baik</textarea>" in refused.text
    assert registry.current() == "palsu-1"
    assert registry.history().entries[-1].what is Event.REFUSED
    assert use(pengelola, "palsu-2", alasan="instansi baru", meskipun="data uji belum ada").status_code == 303
    assert registry.history().entries[-1].why == "instansi baru; data uji belum ada"


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("rusak", "Versi ini tidak dapat dimuat"),
        ("sempit", "tidak mengenal instansi yang dikenal model yang sekarang dipakai: Kecamatan, PLN. Latih ulang"),
        ("palsu-1", "Versi ini sedang dipakai."),
    ],
)
def test_what_cannot_serve_is_refused_whatever_is_said(registry: Registry, pengelola: Person, version: str, told: str) -> None:
    refused = use(pengelola, version, alasan="coba", meskipun="biar")
    assert refused.status_code == 422
    assert told in refused.text
    assert registry.current() == "palsu-1"
    shadow = pengelola.send(f"/model/{version}", "/model", aksi="bayangan", alasan="coba")
    assert shadow.status_code == 422
    assert registry.shadow() is None


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"alasan": " "}, "Tuliskan alasannya"),
        ({"alasan": "x" * 901}, "paling banyak 900"),
        ({"alasan": "x", "meskipun": "x" * 901}, "paling banyak 900"),
        ({"alasan": "x", "aksi": "hapus"}, "Pilih dahulu"),
    ],
)
def test_a_form_that_says_too_little_or_too_much_is_shown_again(
    registry: Registry, pengelola: Person, form: dict[str, str], told: str
) -> None:
    for path in ("/model/palsu-2", "/model"):
        action = "pakai" if path.endswith("2") else "kembalikan"
        refused = pengelola.send(path, "/model", **{"aksi": action, "dipakai": "palsu-1", **form})
        assert refused.status_code == 422
        assert told in refused.text
    assert [entry.what for entry in registry.history().entries] == [Event.PROMOTED]


@pytest.mark.parametrize("role", ["kepala", "petugas", "peninjau-saja"])
def test_only_the_administrator_changes_models_and_the_others_see_them(
    registry: Registry, person: Person, database: Database, role: str
) -> None:
    with database.write() as connection:
        accounts.add(connection, "siti", role, "katak-melompat-7x", must_change=False)
    person.sign_in("siti")
    registry.promote("palsu-2", why="uji", who="ani", at=AT, force_why="uji")
    page = person.client.get("/model").text + person.client.get("/model/palsu-1").text
    assert "<textarea" not in page
    for path, action in (
        ("/model/palsu-1", "pakai"),
        ("/model/palsu-1", "bayangan"),
        ("/model", "kembalikan"),
        ("/model", "hentikan"),
    ):
        assert person.send(path, aksi=action, alasan="x", meskipun="x", dipakai="palsu-2").status_code == 403
    assert registry.current() == "palsu-2"


def test_another_sites_form_changes_nothing_and_an_old_one_is_shown_again(registry: Registry, pengelola: Person) -> None:
    form = {"aksi": "pakai", "alasan": "lama terbuka", "meskipun": "x", "dipakai": "palsu-1", "csrf_token": "x"}
    answer = pengelola.client.post("/model/palsu-2", data=form)
    assert answer.status_code == 400
    assert "lama terbuka</textarea>" in answer.text
    assert pengelola.client.post("/model", data=form | {"aksi": "kembalikan"}).status_code == 400
    assert registry.current() == "palsu-1"


def test_a_challenger_is_set_up_and_stopped_from_the_page(registry: Registry, pengelola: Person, database: Database) -> None:
    answer = pengelola.send("/model/palsu-2", "/model", aksi="bayangan", alasan="calon bulan depan")
    assert answer.status_code == 303
    page = pengelola.client.get("/model").text
    assert "ikut menjawab setiap aduan baru" in page
    assert '<span class="badge">bayangan</span>' in page
    beside = registry.shadow()
    assert beside
    assert beside.version == "palsu-2"
    assert pengelola.send("/model", "/model", aksi="hentikan", alasan="cukup").status_code == 303
    assert registry.shadow() is None
    assert pengelola.send("/model", "/model", aksi="hentikan", alasan="cukup").status_code == 422
    assert [(row[0], row[2]["why"]) for row in trail(database)] == [
        ("shadow-started", "calon bulan depan"),
        ("shadow-ended", "cukup"),
    ]


def test_an_old_page_stops_no_challenger_but_the_one_that_it_shows(registry: Registry, pengelola: Person) -> None:
    registry.start_shadow("palsu-2", why="uji", who="ani", at=AT)
    assert '<input type="hidden" name="bayangan" value="palsu-2">' in pengelola.client.get("/model").text
    registry.stop_shadow(why="cukup", who="ani", at=AT)
    (registry.folder / "palsu-3").mkdir()
    (registry.folder / "palsu-3" / "ok").touch()
    registry.start_shadow("palsu-3", why="calon lain", who="budi", at=AT)
    refused = pengelola.send("/model", "/model", aksi="hentikan", bayangan="palsu-2", alasan="tidak lebih baik")
    assert refused.status_code == 409
    assert "Model bayangannya sudah berganti" in refused.text
    assert "tidak lebih baik</textarea>" in refused.text
    beside = registry.shadow()
    assert beside
    assert beside.version == "palsu-3"
    assert pengelola.send("/model", "/model", aksi="hentikan", bayangan="palsu-3", alasan="cukup").status_code == 303
    assert registry.shadow() is None


def test_a_version_that_is_not_there_is_not_found(registry: Registry, pengelola: Person) -> None:
    for name in ("tidak-ada", "current", "..%2fpalsu-1"):
        assert pengelola.send(f"/model/{name}", "/model", aksi="pakai", alasan="x").status_code == 404
    assert len(registry.history().entries) == 1


def test_a_locked_database_undoes_no_promotion(
    registry: Registry, pengelola: Person, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any, **__: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    token = pengelola.token("/model/palsu-2")
    parts: Parts = app.extensions["salur"]
    monkeypatch.setattr(parts.database, "write", locked)
    form = {"aksi": "pakai", "alasan": "x", "meskipun": "x", "dipakai": "palsu-1", "csrf_token": token}
    assert pengelola.client.post("/model/palsu-2", data=form).status_code == 303
    assert registry.current() == "palsu-2"


def test_a_registry_that_cannot_be_written_is_said_in_a_sentence(
    registry: Registry, pengelola: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "current")

    token = pengelola.token("/model/palsu-2")
    monkeypatch.setattr(Path, "replace", refuse)
    form = {"aksi": "pakai", "alasan": "x", "meskipun": "x", "dipakai": "palsu-1", "csrf_token": token}
    answer = pengelola.client.post("/model/palsu-2", data=form)
    assert answer.status_code == 422
    assert "Gudang model tidak dapat diubah" in answer.text
    assert registry.current() == "palsu-1"


def test_a_version_that_breaks_after_it_went_live_is_told_everywhere_and_the_old_one_answers(
    registry: Registry, pengelola: Person, app: Flask, make_app: Callable[..., Flask]
) -> None:
    parts: Parts = app.extensions["salur"]
    assert pengelola.client.get("/readyz").json == {
        "ready": True,
        "model": {"version": "palsu-1", "trouble": ""},
        "database": "ok",
    }
    (parts.settings.models / "palsu-3").mkdir()
    (parts.settings.models / "current").write_text("palsu-3\n")
    parts.models.look()
    ready = pengelola.client.get("/readyz")
    assert (ready.status_code, ready.json and ready.json["model"]["version"]) == (200, "palsu-1")
    assert "version palsu-3 cannot be loaded" in ready.text
    assert "salur_model_trouble 1.0" in pengelola.client.get("/metrics").text
    page = pengelola.client.get("/model").text
    assert "Versi yang ditunjuk tidak dapat dimuat; versi palsu-1 tetap dipakai" in page
