"""People who may sign in: their passwords (argon2), roles, and the one table of what each role may do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from model.faults import SalurError
from service.clock import now
from service.security import audit_log
from service.storage.tables import ROLES, account

MIN_PASSWORD = 12
MAX_PASSWORD = 200
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,48}[a-z0-9])?")
_hasher = PasswordHasher()


class Permission(StrEnum):
    """What a page or an action asks for."""

    VIEW = "view"
    DECIDE = "decide"
    IMPORT = "import"
    EXPORT = "export"
    CONFIDENTIAL = "confidential"
    """See confidential complaints outside the queue: in searches, in exports, and in files that others import."""
    BREAKER = "breaker"
    MODEL = "model"
    LOG = "log"
    PEOPLE = "people"


PERMISSIONS: Mapping[str, frozenset[Permission]] = MappingProxyType(
    {
        "peninjau-saja": frozenset({Permission.VIEW}),
        "petugas": frozenset({Permission.VIEW, Permission.DECIDE, Permission.IMPORT, Permission.EXPORT}),
        "kepala": frozenset(set(Permission) - {Permission.PEOPLE, Permission.MODEL}),
        "pengelola": frozenset(Permission),
    }
)


class InvalidAccount(SalurError):
    """What was asked of an account cannot be done; the text says why, in Indonesian."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. What comes after `may` is what Flask-Login asks for."""

    id: int
    name: str
    full_name: str
    role: str
    active: bool
    epoch: int
    must_change_password: bool

    def may(self, permission: Permission) -> bool:
        """Tell whether the person's role covers something."""
        return permission in PERMISSIONS[self.role]

    @property
    def is_authenticated(self) -> bool:
        """An account was signed in to."""
        return True

    @property
    def is_active(self) -> bool:
        """Whether the account may be used."""
        return self.active

    @property
    def is_anonymous(self) -> bool:
        """An account is somebody."""
        return False

    def get_id(self) -> str:
        """Name this account in a session; a new epoch makes every earlier session void."""
        return f"{self.id}:{self.epoch}"


def get(connection: Connection, account_id: int) -> Account | None:
    """Find an account by its id."""
    row = connection.execute(select(account).where(account.c.id == account_id)).one_or_none()
    return _account(row) if row else None


def from_session(connection: Connection, token: str) -> Account | None:
    """Find the account that a session names, if the session is still good."""
    number, _, epoch = token.partition(":")
    if not (number.isdecimal() and epoch.isdecimal()):
        return None
    found = get(connection, int(number))
    return found if found and found.active and found.epoch == int(epoch) else None


def everyone(connection: Connection) -> Sequence[Account]:
    """All accounts, by name."""
    return [_account(row) for row in connection.execute(select(account).order_by(account.c.name))]


def authenticate(connection: Connection, name: str, password: str, *, lock: bool = False) -> Account | None:
    """Answer the account where name and password are right; it takes as long where they are not.

    With `lock` nobody else changes it before the transaction ends: else whoever knows the old password could overtake a reset.
    """
    named = select(account).where(account.c.name == name.strip().lower())
    row = connection.execute(named.with_for_update(key_share=True) if lock else named).one_or_none()
    if not _verify(row.password_hash if row else _UNKNOWN, password) or row is None or not row.active:
        return None
    return _account(row)


def add(
    connection: Connection,
    name: str,
    role: str,
    password: str,
    full_name: str = "",
    *,
    must_change: bool = True,
    by: int | None = None,
) -> int:
    """Create an account and answer its id. Raises InvalidAccount where something about it is wrong."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise InvalidAccount("Nama pengguna: 1 sampai 50 huruf kecil, angka, titik, garis bawah, atau tanda hubung.")
    _check_role(role)
    check_password(password, name)
    values = {
        "name": name,
        "full_name": full_name.strip()[:100] or name,
        "password_hash": _hasher.hash(password),
        "role": role,
        "active": True,
        "epoch": 0,
        "must_change_password": must_change,
        "created_at": now(),
    }
    try:
        with connection.begin_nested():
            number: int = connection.execute(insert(account).values(values).returning(account.c.id)).scalar_one()
    except IntegrityError as error:
        raise InvalidAccount(f"Nama pengguna “{name}” sudah dipakai.") from error
    audit_log.write(connection, "account-added", f"account:{number}", {"name": name, "role": role}, account_id=by)
    return number


def set_password(
    connection: Connection, person: Account, password: str, *, must_change: bool = False, by: int | None = None
) -> Account:
    """Change a password and end every session of the account; answers it as it is now. Raises InvalidAccount for a bad password."""
    check_password(password, person.name)
    values = {"password_hash": _hasher.hash(password), "must_change_password": must_change}
    return _change(connection, person, values, "password-changed", by)


def set_role(connection: Connection, person: Account, role: str, by: int | None = None) -> Account:
    """Give an account another role. Raises InvalidAccount for a role that is unknown, and for the last active pengelola."""
    _check_role(role)
    if role != "pengelola":
        _check_not_last(connection, person)
    return _change(connection, person, {"role": role}, "role-changed", by, {"role": role})


def set_active(connection: Connection, person: Account, active: bool, by: int | None = None) -> Account:
    """Open or close an account. Raises InvalidAccount for the last active pengelola."""
    if not active:
        _check_not_last(connection, person)
    return _change(connection, person, {"active": active}, "account-opened" if active else "account-closed", by)


def end_sessions(connection: Connection, person: Account) -> None:
    """End every session of somebody who signs out."""
    _change(connection, person, {}, "signed-out", person.id)


def check_password(password: str, name: str) -> None:
    """Raise InvalidAccount for a password that is too short, too long, or the name itself."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidAccount(f"Kata sandi: {MIN_PASSWORD} sampai {MAX_PASSWORD} karakter.")
    if name in password.lower() and len(password) < len(name) + 8:
        raise InvalidAccount("Kata sandi terlalu mirip dengan nama pengguna.")
    if len(set(password)) < 5:
        raise InvalidAccount("Kata sandi terlalu mudah ditebak: gunakan huruf yang lebih beragam.")


def random_password() -> str:
    """Make a password nobody has to remember for long: 99 bits, in groups that can be read aloud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def note_sign_in(connection: Connection, person: Account) -> None:
    """Remember when an account was last signed in to."""
    connection.execute(update(account).where(account.c.id == person.id).values(signed_in_at=now()))
    audit_log.write(connection, "signed-in", f"account:{person.id}", account_id=person.id)


def _verify(password_hash: str, password: str) -> bool:
    try:
        _hasher.verify(password_hash, password[: MAX_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return True


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidAccount(f"Peran {role!r} tidak dikenal: pilih {', '.join(ROLES)}.")


def _check_not_last(connection: Connection, person: Account) -> None:
    # Locked, so that of two who close each other at once the second one sees what the first one did.
    active = select(account.c.id).where(account.c.role == "pengelola", account.c.active).order_by(account.c.id).with_for_update()
    if list(connection.execute(active).scalars()) == [person.id]:
        raise InvalidAccount("Ini satu-satunya pengelola yang aktif: tunjuk pengelola lain terlebih dahulu.")


def _change(
    connection: Connection,
    person: Account,
    values: dict[str, Any],
    action: str,
    by: int | None,
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> Account:
    # Every session of theirs ends, one too that began since `person` was read.
    ended = {"epoch": account.c.epoch + 1}
    row = connection.execute(update(account).where(account.c.id == person.id).values(values | ended).returning(account)).one()
    audit_log.write(connection, action, f"account:{person.id}", detail, account_id=by)
    return _account(row)


def _account(row: Row[Any]) -> Account:
    return Account(row.id, row.name, row.full_name, row.role, row.active, row.epoch, row.must_change_password)


# A hash that no password fits, so that an unknown name costs as much time as a known one.
_UNKNOWN = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdXJzYWx1cnNhbHVy$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
