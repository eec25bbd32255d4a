"""The command `salur-service`: set up, serve, people and keys, labels out, old content away, past answers again."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.engine import make_url

from model import labelled
from model.faults import InvalidData
from model.labelled import LabelledComplaint
from model.router import Router
from service.clock import load_calendar, now
from service.complaints import labels, replay, retention
from service.imports import import_jobs
from service.outbound import webhooks
from service.security import accounts, keys
from service.settings import MAX_KEEP_DAYS, InvalidSettings, Settings
from service.settings import table as settings_table
from service.storage import copying
from service.storage.database import Database
from service.storage.tables import MAX_ID, ROLES, SCOPES, api_key, complaint
from service.telemetry import logs
from service.terminal import Group, Refused, progress, show_once
from service.web.bodies import row_number

_NUMBER = click.IntRange(1, MAX_ID)
"""A row's number: a larger one is nobody's, and the database could not even be asked for it."""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="salur")
def main() -> None:
    """Serve Salur, and look after what it keeps. Settings are SALUR_ variables: see `salur-service settings`."""


@main.command("settings")
def show_settings() -> None:
    """List the settings with their defaults."""
    for variable, default, text in settings_table():
        click.echo(f"{variable}={default}\n    {text}")


@main.command()
@click.option("--admin", default="admin", show_default=True, help="name of the first account")
def setup(admin: str) -> None:
    """Make the secret, the tables and the first account, each where it is missing."""
    settings = _settings()
    new = _make_secret(settings.secret_file)
    with _database(settings, any_tables=True) as database:
        database.migrate()
        with database.write() as connection:
            for row in webhooks.listed(connection) if new else ():
                remedy = f"`salur-service webhook add` shows a new one, then `webhook remove {row.id}`"
                click.echo(f"The secret is new: {row.url} does not know the key that signs now. {remedy}.", err=True)
            if accounts.everyone(connection):
                return
            password = accounts.random_password()
            accounts.add(connection, admin, "pengelola", password, must_change=True)
            show_once("The first account", f"name: {admin}\npassword: {password}", "It must be changed at the first sign-in.")
    if not {"SALUR_REGION", "SALUR_TIME_ZONE"} <= os.environ.keys():
        here = f"Pages name {settings.region}, with times of {settings.time_zone}"
        click.echo(f"{here}: SALUR_REGION and SALUR_TIME_ZONE tell of another region.", err=True)


@main.command()
def run() -> None:
    """Serve under gunicorn until told to stop."""
    settings = _settings()
    _check_files(settings)
    with _database(settings):  # it must be there, with the tables of this version
        pass
    # Each thread would get heaps of its own, and what one gives back the others cannot use: memory that only grows.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    command = [sys.executable, "-m", "gunicorn", "--config", f"file:{resources.files('service.serving') / 'gunicorn_conf.py'}"]
    os.execv(sys.executable, command)  # noqa: S606 -- our own interpreter: it becomes the server, and gets its signals


@main.command()
@click.option("--to", "revision", help="revision to go to, `base` being none, or steps such as -1  [default: this version's]")
@click.option(
    "--down", is_flag=True, help="go back to an earlier revision, named by --to: what only the later one can hold is lost"
)
def migrate(revision: str | None, down: bool) -> None:
    """Bring the tables up to this version."""
    if revision is None:
        if down:
            raise Refused("--down needs --to: the revision to go back to, such as -1, or base to remove all tables")
        revision = "head"
    with _database(_settings(), any_tables=True) as database:
        before = database.revision()
        if down:
            database.downgrade(revision)
        else:
            database.migrate(revision)
        click.echo(f"tables: {before or 'none'} -> {database.revision() or 'none'}")


@main.command("copy-from")
@click.argument("url")
def copy_from(url: str) -> None:
    """Copy the database at URL into the one of the settings, which must be empty; the server must stand still."""
    settings = _settings()
    try:
        given = Settings.from_environment({**os.environ, "SALUR_DATABASE": url})
    except InvalidSettings as error:  # all else was read above
        raise Refused(str(error).replace("SALUR_DATABASE", "URL")) from error
    where = make_url(given.database)
    if where.get_backend_name() == "sqlite" and not Path(str(where.database)).is_file():  # to open it would make it
        raise Refused(f"{where.database}: there is no such file")
    with _database(given, any_tables=True) as source, _database(settings, any_tables=True) as target:
        with progress("copied") as tell:
            copied = copying.copy(source, target, tell)
        click.echo(f"copied {copied:,} rows")


@main.group()
def user() -> None:
    """People who may sign in."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="petugas", show_default=True)
@click.option("--full-name", default="", help="as pages show it")
def add_user(name: str, role: str, full_name: str) -> None:
    """Add a person, with a password that is shown once."""
    password = accounts.random_password()
    with _database(_settings()) as database, database.write() as connection:
        accounts.add(connection, name, role, password, full_name)
        show_once("The account", f"name: {name}\npassword: {password}", "It must be changed at the first sign-in.")


@user.command("list")
def list_users() -> None:
    """List the accounts."""
    with _database(_settings()) as database, database.read() as connection:
        for person in accounts.everyone(connection):
            click.echo(f"{person.name}\t{person.role}\t{'active' if person.active else 'closed'}\t{person.full_name}")


@user.command("reset")
@click.argument("name")
def reset_user(name: str) -> None:
    """Give a person a new password, shown once, open the account and end all its sessions."""
    password = accounts.random_password()
    with _database(_settings()) as database, database.write() as connection:
        person = next((one for one in accounts.everyone(connection) if one.name == name.strip().lower()), None)
        if person is None:
            raise Refused(f"there is no account {name!r}")
        person = accounts.set_active(connection, person, active=True)
        accounts.set_password(connection, person, password, must_change=True)
        show_once("The account", f"name: {name}\npassword: {password}", "It must be changed at the first sign-in.")


@main.group()
def key() -> None:
    """Keys of other systems for the API."""


@key.command("add")
@click.argument("name", default="")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, required=True, help="may be given several times")
@click.option("--source", default="", help="name under which its complaints are kept; made of NAME where left out")
@click.option("--limit", default="", help="such as '100 per minute'; SALUR_KEY_LIMIT where left out")
def add_key(name: str, scopes: tuple[str, ...], source: str, limit: str) -> None:
    """Add a key, shown once. NAME says who uses it; without one it is called by its scopes, and so is its source."""
    name = name or "-".join(scopes)
    with _database(_settings()) as database, database.write() as connection:
        number, secret = keys.add(connection, name, scopes, source, limit)
        title = f"Key {number} ({', '.join(scopes)}; source {keys.source_of(name, source)})"
        show_once(title, secret, "Send it as `Authorization: Bearer KEY`.")


@key.command("list")
def list_keys() -> None:
    """List the keys; never their secrets."""
    with _database(_settings()) as database, database.read() as connection:
        for row in connection.execute(select(api_key).order_by(api_key.c.id)):
            state = "revoked" if row.revoked_at else "active"
            click.echo(f"{row.id}\t{row.name}\t{row.source}\t{','.join(row.scopes)}\t{state}\t{row.created_at:%Y-%m-%d}")


@key.command("revoke")
@click.argument("number", type=_NUMBER)
def revoke_key(number: int) -> None:
    """Make a key void."""
    with _database(_settings()) as database, database.write() as connection:
        if not keys.revoke(connection, number):
            raise Refused(f"there is no active key {number}")


@main.group("webhook")
def hook() -> None:
    """Addresses that are told what is decided; `salur-service deliver` does the telling."""


@hook.command("add")
@click.argument("url")
@click.option("--source", default="", help="only decisions about this source's complaints; all where left out")
def add_webhook(url: str, source: str) -> None:
    """Add an address; its signing key is shown once."""
    settings = _settings()
    with _database(settings) as database, database.write() as connection:
        number, signing_key = webhooks.add(connection, settings.read_secret(), url, settings.webhook_hosts, source)
        advice = "It signs each delivery: the README shows how to check the header Salur-Signature."
        show_once(f"Webhook {number}", signing_key, advice)


@hook.command("list")
def list_webhooks() -> None:
    """List the addresses, with what waits for each, what was given up, when one last took something, and why the last failed."""
    with _database(_settings()) as database, database.read() as connection:
        for row in webhooks.listed(connection):
            stands = f"at {row.position}\t{row.waiting} waiting\t{row.given_up} given up"
            taken = f"last taken {row.delivered_at:%Y-%m-%d %H:%M} UTC" if row.delivered_at else "nothing taken yet"
            click.echo(f"{row.id}\t{row.url}\t{row.source or 'all'}\t{stands}\t{taken}\t{row.failure}".rstrip())


@hook.command("remove")
@click.argument("number", type=_NUMBER)
def remove_webhook(number: int) -> None:
    """Send nothing more to an address."""
    with _database(_settings()) as database, database.write() as connection:
        if not webhooks.remove(connection, number):
            raise Refused(f"there is no webhook {number}")


def _number(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if math.isnan(value):  # it lies within any bounds, being neither smaller nor larger
        raise click.BadParameter("'nan' is no number")
    return value


@main.command()
@click.option("--once", is_flag=True, help="make what is due now, then end")
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    callback=_number,
    help="seconds between looks",
)
def deliver(once: bool, every: float) -> None:
    """Tell the webhooks what is decided, until stopped."""
    settings = _settings()
    logs.configure(settings.log_level)
    secret = settings.read_secret()
    with _database(settings) as database:
        while True:
            made = webhooks.deliver(database, settings, secret)
            if once and made == 0:
                return
            if made == 0:
                time.sleep(every)


@main.command("export-labels")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="file to write whole or not at all; else, or with -, standard output",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="leave out verdicts before this day (UTC)")
def export_labels(out: Path | None, since: dt.datetime | None) -> None:
    """Write people's verdicts as labelled JSON Lines; what only the model said is never among them."""
    settings = _settings()
    with _database(settings) as database, database.read() as connection:
        after = since.replace(tzinfo=dt.UTC) if since else None
        rows = labels.labelled(connection, settings.audit_share, labels.curves(settings.models), settings.time_zone, after)
        count = _print(rows) if out is None or str(out) == "-" else labelled.dump(rows, out)
    click.echo(f"{count} labelled complaints", err=True)


@main.command()
@click.option("--days", type=click.IntRange(1, MAX_KEEP_DAYS), help="age in days; SALUR_KEEP_DAYS where left out")
@click.option("--dry-run", is_flag=True, help="only count")
def purge(days: int | None, dry_run: bool) -> None:
    """Delete what old complaints say; that they were there, and what was decided, stays. Uploads older than a day go too."""
    settings = _settings()
    before = now() - dt.timedelta(days=days or settings.keep_days)
    with _database(settings) as database:
        with progress("emptied") as tell:
            purged = retention.purge(database, before, dry_run=dry_run, progress=tell)
        if not dry_run:
            import_jobs.expire(database, settings.uploads)
    click.echo(f"{'would empty' if dry_run else 'emptied'} {purged.complaints} complaints stored before {before:%Y-%m-%d}")
    if purged.waiting:
        click.echo(f"{purged.waiting} more are as old but still wait for a person", err=True)


@main.command("replay-routing")
@click.argument("complaint_id", metavar="ID")
@click.option("--source", default="", help="ID is the sender's own id of a complaint of this source, not the desk's number")
def replay_routing(complaint_id: str, source: str) -> None:
    """Give a past answer again and compare it to the byte. Ends with 1 where it differs."""
    settings = _settings()
    with _database(settings) as database, database.read() as connection:
        if source:
            where = (complaint.c.source == source, complaint.c.client_id == complaint_id)
            number = connection.execute(select(complaint.c.id).where(*where)).scalar_one_or_none()
        else:
            number = row_number(complaint_id)
        if number is None:
            raise Refused(f"there is no complaint {complaint_id!r}")
        replayed = replay.replay(connection, number, settings.models, Router.load)
    for one in replayed:
        click.echo(f"routing {one.routing_id} by {one.model_version}: {'differs' if one.difference else 'the same, byte for byte'}")
        if one.difference:
            click.echo(one.difference)
    sys.exit(1 if any(one.difference for one in replayed) else 0)


def _settings() -> Settings:
    return Settings.from_environment(os.environ)


def _check_files(settings: Settings) -> None:
    """Read what the server will read, all of it: what is wrong is told here, and not by a server that cannot begin."""
    wrong = []
    try:
        settings.read_secret()
    except InvalidSettings as error:
        wrong.append(str(error))
    try:
        load_calendar(settings.time_zone, settings.holidays_file)
    except InvalidData as error:
        wrong += [f"SALUR_HOLIDAYS_FILE: {fault}" for fault in error.faults]
    if wrong:
        raise InvalidSettings("\n".join(wrong))


@contextmanager
def _database(settings: Settings, *, any_tables: bool = False) -> Iterator[Database]:
    """Give the database. Raises Refused where its tables are another version's: a purge would pass over words in new ones."""
    database = Database(settings.database, statement_seconds=0)  # an index or an export over millions of rows takes its time
    try:
        if not any_tables and not database.is_current():
            from service.storage import migrating  # only where it is needed: see `service.database`

            if migrating.is_newer(at := database.revision()):
                raise Refused(f"the tables are those of a newer version ({at}): install that, or go back to a copy of the database")
            raise Refused("the tables are not those of this version: run `salur-service migrate` (or `setup`) first")
        yield database
    finally:
        database.dispose()


def _make_secret(path: Path) -> bool:
    """Make the secret where there is none; tells whether it did."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by its owner alone; there whole or not at all, and never written over.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(32) + "\n")
            out.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):  # another setup was faster
            os.link(name, path)
    finally:
        Path(name).unlink()
    return True


def _print(rows: Iterable[LabelledComplaint]) -> int:
    count = 0
    for row in rows:
        click.echo(json.dumps(row.to_dict(), ensure_ascii=False))
        count += 1
    return count
