"""A server on loopback with ten thousand complaints stored, and a browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import datetime as dt
import math
import re
import runpy
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from model import labelled
from model.complaint import Complaint
from model.place import PlaceFinder
from model.register import Register
from model.routing import Candidate, Decision, Evidence, FiredRule, Reason, Routing
from model.text import Analyzer
from service import create_app
from service.complaints import intake
from service.parts import Parts
from service.security import accounts
from service.settings import Settings
from service.storage.database import Database
from service.web.schemas import ComplaintIn
from tests.browser.looking import PASSWORD, answering
from tests.passwords import cheap_passwords

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "data" / "kutai-timur" / "complaints.jsonl"
STORED = 10_000
MORNING = 32
CHROMIUM = "/usr/bin/chromium"
SURE = "Truk sampah tidak datang sejak hari raya, tumpukan di depan gang kami sudah meluber ke jalan."

ALIKE = (
    "Lampu jalan di depan mushola gang Kenanga padam sejak Senin, anak-anak takut pulang mengaji malam hari.",
    "Lampu jalan di depan mushola gang Kenanga padam sejak Senin, anak-anak takut pulang mengaji malam.",
    "Mohon lampu jalan di depan mushola gang Kenanga yang padam sejak Senin diperbaiki, anak-anak takut pulang mengaji malam hari.",
)
"""Three neighbours about one lamp."""


@dataclass(frozen=True)
class KeywordRouter:
    """Knows the corpus, and else goes by the words that an agency's matters share with a text: plausible to look at."""

    version: str = "peraga-1"
    manifest: Mapping[str, Any] = field(default_factory=lambda: {"version": "peraga-1"})

    @cached_property
    def register(self) -> Register:
        """The default region."""
        return Register.load(ROOT / "data" / "kutai-timur")

    @cached_property
    def words(self) -> Mapping[str, frozenset[str]]:
        """What each agency looks after, word by word."""
        return {agency.id: frozenset(_words(f"{agency.name} {agency.matters}")) for agency in self.register.agencies}

    @cached_property
    def truth(self) -> Mapping[str, str]:
        """The right agency of every text of the corpus."""
        return {row.text: row.agency for row in labelled.load(CORPUS)}

    @cached_property
    def places(self) -> PlaceFinder:
        """Finds places as the real router does."""
        return PlaceFinder(self.register)

    @cached_property
    def analyzer(self) -> Analyzer:
        """Reads words as the real router does."""
        return Analyzer()

    def route(self, complaint: Complaint) -> Routing:
        """Answer for a complaint."""
        words = self.analyzer.words(complaint)
        said = [word.written for word in words if word.written]
        rare = Counter(word for bag in self.words.values() for word in bag)
        score: dict[str, float] = {name: sum(1 / rare[word] for word in said if word in bag) for name, bag in self.words.items()}
        found = self.places.find(words, complaint.kecamatan, complaint.desa)
        kecamatan = complaint.kecamatan or next((place.kecamatan for place in found if place.kecamatan), "")
        if self.truth.get(complaint.text) in score:
            score[self.truth[complaint.text]] += 1
        if not kecamatan:  # no office of the family could be named
            del score["kecamatan"]
        total = sum(math.exp(2 * value) for value in score.values())
        ranked = sorted(score, key=lambda name: (-score[name], name))
        candidates = tuple(Candidate(name, math.exp(2 * score[name]) / total) for name in ranked[:7])
        sure = complaint.text == SURE
        rules: tuple[FiredRule, ...] = ()
        if any(place.road_class == "nasional" for place in found):
            rules = (FiredRule("jalan-nasional", "Jalan nasional ditangani BBPJN, bukan kabupaten.", ranked[0]),)
        reasons = () if sure else (Reason.LOW_CONFIDENCE, *(() if kecamatan else (Reason.PLACE_NEEDED,)))
        return Routing(
            decision=Decision.AUTO if sure else Decision.REVIEW,
            agency=ranked[0],
            unit=kecamatan if ranked[0] == "kecamatan" else "",
            candidates=candidates,
            reasons=reasons,
            missing=() if kecamatan else ("lokasi",),
            kind="pengaduan",
            oversight="pungli" in complaint.text.lower(),
            kecamatan=kecamatan,
            desa=complaint.desa,
            places=found,
            rules=rules,
            evidence=tuple(
                Evidence(word.span, word.written, weight, margin)
                for word in words
                if word.written
                for weight, margin in [self._weigh(word.written, ranked)]
                if weight or margin
            ),
            guarantee=None,
            model_version=self.version,
        )

    def _weigh(self, word: str, ranked: list[str]) -> tuple[float, float]:
        first, second = word in self.words[ranked[0]], word in self.words[ranked[1]]
        return (1.0 if first else 0.0), (0.5 if first else -1.0 if second else 0.0)


def _words(text: str) -> list[str]:
    return [
        word
        for word in re.findall(r"[a-z]{4,}", text.lower())
        if word not in ("dinas", "bukan", "atau", "dari", "karena", "kabupaten")
    ]


@dataclass(frozen=True)
class Server:
    """Where the desk answers, and what is behind it."""

    url: str
    database: Database
    parts: Parts


def _settings(folder: Path) -> Settings:
    given = {
        "DATABASE": f"sqlite:///{folder / 'salur.db'}",
        "SECRET_FILE": str(folder / "secret"),
        "MODELS": str(folder / "models"),
    }
    given |= {"AUDIT_SHARE": "1", "SIGN_IN_LIMIT": "1000 per minute"}
    return Settings.from_environment({f"SALUR_{name}": value for name, value in given.items()})


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten thousand stored complaints, and those of the morning, which have to be decided first."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "secret").write_text(secrets.token_hex(32))
    (folder / "models" / "peraga-1").mkdir(parents=True)
    (folder / "models" / "current").write_text("peraga-1\n")
    parts: Parts = create_app(_settings(folder), lambda _: KeywordRouter()).extensions["salur"]
    parts.database.migrate()
    fill = runpy.run_path(str(ROOT / "tests" / "benchmarks" / "queue_page.py"))["fill"]
    fill(parts.database, STORED, STORED // 10, due_in=30)
    with parts.database.write() as connection:
        accounts.add(connection, "siti", "petugas", PASSWORD, "Siti Aminah", must_change=False)
        accounts.add(connection, "kepala", "kepala", PASSWORD, "Pak Kepala", must_change=False)
    _fill_morning(parts)
    parts.database.dispose()
    return folder


@pytest.fixture
def server(stored: Path, tmp_path: Path) -> Iterator[Server]:
    """The desk over a copy of what is stored, on a port of its own."""
    folder = shutil.copytree(stored, tmp_path / "desk")
    app = create_app(_settings(folder), lambda _: KeywordRouter())
    parts: Parts = app.extensions["salur"]
    with answering(app) as url:
        yield Server(url, parts.database, parts)


def _fill_morning(parts: Parts) -> None:
    rows = [row for row in labelled.load(CORPUS) if row.title and len(row.text) > 100]
    at = dt.datetime.now(dt.UTC)
    sent: list[dict[str, Any]] = [
        {
            "text": row.text,
            "title": row.title,
            "channel": "LAPOR!",
            "received_at": at - dt.timedelta(days=number % 5, minutes=number),
        }
        | ({"kecamatan": row.kecamatan, "desa": row.desa} if number % 3 else {})
        for number, row in enumerate(rows[:MORNING])
    ]
    sent += [{"text": text, "title": "Lampu gang padam", "kecamatan": "Sangatta Utara", "received_at": at} for text in ALIKE]
    long_ago = at - dt.timedelta(days=40)  # so that it is due first whatever day it is, and whatever the others stand to lose
    sent.append({"text": SURE, "title": "Sampah menumpuk", "kecamatan": "Sangatta Utara", "received_at": long_ago})
    for number, fields in enumerate(sent):
        intake.take_in(parts, "pagi", ComplaintIn.model_validate({"id": f"pagi-{number}"} | fields))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped where there is none."""
    path = shutil.which("chromium") or CHROMIUM
    if not Path(path).exists():
        pytest.skip("no Chromium: apt-get install chromium")
    flags = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run"]
    flags += ["disable-background-networking", "disable-component-update", "disable-sync"]
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=[f"--{flag}" for flag in flags], timeout=120_000)
        yield made
        made.close()
