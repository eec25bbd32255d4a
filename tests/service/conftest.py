"""An app over a database that the migrations made, with a router whose answers are known beforehand."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, create_engine, delete, insert, text
from sqlalchemy.pool import NullPool
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from model.complaint import Complaint
from model.faults import InvalidData
from model.register import Agency, Place, Register
from model.routing import Candidate, Decision, Evidence, Reason, Routing, Span
from service import create_app
from service.clock import now
from service.imports.import_worker import ImportWorker
from service.parts import Parts
from service.security import accounts, keys
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables import account, metadata
from tests.passwords import cheap_passwords
from tests.service.importing import Imports

POSTGRES = os.environ.get("TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
PASSWORD = "katak-melompat-7x"  # noqa: S105
_KNOWN = {"lampu": "dishub", "parkir": "dishub", "jalan": "dpupr", "sampah": "dlh", "ktp": "disdukcapil", "lurah": "kecamatan"}

REGISTER = Register(
    agencies=(
        Agency("dishub", "Dinas Perhubungan", ("Dishub",), matters="lampu jalan, parkir"),
        Agency("dpupr", "Dinas Pekerjaan Umum", ("PU",), matters="jalan rusak"),
        Agency("dlh", "Dinas Lingkungan Hidup", ("DLH",), matters="sampah"),
        Agency("disdukcapil", "Dinas Kependudukan dan Pencatatan Sipil", ("Capil",), matters="KTP"),
        Agency("kecamatan", "Kecamatan", per="kecamatan"),
        Agency("pln", "PLN", authority="pusat", matters="listrik padam"),
    ),
    places=(Place("Sangatta Utara", "", "kecamatan"), Place("Bengalon", "", "kecamatan")),
)


@dataclass(frozen=True)
class FakeRouter:
    """Routes by the last known word of a text, and is sure exactly where the text says so ("pasti")."""

    version: str = "palsu-1"
    register: Register = REGISTER
    manifest: Mapping[str, Any] = field(default_factory=lambda: {"version": "palsu-1", "metrics": {"accuracy": 0.9}})

    @classmethod
    def load(cls, folder: Path) -> FakeRouter:
        """Load a version's folder, where it holds the file `ok`."""
        if not (folder / "ok").is_file():
            raise InvalidData([])
        return cls(folder.name, manifest={"version": folder.name})

    def route(self, complaint: Complaint) -> Routing:
        """Answer for a complaint."""
        found = [(match, _KNOWN[match[0].lower()]) for match in re.finditer(r"\w+", complaint.text) if match[0].lower() in _KNOWN]
        agency = found[-1][1] if found else "dlh"
        sure = "pasti" in complaint.text and not complaint.confidential
        others = [other.id for other in self.register.agencies if other.id != agency]
        doubt = Reason.SEVERAL_MATTERS if "selain itu" in complaint.text else Reason.LOW_CONFIDENCE
        reasons = () if sure else (Reason.CONFIDENTIAL if complaint.confidential else doubt,)
        return Routing(
            decision=Decision.AUTO if sure else Decision.REVIEW,
            agency=agency,
            unit=complaint.kecamatan if agency == "kecamatan" else "",
            candidates=(Candidate(agency, 0.9 if sure else 0.4), *(Candidate(other, 0.02) for other in others)),
            reasons=reasons,
            missing=(),
            kind="pengaduan",
            oversight="pungli" in complaint.text,
            kecamatan=complaint.kecamatan,
            desa=complaint.desa,
            places=(),
            rules=(),
            evidence=tuple(Evidence(Span("text", match.start(), match.end()), match[0].lower(), 1.5, 0.5) for match, _ in found),
            guarantee=None,
            model_version=self.version,
            emergency="Telepon 112." if "kebakaran" in complaint.text else "",
        )


both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""Lets a test run on either database."""
postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""Lets a test run where several write at once."""


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that the migrations made, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "salur.db"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    made.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """The URL of an empty PostgreSQL schema, dropped afterwards; the tests that want one are skipped where there is none."""
    server = create_engine(
        POSTGRES.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    schema = f"salur_test_{secrets.token_hex(6)}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except Exception as error:
        server.dispose()
        pytest.skip(f"no PostgreSQL at {server.url.host}: {type(error).__name__}")
    # These tests never cut the power, so a commit need not wait for the disk; what survives a crash is for tests/faults to see.
    yield f"{POSTGRES}?options=-csearch_path%3D{schema}%20-csynchronous_commit%3Doff"
    with server.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(scope="session")
def migrated_schema(postgres_schema: str) -> str:
    """The URL of a PostgreSQL schema that the migrations made."""
    made = Database(postgres_schema)
    made.migrate()
    made.dispose()
    return postgres_schema


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[str]:
    """The URL of a migrated, empty database: SQLite, unless a test asks for "postgresql"."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copy(migrated_file, tmp_path / "salur.db")
        yield f"sqlite:///{tmp_path / 'salur.db'}"
        return
    url: str = request.getfixturevalue("migrated_schema")
    yield url
    made = Database(url)
    with made.write() as connection:
        _empty(connection)
    made.dispose()


def officer(database: Database, name: str, full_name: str) -> int:
    """Add somebody who never signs in: a password would cost a tenth of a second."""
    values = {"name": name, "full_name": full_name, "password_hash": "", "role": "petugas", "active": True}
    with database.write() as connection:
        row = insert(account).values(values | {"must_change_password": False, "created_at": now()}).returning(account.c.id)
        return int(connection.execute(row).scalar_one())


@pytest.fixture
def siti(database: Database) -> int:
    """An officer."""
    return officer(database, "siti", "Siti Aminah")


def _empty(connection: Connection) -> None:
    """Leave a schema as the migrations made it. Not by TRUNCATE: it makes every table's files anew, in a quarter of a second."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))
    restart = "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences"
    connection.execute(text(f"{restart} WHERE schemaname = current_schema()"))
    connection.execute(text("INSERT INTO feed_head (id, position) VALUES (1, 0)"))


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a service with a fake model promoted and no audit draw."""
    secret = tmp_path / "secret"
    secret.write_text(secrets.token_hex(32))
    models = tmp_path / "models"
    (models / "palsu-1").mkdir(parents=True)
    (models / "palsu-1" / "ok").touch()
    (models / "current").write_text("palsu-1\n")
    return Settings.from_environment(
        {
            "SALUR_DATABASE": database_url,
            "SALUR_SECRET_FILE": str(secret),
            "SALUR_MODELS": str(models),
            "SALUR_UPLOADS": str(tmp_path / "uploads"),
            "SALUR_AUDIT_SHARE": "0",
            "SALUR_SIGN_IN_LIMIT": "1000 per minute",
            "SALUR_SECURE_COOKIES": "no",
        }
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The migrated database of the settings."""
    made = Database(settings.database)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """What one app has compiled of the templates, for the next: nearly every test makes an app, and nearly all need the same."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session", autouse=True)
def addresses_when_asked_for() -> Iterator[None]:
    """Compile what builds an address when it is first asked for: to do so for all was four fifths of making an app."""
    compile_builder = Rule._compile_builder

    def later(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(lambda: compile_builder(rule, append_unknown))
        return lambda *given, **named: compiled()(*given, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Rule, "_compile_builder", later)
        yield


@pytest.fixture
def make_app(settings: Settings, database: Database, compiled_templates: FileSystemBytecodeCache) -> Iterator[Callable[..., Flask]]:
    """Makes apps over the same database, each with some settings changed; closes their connections afterwards."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(create_app(replace(settings, **changes), FakeRouter.load))
        made[-1].jinja_env.bytecode_cache = compiled_templates
        return made[-1]

    yield make
    for app in made:
        app.extensions["salur-imports"].stop()
        parts: Parts = app.extensions["salur"]
        parts.database.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The app itself."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody at a browser, not signed in."""
    return app.test_client()


@pytest.fixture
def key(database: Database) -> str:
    """An API key that may do everything but administer."""
    with database.write() as connection:
        return keys.add(connection, "Uji", ["predict", "intake", "outcome", "feed"], source="uji")[1]


class Api:
    """Calls the API with one key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client, self._key = client, key

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self._key}", **options.pop("headers", {})}
        return self._client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.call("POST", path, **options)


@pytest.fixture
def api(client: FlaskClient, key: str) -> Api:
    """The intake system."""
    return Api(client, key)


class Person:
    """Somebody at a browser who can sign in and send forms."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def token(self, path: str = "/masuk") -> str:
        match = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path, follow_redirects=True).text)
        assert match, f"no form on {path}"
        return match[1]

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
        return self.client.post("/masuk", data={"csrf_token": self.token(), "nama": name, "sandi": password, **more})

    def send(self, path: str, form: str = "/sandi", **data: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(form), **data})


@pytest.fixture
def person(client: FlaskClient) -> Person:
    """Somebody at a browser."""
    return Person(client)


@pytest.fixture
def petugas(database: Database, person: Person) -> Person:
    """An officer who is signed in."""
    return _signed_in(database, person, "petugas")


@pytest.fixture
def pengelola(database: Database, person: Person) -> Person:
    """An administrator who is signed in."""
    return _signed_in(database, person, "pengelola")


@pytest.fixture
def somebody(app: Flask, database: Database) -> Callable[..., Person]:
    """Signs people in, each in a browser of their own: by their role, which is their name too where they are given none."""

    def sign_in(role: str, name: str = "") -> Person:
        return _signed_in(database, Person(app.test_client()), role, name)

    return sign_in


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let imports be worked on when a test says so, and not by a thread."""
    monkeypatch.setattr(ImportWorker, "wake", lambda _self: None)


@pytest.fixture
def imports(app: Flask, petugas: Person, no_threads: None) -> Imports:
    """An officer who imports."""
    return Imports(petugas, app)


def _signed_in(database: Database, person: Person, role: str, name: str = "") -> Person:
    with database.write() as connection:
        accounts.add(connection, name or role, role, PASSWORD, must_change=False)
    assert person.sign_in(name or role).status_code == 302
    return person
