"""The command salur-service: what it does, and one line with exit code 2 for whatever can be put right."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from model.labelled import LabelledComplaint
from service.cli import main
from service.complaints.retention import Purged
from service.security import accounts, keys
from service.security.keys import KeyRing
from service.settings import table
from service.storage.database import Database
from service.storage.tables import REVISION, SCOPES


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command over its own folder, without sending the logs of this whole process elsewhere."""
    monkeypatch.setattr("service.telemetry.logs.configure", lambda _: None)
    environ = {
        "SALUR_DATABASE": f"sqlite:///{tmp_path / 'var' / 'salur.db'}",
        "SALUR_SECRET_FILE": str(tmp_path / "var" / "secret"),
        "SALUR_MODELS": str(tmp_path / "models"),
    }

    def run(*words: str, **more: str) -> Result:
        return CliRunner(env=environ | more).invoke(main, words)

    return run


USING_THE_TABLES = [
    words.split()
    for words in (
        *("run", "user list", "key add a --scope predict", "webhook list", "deliver --once"),
        *("export-labels", "purge", "replay-routing 1"),
    )
]
"""Commands that read or write what only the tables of this version are sure to hold."""


@pytest.fixture
def memory(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'var' / 'salur.db'}")


def test_setting_up_makes_what_is_missing_and_shows_the_password_once(call: Callable[..., Result], tmp_path: Path) -> None:
    first, again = call("setup"), call("setup")
    assert first.exit_code == again.exit_code == 0
    assert "name: admin" in first.output
    assert again.output == ""
    for name in ("secret", "salur.db"):
        assert (tmp_path / "var" / name).stat().st_mode & 0o077 == 0


def test_who_reads_no_further_is_told_nothing_and_a_full_disk_is_told_without_a_name() -> None:
    command = [sys.executable, "-c", "from service.cli import main; main()", "settings"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as unread, Path("/dev/full").open("wb") as full:
        left, lost = (subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False) for out in (unread, full))
    assert left.stderr == b""
    assert (lost.returncode, lost.stderr) == (2, b"salur-service: No space left on device\n")


def test_whose_secret_is_lost_is_told_which_addresses_know_another_key(call: Callable[..., Result], tmp_path: Path) -> None:
    """They would refuse every delivery, and a day and a half later each is given up."""
    call("setup")
    for address in ("https://satu.go.id/terima", "https://dua.go.id/terima"):
        call("webhook", "add", address)
    call("webhook", "remove", "1")
    (tmp_path / "var" / "secret").unlink()
    told = call("setup").output
    assert "https://dua.go.id/terima does not know the key that signs now." in told
    assert "`webhook remove 2`" in told
    assert "satu" not in told
    assert call("setup").output == ""


@pytest.mark.parametrize("name", ["SALUR_MODELS", "SALUR_SECRET_FILE", "SALUR_UPLOADS"])
def test_with_an_empty_path_nothing_is_set_up_and_nothing_is_deleted(
    call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    call("setup")
    old = tmp_path / ("0" * 32 + ".csv")
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    for command in ("setup", "purge"):
        refused = call(command, **{name: ""})
        assert (refused.exit_code, refused.output) == (2, f"salur-service: {name}='': must be a path\n")
    assert old.exists()


def test_the_first_account_opens_with_what_was_shown(call: Callable[..., Result], memory: Database) -> None:
    password = call("setup", "--admin", "ibu-ani").output.split("password: ")[1].split()[0]
    with memory.read() as connection:
        person = accounts.authenticate(connection, "ibu-ani", password)
    assert person is not None
    assert (person.role, person.must_change_password) == ("pengelola", True)
    memory.dispose()


def test_people_are_added_listed_and_given_a_new_password(call: Callable[..., Result], memory: Database) -> None:
    call("setup")
    assert call("user", "add", "siti", "--role", "kepala", "--full-name", "Siti A.").exit_code == 0
    assert "siti\tkepala\tactive\tSiti A." in call("user", "list").output
    password = call("user", "reset", "siti").output.split("password: ")[1].split()[0]
    with memory.read() as connection:
        assert accounts.authenticate(connection, "siti", password) is not None
    memory.dispose()


def test_keys_are_added_shown_once_and_revoked(
    call: Callable[..., Result], memory: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "REMEMBER_SECONDS", 0)
    call("setup")
    secret = next(word for word in call("key", "add", "Kanal WA", "--scope", "predict").output.split() if word.startswith("salur_"))
    ring = KeyRing(memory)
    assert ring.find(secret) is not None
    assert secret not in call("key", "list").output
    assert call("key", "revoke", "1").exit_code == 0
    assert ring.find(secret) is None
    memory.dispose()


def test_a_new_key_says_whose_complaints_it_sees(call: Callable[..., Result]) -> None:
    call("setup")
    assert "Key 1 (intake, feed; source kanal-wa)," in call("key", "add", "Kanal WA", "--scope", "intake", "--scope", "feed").output
    assert "Key 2 (outcome; source kanal-wa)," in call("key", "add", "X", "--scope", "outcome", "--source", "kanal-wa").output
    assert "Key 3 (predict; source predict)," in call("key", "add", "--scope", "predict").output


def test_the_readme_names_every_scope_and_says_that_keys_of_one_system_share_a_source() -> None:
    told = Path("README.md").read_text(encoding="utf-8").partition("A key has scopes")[2].partition("\n\n")[0]
    assert [scope for scope in SCOPES if f"`{scope}`" not in told] == []
    assert "`--source`" in told


def test_webhooks_are_added_listed_and_removed(call: Callable[..., Result]) -> None:
    call("setup")
    assert "shown only now" in call("webhook", "add", "https://contoh.go.id/terima").output
    assert "https://contoh.go.id/terima\tall\tat 0\t0 waiting\t0 given up\tnothing taken yet\n" in call("webhook", "list").output
    assert call("webhook", "remove", "1").exit_code == 0
    assert call("webhook", "list").output == ""
    assert call("deliver", "--once").exit_code == 0


@pytest.mark.parametrize("source", ["A B", "Kanal", "-wa", " ", "a" * 51])
def test_a_webhook_for_a_source_that_no_key_can_have_is_refused(call: Callable[..., Result], source: str) -> None:
    call("setup")
    refused = call("webhook", "add", "https://contoh.go.id/terima", "--source", source)
    assert (refused.exit_code, refused.output) == (2, "salur-service: source: 1 to 50 lower-case letters, digits and hyphens\n")
    assert call("webhook", "list").output == ""
    assert call("webhook", "add", "https://contoh.go.id/terima", "--source", "kanal-wa").exit_code == 0


def test_tables_are_migrated_up_and_down(call: Callable[..., Result]) -> None:
    assert "none -> " in call("migrate").output
    assert call("migrate").exit_code == 0
    assert f"tables: {REVISION} -> " in call("migrate", "--to", "-1", "--down").output
    assert call("migrate", "--to", "+1").output.endswith(f"-> {REVISION}\n")
    assert call("migrate", "--down", "--to", "base").output.endswith("-> none\n")


@pytest.mark.parametrize("tables", [True, False])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "nope"), "no revision 'nope'"),
        (("--to", ""), "no revision ''"),
        (("--to", "nope", "--down"), "no revision 'nope'"),
        (("--to", "+9"), "no revision '+9'"),
        (("--to", "-9", "--down"), "no revision '-9'"),
        (("--to", "base"), "needs --down"),
        (("--down",), "--down needs --to"),
    ],
)
def test_a_revision_that_cannot_be_gone_to_is_refused_in_one_line(
    call: Callable[..., Result], memory: Database, tables: bool, words: tuple[str, ...], says: str
) -> None:
    if tables:
        memory.migrate()
    before = memory.revision()
    _refused_in_one_line(call("migrate", *words), says)
    assert memory.revision() == before
    memory.dispose()


def test_a_way_down_is_not_gone_up_nor_a_way_up_down(call: Callable[..., Result]) -> None:
    call("migrate", "--to", "+1")
    _refused_in_one_line(call("migrate", "--to", "head", "--down"), "later than")
    call("migrate")
    _refused_in_one_line(call("migrate", "--to", "-1"), "needs --down")
    _refused_in_one_line(call("migrate", "--to", "0001"), "needs --down")


def test_the_tables_of_a_newer_version_are_left_alone_and_not_served(call: Callable[..., Result], memory: Database) -> None:
    call("setup")
    with memory.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for words in (("migrate",), ("migrate", "--to", "base", "--down"), ("setup",), *USING_THE_TABLES):
        _refused_in_one_line(call(*words), "newer version (9999")
    memory.dispose()


def test_labels_and_purge_work_on_an_empty_memory(call: Callable[..., Result], tmp_path: Path) -> None:
    call("setup")
    assert "0 labelled complaints" in call("export-labels", "--out", str(tmp_path / "labels.jsonl")).output
    assert (tmp_path / "labels.jsonl").read_bytes() == b""
    assert "emptied 0 complaints" in call("purge", "--days", "30").output


def test_what_a_purge_says_last_begins_a_line_though_it_emptied_fewer_than_it_had_counted(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def purge(*_: object, progress: Callable[[int, int], None], **__: object) -> Purged:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        for emptied in (2, 4):
            progress(emptied, 6)
        return Purged(4, 1)

    call("setup")
    monkeypatch.setattr("service.complaints.retention.purge", purge)
    assert call("purge").stderr == "\remptied 2 of 6\remptied 4 of 6\n1 more are as old but still wait for a person\n"


def test_labels_go_to_standard_output_where_a_dash_asks_for_it(
    call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("setup")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("service.complaints.labels.labelled", lambda *_: iter([LabelledComplaint("lampu mati", "dishub")]))
    told = call("export-labels", "--out", "-")
    assert json.loads(told.stdout) == {"text": "lampu mati", "agency": "dishub", "expect": "route"}
    assert not (tmp_path / "-").exists()


def test_every_setting_is_listed(call: Callable[..., Result]) -> None:
    listed = call("settings").output
    readme = Path("README.md").read_text(encoding="utf-8")
    for name, default, about in table():
        assert f"{name}={default}\n    {about}\n" in listed
        assert f"| `{name}` | {f'`{default}`' if default else ''} | {about} |".replace("|  |", "| |") in readme


@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (("user", "add", "Nama Panjang"), {}, "Nama pengguna"),
        (("user", "reset", "hantu"), {}, "no account"),
        (("key", "revoke", "7"), {}, "no active key 7"),
        (("key", "add", "x", "--scope", "predict", "--limit", "often"), {}, "rate limit"),
        (("key", "add", "x", "--scope", "root"), {}, "root"),
        (("webhook", "add", "http://10.0.0.1/"), {}, "plain http"),
        (("webhook", "add", "https://10.0.0.1/"), {}, "where it may, name it in SALUR_WEBHOOK_HOSTS"),
        (("webhook", "remove", "7"), {}, "no webhook 7"),
        (("key", "revoke", "9" * 20), {}, "key revoke: Invalid value for 'NUMBER'"),
        (("webhook", "remove", "2147483648"), {}, "webhook remove: Invalid value for 'NUMBER'"),
        (("replay-routing", "17"), {}, "complaint 17"),
        (("replay-routing", "x"), {}, "no complaint 'x'"),
        (("export-labels", "-o", "tidak/ada/labels.jsonl"), {}, "No such file"),
        (("run",), {"SALUR_WORKERS": "many"}, "SALUR_WORKERS"),
        (("run",), {"SALUR_SECRET_FILE": "tidak/ada"}, "SALUR_SECRET_FILE"),
        (("run",), {"SALUR_BIND": "127.0.0.1:web"}, "SALUR_BIND"),
        (("run",), {"SALUR_HOLIDAYS_FILE": "tidak/ada.csv"}, "SALUR_HOLIDAYS_FILE: tidak/ada.csv: cannot be read"),
        (("user", "list"), {"SALUR_DATABASE": "postgresql://127.0.0.1:9/x"}, "database cannot be used"),
        (("purge", "--days", "0"), {}, "days"),
        (("copy-from", "mysql://10.0.0.1/x"), {}, "salur-service: URL: must be a URL of SQLite or PostgreSQL"),
        (("copy-from", "sqlite:///tidak/ada.db"), {}, "tidak/ada.db: there is no such file"),
        (("deliver", "--once", "--every", "nan"), {}, "deliver: Invalid value for '--every': 'nan' is no number"),
        (("key", "revoke"), {}, "key revoke: Missing argument 'NUMBER'; --help tells more"),
        (("key", "add", "n"), {}, "Missing option '--scope'"),
        (("serve",), {}, "No such command 'serve'"),
        (("--loud",), {}, "No such option '--loud'"),
        (("purge", "--days", "9999999"), {}, "days"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    call: Callable[..., Result], words: tuple[str, ...], environ: dict[str, str], says: str
) -> None:
    call("setup")
    refused = call(*words, **environ)
    assert refused.exit_code == 2
    assert says in refused.output
    assert refused.output.count("\n") == 1


def _refused_in_one_line(refused: Result, says: str) -> None:
    assert refused.exit_code == 2
    assert says in refused.output
    assert refused.output.startswith("salur-service: ")
    assert refused.output.count("\n") == 1


def test_every_file_that_cannot_be_served_with_is_told_before_the_server_begins(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    call("setup")
    holidays = tmp_path / "libur.csv"
    holidays.write_text("date,name,kind\n2026-13-01,x,libur\n2026-12-01,x,cuti\n")
    refused = call("run", SALUR_HOLIDAYS_FILE=str(holidays), SALUR_SECRET_FILE=str(tmp_path / "none"))
    assert refused.exit_code == 2
    secret, first, second = refused.output.splitlines()
    assert "SALUR_SECRET_FILE" in secret
    assert f"SALUR_HOLIDAYS_FILE: {holidays}:2: date" in first
    assert f"SALUR_HOLIDAYS_FILE: {holidays}:3: kind" in second


def test_a_copy_as_the_readme_makes_it_holds_what_came_last_and_is_none_of_nothing(
    call: Callable[..., Result], memory: Database, tmp_path: Path
) -> None:
    """From a wrong folder, by cron, it would be an empty one every night, and nobody told."""
    call("setup")
    readme = Path("README.md").read_text(encoding="utf-8")
    (copying,) = re.findall(r'`\.venv/bin/python -c "(.+)"`', readme)
    with memory.write() as connection:
        keys.add(connection, "terakhir", ["predict"])
    made = subprocess.run([sys.executable, "-c", copying], cwd=tmp_path, check=False)
    copy = Database(f"sqlite:///{tmp_path / 'COPY'}")
    with copy.read() as connection:
        assert connection.execute(text("SELECT name FROM api_key")).scalars().all() == ["terakhir"]
    copy.dispose()
    memory.dispose()
    (tmp_path / "lain" / "var").mkdir(parents=True)
    refused = subprocess.run([sys.executable, "-c", copying], cwd=tmp_path / "lain", stderr=subprocess.PIPE, check=False)
    assert (made.returncode, refused.returncode) == (0, 1)
    assert [path.name for path in (tmp_path / "lain").rglob("*")] == ["var"]


@pytest.mark.parametrize("revision", [None, "0003"])
def test_a_database_that_is_empty_or_not_migrated_is_neither_served_nor_worked_in(
    call: Callable[..., Result], tmp_path: Path, revision: str | None
) -> None:
    if revision:
        call("migrate", "--to", revision)
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var" / "secret").write_text("x" * 40)
    for words in USING_THE_TABLES:
        _refused_in_one_line(call(*words), "salur-service migrate")


def test_what_keeps_a_database_from_being_used_is_named(call: Callable[..., Result], tmp_path: Path) -> None:
    """A full disk, a wrong name and a server that is gone want different remedies."""
    call("setup")
    away = call("migrate", SALUR_DATABASE="postgresql://salur:rahasia@127.0.0.1:1/salur")
    assert away.exit_code == 2
    assert "port 1 failed: Connection refused" in away.output
    assert "rahasia" not in away.output
    (tmp_path / "var" / "salur.db").write_bytes(b"no database" * 100)
    assert "(SQLITE_NOTADB)" in call("key", "list").output


def test_where_somebody_else_works_in_the_database_one_is_told_to_wait_and_of_no_full_disk(
    call: Callable[..., Result], memory: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("setup")
    monkeypatch.setattr("service.storage.database.BUSY_SECONDS", 0.1)
    with memory.write():
        held = call("migrate")
    assert held.exit_code == 2
    assert "(SQLITE_BUSY); somebody else works in it" in held.output
    assert "disk" not in held.output
    memory.dispose()


def test_whose_database_belongs_to_somebody_else_is_asked_that_and_not_about_a_full_disk(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that root called leaves salur.db-wal behind where it was killed; the service may then read and not write."""
    call("setup")

    def read_only(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")

    monkeypatch.setattr("service.storage.database._prepare_sqlite", read_only)
    refused = call("key", "add", "kunci", "--scope", "feed")
    assert "(SQLITE_READONLY); does it belong to somebody else" in refused.output
    assert "disk" not in refused.output


def test_a_migration_behind_a_dump_of_postgresql_is_told_to_wait(
    call: Callable[..., Result], postgres_schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Database(postgres_schema)
    made.downgrade("base")  # the schema is shared: another test may have migrated it
    made.migrate("0003")
    monkeypatch.setattr("service.storage.database.BUSY_SECONDS", 1)
    with made.read() as connection:
        connection.execute(text("SELECT * FROM suspect"))
        held = call("migrate", SALUR_DATABASE=postgres_schema)
    made.migrate()
    made.dispose()
    assert "(LockNotAvailable); somebody else works in it" in held.output


def test_the_command_does_not_read_what_is_not_its_own() -> None:
    assert not [name for name in os.environ if name.startswith("SALUR_")]


def test_the_first_setup_says_whose_region_the_pages_name(call: Callable[..., Result]) -> None:
    assert "Pages name Kabupaten Kutai Timur, with times of Asia/Makassar" in call("setup").output
    assert "Pages name" not in call("setup").output


def test_a_setup_that_was_told_the_region_does_not_ask_for_it(call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALUR_REGION", "Kota Jayapura")
    monkeypatch.setenv("SALUR_TIME_ZONE", "Asia/Jayapura")
    assert "Pages name" not in call("setup").output


def test_a_setup_that_was_cut_off_can_be_repeated(
    call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a full disk at the secret's first byte, then by a terminal that closes before the password is read."""

    def full(_: int) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("service.cli.secrets.token_hex", full)
        assert call("setup").exit_code == 2
    with monkeypatch.context() as patched:
        patched.setattr("service.cli.show_once", lambda *_: full(0))
        assert call("setup").exit_code == 2
    assert "password: " in call("setup").output
    assert len((tmp_path / "var" / "secret").read_text().strip()) == 64
    assert [path.name for path in (tmp_path / "var").iterdir() if "secret" in path.name] == ["secret"]


def test_what_could_not_be_shown_is_not_made(
    call: Callable[..., Result], memory: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("setup")
    password = call("user", "add", "siti").output.split("password: ")[1].split()[0]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("service.cli.show_once", full)
        for words in (
            ("user", "add", "budi"),
            ("user", "reset", "siti"),
            ("key", "add", "Kanal WA", "--scope", "predict"),
            ("webhook", "add", "https://contoh.go.id/terima"),
        ):
            assert call(*words).exit_code == 2
    assert "budi" not in call("user", "list").output
    assert call("key", "list").output == call("webhook", "list").output == ""
    with memory.read() as connection:
        assert accounts.authenticate(connection, "siti", password) is not None
    memory.dispose()
