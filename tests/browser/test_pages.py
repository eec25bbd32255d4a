"""The pages around the desk in a browser, over two months of a made-up past: legible, sound to axe, whole without the script."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import random
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from model.complaint import Complaint
from model.lapor import OURS
from model.register import Register
from model.registry import Registry
from model.routing import Candidate, Decision, Reason, Routing
from service import create_app
from service.clock import now
from service.complaints import intake, review
from service.complaints.review import Choice
from service.desk import cases
from service.parts import Parts
from service.promise import breakers
from service.security import accounts
from service.settings import Settings
from service.storage.tables import audit_case, complaint, decision, routing, standing
from service.web.schemas import ComplaintIn
from tests.browser.looking import BREACHES, PASSWORD, PATIENCE, SIZES, SMALL, answering, check, faults_of, picture

DATA = Path("data/kutai-timur")
PEOPLE = (("rina", "Rina Wulandari", "pengelola"), ("andi", "Andi Saputra", "petugas"), ("maya", "Maya Lestari", "petugas"))
WITHOUT_SCRIPT_TOO = [("1280", True), ("360", True), ("360", False)]
"""(size, script): where there is no script, a narrow page is the harder one."""
STORED = 400
PICTURES = Path("tests/browser/screenshots")
PAGES = (
    "/antrean",
    "/antrean?instansi=dishub&umur=terlambat",
    "/antrean/pemeriksaan",
    "/aduan/1",
    "/aduan/{waiting}",
    "/statistik",
    "/statistik?masa=365",
    "/riwayat",
    "/riwayat?cari=sampah&keadaan=decided",
    "/instansi",
    "/instansi/dlh",
    "/model",
    "/model/{version}",
    "/pengguna",
    "/log",
    "/impor",
    "/coba",
    "/sandi",
    "/api/docs",
)
"""Every page there is, as somebody who may see all of them meets it."""


@dataclass(frozen=True)
class KnowsMost:
    """A router that knows the right agency of the corpus, and is wrong or unsure about as often as a real one."""

    truth: Mapping[str, str]
    register: Register
    version: str = "2026.11-a"
    manifest: Mapping[str, Any] = field(default_factory=lambda: {"version": "2026.11-a", "policy": {"target_error": 0.05}})

    def route(self, asked: Complaint) -> Routing:
        """Answer by the truth, shifted by a die that the text alone throws."""
        die = random.Random(asked.text)  # noqa: S311
        right = self.truth.get(asked.text, "dlh")
        others = [agency.id for agency in self.register.agencies if agency.id != right]
        sure = die.random()
        agency = die.choice(others) if die.random() < (0.02 if sure > 0.5 else 0.25) else right
        probability = 0.55 + 0.44 * sure if sure > 0.5 else 0.25 + 0.4 * sure
        decided, reasons = (
            Decision.REVIEW,
            tuple(die.sample([Reason.LOW_CONFIDENCE, Reason.SMALL_MARGIN, Reason.SEVERAL_MATTERS], 2)),
        )
        if asked.confidential:
            reasons = (Reason.CONFIDENTIAL,)
        elif sure > 0.5:
            decided, reasons = Decision.AUTO, ()
        elif sure < 0.08:
            decided, reasons = Decision.ASK, (Reason.PLACE_NEEDED,)
        second = die.choice([other for other in others if other != agency])
        return Routing(
            decision=decided,
            agency=agency,
            unit="",
            candidates=(Candidate(agency, probability), Candidate(second, (1 - probability) / 2)),
            reasons=reasons,
            missing=("lokasi",) if decided is Decision.ASK else (),
            kind="pengaduan",
            oversight=False,
            kecamatan=asked.kecamatan,
            desa=asked.desa,
            places=(),
            rules=(),
            evidence=(),
            guarantee=None,
            model_version=self.version,
        )


class Past:
    """Two months of a desk: who wrote when, what three officers decided, and what the blind audit found. Always the same."""

    def __init__(self, folder: Path, models: Path | None = None) -> None:
        self.die = random.Random(727)  # noqa: S311
        rows = [json.loads(line) for line in (DATA / "complaints.jsonl").read_text(encoding="utf-8").splitlines()]
        self.rows = [row for row in rows if row.get("agency") and row.get("title") and len(row["text"]) > 40]
        self.die.shuffle(self.rows)
        truth = {row["text"]: row["agency"] for row in self.rows}
        if models is None:
            self.app: Flask = create_app(_settings(folder), lambda _: KnowsMost(truth, Register.load(DATA)))
        else:
            self.app = create_app(replace(_settings(folder), models=models))
        self.parts: Parts = self.app.extensions["salur"]
        self.router = self.parts.models.require()
        self.rows = [row for row in self.rows if row["agency"] in self.router.register.by_id]
        self.parts.database.migrate()
        with self.parts.database.write() as connection:
            self.people = [accounts.add(connection, name, role, PASSWORD, full, must_change=False) for name, full, role in PEOPLE]
        moments = sorted(now() - dt.timedelta(days=60 * self.die.random() ** 1.3, hours=1) for _ in range(STORED))
        for row, moment in zip(self.rows, moments, strict=False):
            self._happen(row, moment)

    def _happen(self, row: Mapping[str, Any], moment: dt.datetime) -> None:
        fields = {name: row.get(name, "") for name in ("text", "title", "kecamatan")}
        known = {"id": f"LP{self.die.randrange(10**6, 10**7)}", "received_at": moment, "confidential": self.die.random() < 0.03}
        receipt = intake.take_in(self.parts, "lapor", ComplaintIn.model_validate(fields | known))
        with self.parts.database.write() as connection:  # what the service stamps with the present happened then
            for table, column in ((routing, "routed_at"), (decision, "decided_at"), (audit_case, "drawn_at")):
                connection.execute(update(table).where(table.c.complaint_id == receipt.number).values({column: moment}))
            connection.execute(update(complaint).where(complaint.c.id == receipt.number).values(stored_at=moment))
        if receipt.decision != "auto" and self.die.random() < 0.93:
            self._decide(receipt.number, row["agency"], moment)

    def _decide(self, number: int, agency: str, moment: dt.datetime) -> None:
        at = min(moment + dt.timedelta(hours=math.exp(self.die.gauss(1.6, 1.3))), now())
        with self.parts.database.read() as connection:
            row = connection.execute(select(standing).where(standing.c.complaint_id == number)).one()
        if self.die.random() < 0.1:
            choice = Choice(outcome=self.die.choice(["needs-info", "not-a-complaint"]), missing=("lokasi",))
        else:
            choice = Choice(agency, unit=row.unit if agency == row.agency else "")
        seconds = round(math.exp(self.die.gauss(2.2, 0.6)), 1)
        with self.parts.database.write() as connection:
            person = self.die.choice(self.people)
            review.record(connection, row, choice, origin="desk", account_id=person, seconds=seconds, at=at)


def _settings(folder: Path) -> Settings:
    folder.mkdir(exist_ok=True)
    (folder / "secret").write_text("x" * 40)
    (folder / "models" / "2026.11-a").mkdir(parents=True)
    (folder / "models" / "current").write_text("2026.11-a\n")
    given = {
        "DATABASE": f"sqlite:///{folder / 'salur.db'}",
        "SECRET_FILE": str(folder / "secret"),
        "MODELS": str(folder / "models"),
        "UPLOADS": str(folder / "uploads"),
        "AUDIT_SHARE": "0.3",
        "SIGN_IN_LIMIT": "1000 per minute",
        "SECURE_COOKIES": "no",
    }
    return Settings.from_environment({f"SALUR_{name}": value for name, value in given.items()})


@dataclass(frozen=True)
class Site:
    """The service with its past, and where it answers."""

    past: Past
    url: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A past in which agencies and mistakes of every kind occur."""
    past = Past(tmp_path_factory.mktemp("past"))
    with answering(past.app) as url:
        yield Site(past, url)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Site]:
    """The same with what a trained model answers: that of DESK_MODELS, a registry's folder, or else a small one."""
    models = Path(os.environ.get("DESK_MODELS", ""))
    if not (models / "current").is_file():
        models = tmp_path_factory.mktemp("registry")
        shutil.copytree(tiny_artifact, models / tiny_artifact.name)
        Registry(models).promote(tiny_artifact.name, why="first model", who="uji", at="2026-11-24T08:00:00+00:00")
    past = Past(tmp_path_factory.mktemp("trained"), models)
    with answering(past.app) as url:
        yield Site(past, url)


class Reader:
    """Somebody who looks at the pages; what their browser complains about is kept."""

    def __init__(self, browser: Browser, site: Site, size: str = "1280", *, script: bool = True) -> None:
        width, height = SIZES[size]
        self.site = site
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale="id-ID", java_script_enabled=script)
        self.page: Page = self.context.new_page()
        if script:
            self.page.add_init_script(BREACHES)
        self.faults = faults_of(self.page)
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(f"{site.url}/masuk")
        self.page.fill("[name=nama]", "rina")
        self.page.fill("[name=sandi]", PASSWORD)
        self.page.press("[name=sandi]", "Enter")
        expect(self.page.locator(".who")).to_be_visible()
        self.page.wait_for_load_state()  # a page is there, and can be measured, before its style sheet is

    def visit(self, path: str) -> None:
        answer = self.page.goto(f"{self.site.url}{path}")
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"


@pytest.mark.parametrize(("size", "script"), WITHOUT_SCRIPT_TOO)
def test_every_page_is_legible_and_sound(browser: Browser, site: Site, size: str, script: bool) -> None:
    reader = Reader(browser, site, size, script=script)
    places = {"waiting": _waiting(site)[0], "version": site.past.router.version}
    for path in PAGES:
        if path == "/model/{version}":
            continue  # this one's folder is empty: the trained one is looked at below
        reader.visit(path.format(**places))
        expect(reader.page.locator("h1").first).to_be_visible()
        check(reader.page, path, script=script)
        if "/aduan/" not in path and path not in ("/sandi", "/api/docs", "/coba"):
            expect(reader.page.locator("nav.menu a[aria-current]")).to_be_in_viewport()
    reader.page.goto(f"{site.url}/tidak-ada")
    check(reader.page, "a page that is not there", script=script)
    assert [fault for fault in reader.faults if "404" not in fault] == []


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_show_what_a_trained_model_says(browser: Browser, trained: Site, size: str) -> None:
    reader, version = Reader(browser, trained, size), trained.past.router.version
    page = reader.page
    reader.visit("/antrean")
    check(page, "/antrean")
    picture(page, "antrean")
    reader.visit(f"/aduan/{_telling(trained)}")
    expect(page.locator("mark.for").first).to_be_visible()
    expect(page.locator(".choice-share").first).to_be_visible()
    page.wait_for_timeout(100)
    check(page, "/aduan")
    picture(page, "meja")
    for path in ("/statistik", "/riwayat"):
        reader.visit(path)
        check(page, path)
        picture(page, path[1:])

    reader.visit("/instansi")
    mistaken = page.get_by_role("region", name="Usulan yang tertukar")
    expect(mistaken.locator("tbody tr").first).to_be_visible()
    mistaken.locator("tbody a").first.click()
    expect(page.locator("h2", has_text="diputuskan ke").first).to_be_visible()
    check(page, "an agency")

    reader.visit("/model")
    expect(page.locator("main")).to_contain_text(version)
    reader.visit(f"/model/{version}")
    expect(page.locator("#kartu")).to_contain_text("Model card")
    check(page, "a version")
    reader.visit(f"/model/{version}/laporan")
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("svg, img").count() > 0
    assert reader.faults == []


def test_the_pictures_are_small_and_shown() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    pictures = sorted(PICTURES.iterdir())
    assert {path.stem for path in pictures} >= {"meja", "statistik", "riwayat"}
    for path in pictures:
        assert str(path) in readme
        assert path.stat().st_size < SMALL


def test_the_statistics_can_be_read_by_keyboard(browser: Browser, site: Site) -> None:
    reader = Reader(browser, site)
    reader.visit("/statistik")
    reader.page.locator("a", has_text="90 hari").focus()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("a[aria-current=true]", has_text="90 hari")).to_be_visible()
    reader.page.locator("summary", has_text="Tabel aduan masuk").press("Enter")
    expect(reader.page.locator("table").first).to_be_visible()


@pytest.mark.parametrize(("size", "script"), WITHOUT_SCRIPT_TOO)
def test_a_file_goes_in_and_comes_back(browser: Browser, site: Site, size: str, script: bool) -> None:
    reader = Reader(browser, site, size, script=script)
    page = reader.page
    name = f"laporan-{size}-{script}.xlsx"
    reader.visit("/impor")
    page.set_input_files("[name=berkas]", {"name": name, "mimeType": "application/octet-stream", "buffer": _export(name)})
    page.get_by_role("button", name="Unggah").click()
    expect(page.get_by_role("heading", name="Yang akan dilakukan")).to_be_visible()
    assert page.locator("select[name=nama-0]").input_value() == "dishub"
    if script:
        check(page, "mapping")
        picture(page, "padanan")
    page.locator("select[name=nama-1]").select_option("-")
    page.get_by_role("button", name="Proses").click()
    expect(page.get_by_role("heading", name="Berkas hasil siap")).to_be_visible()
    if script:
        check(page, "result")
    with page.expect_download() as download:
        page.get_by_role("button", name="Ambil berkas hasil").click()
    assert download.value.suggested_filename == name.replace(".xlsx", "-salur.xlsx")
    sheet = load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).active
    assert sheet is not None
    header = [cell.value for cell in sheet[2]]
    assert header[-4:] == list(OURS)
    taken = page.get_by_text(re.compile("sudah diambil"))  # noted once all was sent: a moment after it is here
    until = time.monotonic() + PATIENCE / 1000
    page.reload()
    while not taken.is_visible() and time.monotonic() < until:
        page.reload()
    expect(taken).to_be_visible()
    assert reader.faults == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_what_a_form_says_and_what_can_be_pressed_is_in_sight(browser: Browser, site: Site, width: int) -> None:
    reader = Reader(browser, site)
    page = reader.page
    page.set_viewport_size({"width": width, "height": 700})
    reader.visit("/pengguna")
    for name in ("Tabel pengguna", "Tabel kunci API"):
        if (table := page.get_by_role("region", name=name)).count():
            assert table.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, f"{name} slides at {width}"
    page.locator("form[action='/pengguna/kunci'] [name=nama]").fill("Tanpa kewenangan")
    page.get_by_role("button", name="Buat kunci").click()
    expect(page.locator(".error")).to_be_in_viewport()
    expect(page.locator(".error")).to_be_focused()
    stop(site, "dlh")
    reader.visit("/instansi/dlh")
    table = page.get_by_role("region", name="Penghentian penerusan otomatis")
    assert table.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, f"what was stopped slides at {width}"
    reader.visit("/model")
    table = page.get_by_role("region", name="Versi model")
    assert table.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, f"versions slide at {width}"


@pytest.mark.parametrize("width", [360, 960, 1280])
def test_the_menu_takes_one_line_on_a_phone_half_a_screen_and_a_whole_one(browser: Browser, site: Site, width: int) -> None:
    reader = Reader(browser, site)
    reader.page.set_viewport_size({"width": width, "height": 700})
    reader.visit("/coba")
    tops = reader.page.locator("nav.menu a").evaluate_all("nodes => nodes.map(node => node.offsetTop)")
    assert len(set(tops)) == 1
    expect(reader.page.locator("nav.menu a[aria-current]")).to_be_in_viewport(ratio=1)


def test_a_long_name_leaves_the_top_of_a_phone_on_two_lines(browser: Browser, site: Site) -> None:
    reader = Reader(browser, site, "360")
    top = reader.page.locator("header.top")
    before = top.bounding_box()
    reader.page.locator(".who a").evaluate(
        "node => { node.textContent = 'Drs. H. Abdurrahman Kusumawardhana, S.Sos., M.Si., M.H.' }"
    )
    assert top.bounding_box() == before


def test_filters_of_the_history_stand_two_abreast_on_a_phone_and_days_are_whole(browser: Browser, site: Site) -> None:
    reader = Reader(browser, site, "360")
    reader.visit("/riwayat?keadaan=decided")
    beside = [reader.page.locator(f"select[name={name}]").bounding_box() for name in ("instansi", "usulan")]
    assert beside[0] is not None
    assert beside[1] is not None
    assert beside[0]["y"] == beside[1]["y"]
    day = reader.page.locator("[name=dari]")
    assert day.evaluate("node => node.scrollWidth - node.clientWidth") <= 0


@pytest.mark.parametrize("size", SIZES)
def test_a_title_has_room_beside_its_badge(browser: Browser, site: Site, size: str) -> None:
    reader = Reader(browser, site, size)
    reader.visit("/antrean")
    room = "getComputedStyle(node).gridTemplateColumns.split(' ').map(parseFloat)[0] / node.clientWidth"
    shares = reader.page.locator(".line").evaluate_all(f"nodes => nodes.map(node => {room})")
    assert min(shares) > 0.7


def test_a_second_press_on_a_slow_network_loses_nothing_that_is_given_out_once(browser: Browser, site: Site) -> None:
    reader = Reader(browser, site, "360")
    page = reader.page
    reader.visit("/impor")
    page.set_input_files("[name=berkas]", {"name": "dua.xlsx", "mimeType": "application/octet-stream", "buffer": _export("dua")})
    page.get_by_role("button", name="Unggah").click()
    page.locator("select[name=nama-1]").select_option("")
    page.get_by_role("button", name="Proses").click()
    expect(page.get_by_text("Namanya belum dipadankan")).to_be_visible()
    check(page, "result with long words")

    network = {"offline": False, "latency": 600, "downloadThroughput": -1, "uploadThroughput": -1}
    reader.context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)
    twice = "(button) => { button.click(); setTimeout(() => button.click(), 250); }"
    with page.expect_download() as download:
        page.get_by_role("button", name="Ambil berkas hasil").evaluate(twice)
    assert download.value.failure() is None

    reader.visit("/pengguna")
    page.locator("form[action='/pengguna/baru'] [name=nama]").fill("tini")
    page.get_by_role("button", name="Tambah").evaluate(twice)
    expect(page.get_by_role("heading", name="Kata sandi untuk tini")).to_be_visible()
    page.get_by_role("link", name="Sudah saya catat").click()
    page.locator("form[action='/pengguna/kunci'] [name=nama]").fill("Jembatan")
    page.get_by_label("mengirim aduan").check()
    page.get_by_role("button", name="Buat kunci").evaluate(twice)
    expect(page.get_by_role("heading", name="Kunci API baru")).to_be_visible()
    expect(page.locator("td b", has_text="Jembatan")).to_have_count(1)
    assert reader.faults == []


def stop(site: Site, agency: str) -> None:
    """Stop what goes to an agency by itself, and let it go on."""
    with site.past.parts.database.write() as connection:
        why = "Terlalu banyak yang dikembalikan minggu ini, dan belum jelas mengapa."
        number = breakers.open_breaker(connection, agency, site.past.router.version, why, site.past.people[0])
        breakers.close_breaker(connection, number, "Sudah dibahas dengan dinasnya.", site.past.people[0])


def _waiting(site: Site, queue: str = "review") -> list[int]:
    with site.past.parts.database.read() as connection:
        wanted = select(standing.c.complaint_id).where(standing.c.state == "waiting", standing.c.queue == queue)
        return list(connection.execute(wanted.order_by(standing.c.rank)).scalars())


def _telling(site: Site) -> int:
    """The waiting complaint of which the page has most to tell: words for and against, a rule, like cases, a narrow choice."""

    def told(number: int) -> tuple[int, float]:
        with site.past.parts.database.read() as connection:
            case = cases.load(connection, number)
            assert case is not None
            assert case.routing is not None
            like = len(cases.precedents(connection, case))
        against = sum(one.margin < 0 for one in case.routing.evidence)
        shown = (like > 0, against > 1, bool(case.routing.rules), 150 < len(case.complaint.text) < 450)
        return sum(shown) - 5 * case.complaint.confidential, -case.routing.candidates[0].probability

    return max(_waiting(site), key=told)


def _export(name: str) -> bytes:
    """A small export that nobody wrote: two rows that somebody has, and some that nobody has."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["LAPORAN RINGKAS"])
    sheet.append(
        ["Tracking ID", "Tanggal Laporan Masuk", "Judul Laporan", "Isi Laporan Awal", "Instansi Terdisposisi", "Status Laporan"]
    )
    agencies = ("DINAS PERHUBUNGAN KABUPATEN KUTAI TIMUR", "Kantor Urusan Lain", *[""] * 40)
    for number, agency in enumerate(agencies):
        text = f"Lampu jalan nomor {number} di berkas {name} padam sejak kemarin malam"
        sheet.append([f"{name}-{number}", "2026-11-02", f"Lampu {number}", text, agency, "Belum"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
