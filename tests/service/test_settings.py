"""Settings: read once, every fault told at once, no secret by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import InvalidSettings, Settings, names, table, variable


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({"PATH": "/bin"})
    assert settings.database == "sqlite:///var/salur.db"
    assert (settings.days_to_verify, settings.days_to_follow_up, settings.days_to_finish) == (3, 5, 14)
    assert settings.audit_share == 0.05


def test_every_wrong_variable_is_told_in_one_error() -> None:
    wrong = {
        "SALUR_BIND": "127.0.0.1",
        "SALUR_WORKERS": "none",
        "SALUR_THREADS": "-1",
        "SALUR_AUDIT_SHARE": "5",
        "SALUR_DATABASE": "mysql://siapa:sandi@host/x",
        "SALUR_TIME_ZONE": "Mars/Olympus",
        "SALUR_SECURE_COOKIES": "maybe",
        "SALUR_KEY_LIMIT": "often",
        "SALUR_LOG_LEVEL": "loud",
        "SALUR_DATABSE": "typo",
    }
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_environment(wrong)
    lines = str(refused.value).splitlines()
    assert sorted(line.split("=")[0].split(":")[0] for line in lines) == sorted(wrong)
    assert "sandi" not in str(refused.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "no url"])
def test_a_database_that_forgets_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="SALUR_DATABASE"):
        Settings.from_environment({"SALUR_DATABASE": url})


@pytest.mark.parametrize("url", ["sqlite://var/salur.db", "sqlite+aiosqlite:///var/salur.db", "postgresql://ani:x@host:rahasia/x"])
def test_a_database_that_nobody_could_open_is_refused_without_a_word_of_its_url(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^SALUR_DATABASE: must be (?!invalid)") as refused:
        Settings.from_environment({"SALUR_DATABASE": url})
    assert "rahasia" not in str(refused.value)


def test_blanks_and_line_ends_around_a_value_are_nobodys_meaning() -> None:
    """They come from a file with line ends of Windows, or from `echo` in a secret's place."""
    of = {row[0]: row[1] for row in table()} | {"SALUR_HOLIDAYS_FILE": "var/libur.csv", "SALUR_WEBHOOK_HOSTS": "intake.local"}
    assert Settings.from_environment({name: f" {value}\r\n" for name, value in of.items()}) == Settings.from_environment(of)
    assert Settings.from_environment({"SALUR_HOLIDAYS_FILE": " "}).holidays_file is None


@pytest.mark.parametrize("name", ["SALUR_DATABASE", "SALUR_MODELS", "SALUR_REGION", "SALUR_HOLIDAYS_FILE"])
@pytest.mark.parametrize("value", ["'{}'", '"{}"', "{}\nSALUR_WORKERS=1"])
def test_a_value_with_quotation_marks_around_it_or_of_two_lines_is_refused(name: str, value: str) -> None:
    good = "sqlite:///x.db" if name == "SALUR_DATABASE" else "x"
    with pytest.raises(InvalidSettings, match=rf"^{name}.*: must be one line without quotation marks around it$"):
        Settings.from_environment({name: value.format(good)})


@pytest.mark.parametrize("hosts", ["intake.local", "INTAKE.local, 10.0.0.5,", "::1", "a_b"])
def test_hosts_are_taken_as_names_and_addresses(hosts: str) -> None:
    wanted = {host.strip().lower() for host in hosts.split(",")} - {""}
    assert set(Settings.from_environment({"SALUR_WEBHOOK_HOSTS": hosts}).webhook_hosts) == wanted


@pytest.mark.parametrize(
    "hosts", ["https://intake.local/kabar", "intake.local:8080", "intake.local/kabar", "[::1]", "*.local", "a b"]
)
def test_what_is_no_host_is_refused(hosts: str) -> None:
    """Such an entry would allow nothing, and whoever wrote it would not know why the webhook is refused."""
    with pytest.raises(InvalidSettings, match=r"^SALUR_WEBHOOK_HOSTS=.*: must be names or addresses of hosts"):
        Settings.from_environment({"SALUR_WEBHOOK_HOSTS": f"good.local,{hosts}"})


def test_a_region_has_a_name() -> None:
    with pytest.raises(InvalidSettings, match="SALUR_REGION"):
        Settings.from_environment({"SALUR_REGION": " "})


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8000", "0.0.0.0:1", "[::1]:65535", "[::]:8000", "localhost:8000", "salur-1.local:80"]
)
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert Settings.from_environment({"SALUR_BIND": address}).bind == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":8000",
        "8000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:web",
        "999.0.0.1:80",
        "1.2.3:80",
        "::1:8000",
        "[::1]",
        "[::1:8000",
        "[127.0.0.1]:80",
        "[zz]:80",
        "unix:/run/salur.sock",
        "a:1,b:2",
    ],
)
def test_an_address_nobody_can_listen_on_is_refused(address: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^SALUR_BIND=.*: must be an address and a port"):
        Settings.from_environment({"SALUR_BIND": address})


@pytest.mark.parametrize("name", ["models", "secret_file", "uploads"])
@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_is_not_the_working_directory(name: str, path: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{variable(name)}='{path}': must be a path$"):
        Settings.from_environment({variable(name): path})


def test_there_is_no_secret_by_default(tmp_path: Path) -> None:
    settings = Settings.from_environment({"SALUR_SECRET_FILE": str(tmp_path / "secret")})
    with pytest.raises(InvalidSettings, match="is not there; `salur-service setup` makes one"):
        settings.read_secret()
    (tmp_path / "secret").mkdir()
    with pytest.raises(InvalidSettings, match="cannot be read: Is a directory") as refused:  # as one that somebody else owns
        settings.read_secret()
    assert "setup" not in str(refused.value)
    (tmp_path / "secret").rmdir()
    (tmp_path / "secret").write_text("short")
    with pytest.raises(InvalidSettings, match="fewer than 32"):
        settings.read_secret()
    (tmp_path / "secret").write_text("x" * 32 + "\n")
    assert settings.read_secret() == "x" * 32


def test_every_setting_says_what_it_is_for() -> None:
    assert [row[0] for row in table()] == [variable(name) for name in names()]
    assert all(help_text for _, _, help_text in table())
