"""`vidgend keys`: the keys of the API, in the database of data_dir. A running daemon heeds what is done at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vidgend.cli.jobs import local_time, table
from vidgend.cli.options import Commands, Options, echo_json, json_option, shared
from vidgend.errors import BadInput, DataDirLocked

if TYPE_CHECKING:
    import sqlite3

    from vidgend.settings import Settings
    from vidgend.store.keys import Key

T = TypeVar("T")
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_LONGEST_S = 100 * 365 * 86_400


@click.group(cls=Commands)
@shared()
def keys() -> None:
    """Make, list and revoke the keys that clients send (docs/keys.md).

    Works on data_dir, also while the daemon runs.
    """


@keys.command("create")
@click.argument("name")
@click.option("--owner", metavar="OWNER", help="Whose things the key sees and makes; keys may share one. `default` "
              "owns what is made without a key.  [default: NAME]")  # fmt: skip
@click.option("--scope", "scopes", type=click.Choice(("read", "write", "admin")), multiple=True,
              help="What it may do; each includes those before it.  [default: write]")  # fmt: skip
@click.option("--expires", metavar="TIME", help="How long it works: 12h, 90d, 8w.  [default: until it is revoked]")
@json_option
@shared()
@click.pass_obj
def create(
    options: Options, name: str, owner: str | None, scopes: tuple[str, ...], expires: str | None, as_json: bool
) -> None:
    """Make a key and print it. It is shown this once only: what is kept does not tell it."""
    import time

    from vidgend.store.keys import DEFAULT_SCOPES, create_key

    now = time.time()
    expires_at = now + span_s(expires) if expires is not None else None
    key, text = _write(
        options.settings(),
        lambda connection: create_key(
            connection, name=name, owner=owner, scopes=scopes or DEFAULT_SCOPES, now=now, expires_at=expires_at
        ),
    )
    if as_json:
        echo_json({"key": text, **shown_key(key, now)})
        return
    click.echo(text)
    click.echo(f"{key.id}: {', '.join(key.scopes)} for the owner {shown_key(key, now)['owner']}", err=True)
    click.echo("hint: keep it now, it is not shown again; clients send it as `Authorization: Bearer <key>`", err=True)


@keys.command("list")
@json_option
@shared()
@click.pass_obj
def list_keys(options: Options, as_json: bool) -> None:
    """Show all keys, also those that have ended."""
    import time

    from vidgend.cli.data_dir import disk_errors
    from vidgend.store.keys import read_keys

    settings = options.settings()
    with disk_errors(settings):
        found = [shown_key(key, time.time()) for key in read_keys(settings.data_dir / "vidgend.db")]
    if as_json:
        echo_json({"keys": found})
    elif not found:
        click.echo("no keys")
    else:
        rows = [
            (
                one["id"], one["name"], one["owner"], ",".join(one["scopes"]), local_time(one["created_at"]),
                local_time(one["expires_at"]) or "never", local_time(one["last_used_at"]) or "never", one["state"],
            )
            for one in found
        ]  # fmt: skip
        table(("id", "name", "owner", "scopes", "created", "expires", "last used", "state"), rows)


@keys.command("revoke")
@click.argument("id_or_name")
@json_option
@shared()
@click.pass_obj
def revoke(options: Options, id_or_name: str, as_json: bool) -> None:
    """End a key for good. A running daemon refuses it within two seconds."""
    import time

    from vidgend.store.keys import revoke_key

    now = time.time()
    key = _write(options.settings(), lambda connection: revoke_key(connection, id_or_name, now=now))
    if as_json:
        echo_json(shown_key(key, now))
    else:
        click.echo(f"{key.id} ({key.name}) is revoked")


@keys.command("forget")
@json_option
@shared()
@click.pass_obj
def forget(options: Options, as_json: bool) -> None:
    """Delete what is known of keys that have ended.

    Where no key is left, and no http.api_key is set, a daemon on loopback asks for none any more.
    """
    import time

    from vidgend.store.keys import forget_keys

    now = time.time()
    count = _write(options.settings(), lambda connection: forget_keys(connection, now=now))
    if as_json:
        echo_json({"forgotten": count})
    else:
        click.echo(f"{count} key{'s' * (count != 1)} forgotten")


def span_s(text: str) -> float:
    """Seconds from `12h` or `90d`. Raises: BadInput."""
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    length_s = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < length_s <= _LONGEST_S:
        raise BadInput(f"--expires {text[:40]}: not a time", hint="Write for example 12h, 90d or 8w.")
    return length_s


def shown_key(key: Key, now: float) -> dict[str, Any]:
    """A key as `--json` shows it."""
    from vidgend.store.keys import DEFAULT_OWNER

    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner or DEFAULT_OWNER,
        "scopes": list(key.scopes),
        "created_at": _rfc3339(key.created_at),
        "expires_at": _rfc3339(key.expires_at),
        "last_used_at": _rfc3339(key.last_used_at),
        "state": key.state(now),
    }


def _rfc3339(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(settings: Settings, act: Callable[[sqlite3.Connection], T]) -> T:
    """Run a transaction on the database of data_dir: instead of a daemon, or beside it.

    Raises: SettingsInvalid, SchemaTooNew, DatabaseUnavailable, StorageFull, and what `act` raises.
    """
    import asyncio

    from vidgend.cli.data_dir import disk_errors
    from vidgend.logs import set_up_logging
    from vidgend.store.beside import writing_beside
    from vidgend.store.database import Database, DataDir
    from vidgend.store.restore import refuse_half_restored

    path = settings.data_dir / "vidgend.db"

    async def alone() -> T:
        database = await Database.open(path)
        try:
            return await database.write(act, may_drop_ballast=False)
        finally:
            await database.close()

    set_up_logging("error", "text")
    data_dir = DataDir(settings.data_dir)
    with disk_errors(settings):
        try:
            data_dir.acquire()
        except DataDirLocked:
            with writing_beside(path) as connection:
                return act(connection)
        try:
            refuse_half_restored(settings.data_dir)
            return asyncio.run(alone())
        finally:
            data_dir.release()
