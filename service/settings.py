"""What the service can be told from outside: SALUR_* variables, each with its default and one line of help."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from model.faults import SalurError
from service import rates

PREFIX = "SALUR_"
MIN_SECRET = 32
"""Characters of the secret that signs sessions and webhooks; fewer are refused."""
MAX_KEEP_DAYS = 36_500
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_ADDRESS = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


class InvalidSettings(SalurError):
    """One or more SALUR_ variables are wrong. The text has one line for each."""


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low:,} to {high:,}")
        return int(text)

    return read


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    try:
        if found is None or not 1 <= int(found["port"]) <= 65_535:
            raise ValueError
        if found["ipv6"]:
            IPv6Address(found["ipv6"])
        elif found["host"].replace(".", "").isdigit():
            IPv4Address(found["host"])
    except ValueError as error:
        raise ValueError("an address and a port from 1 to 65,535, such as 127.0.0.1:8000 or [::1]:8000") from error
    return text


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1, such as 0.05")
    return value


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("yes or no")
    return text.lower() == "yes"


def _database(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # its text quotes a port that is no number, and that may be a password
        raise ValueError("a database URL, such as sqlite:///var/salur.db or postgresql://user@host/name") from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError("a URL of SQLite or PostgreSQL")
    if url.drivername.startswith("sqlite") and (url.host or url.drivername not in ("sqlite", "sqlite+pysqlite")):
        raise ValueError("a SQLite file, with three slashes before a path: sqlite:///var/salur.db or sqlite:////srv/salur.db")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("a SQLite file: a database in memory loses every complaint")
    return text


def _time_zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("a time zone, such as Asia/Makassar") from error


def _path(text: str) -> Path:
    if not text:  # else it is the folder of whoever starts the service
        raise ValueError("a path")
    return Path(text)


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


def _text(text: str) -> str:
    if not text:
        raise ValueError("a name")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(_HOST.fullmatch(host) or _is_ipv6(host) for host in hosts):
        raise ValueError("names or addresses of hosts, such as intake.local or 10.0.0.5, without https://, port or path")
    return hosts


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("one of debug, info, warning, error")
    return text.lower()


def _limit(text: str) -> str:
    rates.parse(text)
    return text


def _bare(text: str) -> str:
    """Take the blanks and line ends off a value: nobody means them, and a database with one is another database."""
    text = text.strip()
    if any(end in text for end in "\r\n") or (text[:1] in ("'", '"') and text.endswith(text[0])):
        raise ValueError("one line without quotation marks around it")
    return text


def _about(default: str, read: Callable[[str], Any], text: str) -> Mapping[str, Any]:
    return {"default": default, "read": read, "help": text}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, read and checked once. Build it with `Settings.from_environment`."""

    database: str = field(
        metadata=_about("sqlite:///var/salur.db", _database, "where complaints are stored: a SQLite file or a PostgreSQL URL")
    )
    models: Path = field(
        metadata=_about("var/models", _path, "the registry: folder of model versions with the pointer to the current one")
    )
    secret_file: Path = field(
        metadata=_about(
            "var/secret", _path, "file with the secret that signs sessions and webhooks; `salur-service setup` makes one"
        )
    )
    uploads: Path = field(
        metadata=_about(
            "var/uploads",
            _path,
            "folder of uploaded exports: nobody else may read it, and files leave it after a day at the latest",
        )
    )
    bind: str = field(metadata=_about("127.0.0.1:8000", _address, "address and port to listen on"))
    workers: int = field(metadata=_about("2", _whole(1, 64), "server processes"))
    threads: int = field(metadata=_about("8", _whole(1, 64), "threads of each process"))
    pin_workers: bool = field(
        metadata=_about(
            "yes", _yes_no, "keep each server process on one processor core; no where several servers share a host's cores"
        )
    )
    trusted_proxies: int = field(
        metadata=_about("0", _whole(0, 5), "reverse proxies in front whose X-Forwarded-* headers are believed")
    )
    secure_cookies: bool = field(
        metadata=_about("yes", _yes_no, "send the session cookie over HTTPS only (browsers make an exception for localhost)")
    )
    region: str = field(metadata=_about("Kabupaten Kutai Timur", _text, "name of the region as pages show it"))
    time_zone: ZoneInfo = field(metadata=_about("Asia/Makassar", _time_zone, "time zone of deadlines and pages"))
    holidays_file: Path | None = field(
        metadata=_about("", _optional_path, "CSV of local exceptions to the national holidays: date,name,kind (libur or kerja)")
    )
    days_to_verify: int = field(metadata=_about("3", _whole(1, 365), "working days to verify a complaint"))
    days_to_follow_up: int = field(metadata=_about("5", _whole(1, 365), "working days to a first follow-up"))
    days_to_finish: int = field(metadata=_about("14", _whole(1, 365), "working days to finish a complaint"))
    days_to_finish_oversight: int = field(
        metadata=_about("60", _whole(1, 365), "working days to finish a complaint about an official's wrongdoing")
    )
    audit_share: float = field(metadata=_about("0.05", _share, "share of automatic routings that a person decides blind"))
    similar_days: int = field(metadata=_about("30", _whole(0, 3650), "days within which like complaints are linked; 0 links none"))
    claim_minutes: int = field(
        metadata=_about("10", _whole(1, 1440), "minutes for which an opened complaint is kept for one person")
    )
    session_hours: int = field(metadata=_about("12", _whole(1, 168), "hours until a person must sign in again"))
    sign_in_limit: str = field(
        metadata=_about("10 per minute", _limit, "attempts to sign in from one address, for each server process")
    )
    key_limit: str = field(
        metadata=_about(
            "200 per second", _limit, "calls of one API key, where the key has no limit of its own, for each server process"
        )
    )
    keep_days: int = field(
        metadata=_about("730", _whole(1, MAX_KEEP_DAYS), "days until `salur-service purge` deletes what a complaint says")
    )
    webhook_hosts: tuple[str, ...] = field(
        metadata=_about("", _hosts, "hosts, comma-separated, to which webhooks may go over plain http or on a private address")
    )
    log_level: str = field(metadata=_about("info", _level, "least severe log line written: debug, info, warning or error"))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the SALUR_* variables of an environment.

        Raises InvalidSettings naming every wrong value and every unknown variable, so that a typo is not a default.
        """
        known = {variable(name): name for name in names()}
        values: dict[str, Any] = {name: about["read"](about["default"]) for name, about in _abouts().items()}
        wrong = []
        for key in sorted(key for key in environ if key.startswith(PREFIX)):
            if key not in known:
                wrong.append(f"{key}: no such setting")
                continue
            try:
                values[known[key]] = _abouts()[known[key]]["read"](_bare(environ[key]))
            except ValueError as error:
                given = "" if known[key] == "database" else f"={environ[key]!r}"  # a URL can hold a password
                wrong.append(f"{key}{given}: must be {error}")
        if wrong:
            raise InvalidSettings("\n".join(wrong))
        return cls(**values)

    def read_secret(self) -> str:
        """Read the secret. Raises InvalidSettings where there is none, or one too short to protect anything."""
        try:
            secret = self.secret_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise InvalidSettings(
                f"SALUR_SECRET_FILE={str(self.secret_file)!r}: is not there; `salur-service setup` makes one"
            ) from error
        except (OSError, UnicodeDecodeError) as error:  # a new one would cut off every webhook
            why = getattr(error, "strerror", None) or "no text"
            raise InvalidSettings(f"SALUR_SECRET_FILE={str(self.secret_file)!r}: cannot be read: {why}") from error
        if len(secret) < MIN_SECRET:
            raise InvalidSettings(f"SALUR_SECRET_FILE={str(self.secret_file)!r}: holds fewer than {MIN_SECRET} characters")
        return secret


def names() -> tuple[str, ...]:
    """Names of the settings, in the order in which they are documented."""
    return tuple(setting.name for setting in fields(Settings))


def variable(name: str) -> str:
    """Name of the variable that sets a setting."""
    return PREFIX + name.upper()


def table() -> tuple[tuple[str, str, str], ...]:
    """Answer (variable, default, help) of every setting: what the README and `salur-service settings` show."""
    return tuple((variable(name), about["default"], about["help"]) for name, about in _abouts().items())


def _abouts() -> Mapping[str, Mapping[str, Any]]:
    return {setting.name: setting.metadata for setting in fields(Settings)}
