"""Keys in the database: what is kept of them, what is refused, and writing beside the process that has the database."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ready_database import ready

from vidgend.errors import BadInput, Conflict, NotFound, SchemaTooNew, SettingsInvalid
from vidgend.store.beside import writing_beside
from vidgend.store.database import Database
from vidgend.store.keys import (
    KEY_FORM,
    KeyStore,
    all_keys,
    create_key,
    forget_keys,
    read_keys,
    revoke_key,
    with_implied,
)
from vidgend.store.schema import connect, migrate, migrations

NOW = 1_000_000.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"), clock=lambda: NOW)
    yield database
    await database.close()


async def create(database: Database, name: str, **more: Any) -> str:
    """A new key's text."""
    return (await database.write(lambda connection: create_key(connection, name=name, **{"now": NOW, **more})))[1]


async def state(database: Database, name: str, now: float = NOW) -> list[str]:
    return [key.state(now) for key in await database.write(all_keys) if key.name == name]


async def test_what_is_kept_does_not_tell_the_key(database: Database) -> None:
    text = await create(database, "phone")
    found = KEY_FORM.fullmatch(text)
    assert found
    key = await KeyStore(database).find(found[1])
    assert key is not None and (key.name, key.owner, key.scopes) == ("phone", "phone", ("read", "write"))
    assert key.secret_sha256 == hashlib.sha256(found[2].encode()).digest()
    await database.close()
    content = database.path.read_bytes()
    assert found[1].encode() in content and found[2].encode() not in content and bytes.fromhex(found[2]) not in content
    assert await create_many(database.path) == 50


async def create_many(path: Path) -> int:
    database = await Database.open(path)
    texts = {await create(database, f"key-{number}") for number in range(50)}
    await database.close()
    return len(texts)


async def test_a_scope_includes_those_below_it() -> None:
    assert with_implied(["admin"]) == ("read", "write", "admin")
    assert with_implied(["write"]) == with_implied(["write", "read"]) == ("read", "write")
    assert with_implied(["read"]) == ("read",)


async def test_owners_are_names_and_default_is_nobody(database: Database) -> None:
    await create(database, "laptop", owner="Zoe\u0308")
    await create(database, "tv", owner="default")
    owners = {key.name: key.owner for key in await database.write(all_keys)}
    assert owners == {"laptop": "Zoë", "tv": ""}
    for wrong in ("", " ", "a b", "-a", "a\nb", "a/b", "x" * 65, "a\0"):
        with pytest.raises(BadInput):
            await create(database, "fine", owner=wrong or " ")
        with pytest.raises(BadInput):
            await create(database, wrong)


async def test_a_name_is_free_again_when_its_key_has_ended(database: Database) -> None:
    await create(database, "phone", expires_at=NOW + 10)
    with pytest.raises(Conflict, match="phone"):
        await create(database, "phone")
    await create(database, "phone", now=NOW + 10)
    await database.write(lambda connection: revoke_key(connection, "phone", now=NOW + 11))
    assert sorted(await state(database, "phone", NOW + 11)) == ["expired", "revoked"], "the live one goes first"
    await create(database, "phone", now=NOW + 12)


async def test_a_key_is_revoked_by_its_name_or_id_and_stays_so(database: Database) -> None:
    text = await create(database, "phone")
    await create(database, text[3:15])  # a name that looks like the other's id
    revoked = await database.write(lambda connection: revoke_key(connection, text[3:15], now=NOW + 1))
    assert revoked.name == "phone" and revoked.revoked_at == NOW + 1
    again = await database.write(lambda connection: revoke_key(connection, text[3:15], now=NOW + 9))
    assert again.revoked_at == NOW + 1
    with pytest.raises(NotFound):
        await database.write(lambda connection: revoke_key(connection, "nobody", now=NOW))
    assert await database.write(lambda connection: forget_keys(connection, now=NOW + 2)) == 1
    assert [key.name for key in await database.write(all_keys)] == [text[3:15]]
    assert await KeyStore(database).any()


async def test_the_last_use_never_goes_back(database: Database) -> None:
    text, keys = await create(database, "phone"), KeyStore(database)
    for at in (NOW + 5, NOW + 3):
        keys.touch(text[3:15], at=at)
    await database.write(lambda _: None)
    (key,) = await database.write(all_keys)
    assert key.last_used_at == NOW + 5


async def test_what_another_process_writes_is_seen_at_once_and_on_the_disk(database: Database) -> None:
    with writing_beside(database.path) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        key, _ = create_key(connection, name="phone", now=NOW)
    assert (await KeyStore(database).find(key.id)) == key
    assert [one.name for one in read_keys(database.path)] == ["phone"]
    with pytest.raises(Conflict), writing_beside(database.path) as connection:
        create_key(connection, name="tv", now=NOW)
        create_key(connection, name="phone", now=NOW)
    assert [one.name for one in read_keys(database.path)] == ["phone"], "all of it or nothing"


async def test_both_wait_for_each_other(database: Database) -> None:
    def beside() -> None:
        for number in range(30):
            with writing_beside(database.path) as connection:
                create_key(connection, name=f"beside-{number}", now=NOW)

    other = asyncio.create_task(asyncio.to_thread(beside))
    for number in range(30):
        await create(database, f"here-{number}")
    await other
    assert len(await database.write(all_keys)) == 60


async def test_a_database_of_another_version_is_left_alone(tmp_path: Path, database: Database) -> None:
    for version, error in ((5, SettingsInvalid), (999, SchemaTooNew)):
        path = tmp_path / str(version)
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        with pytest.raises(error), writing_beside(path) as connection:
            create_key(connection, name="phone", now=NOW)
    assert read_keys(tmp_path / "5") == [] == read_keys(tmp_path / "none")
    with pytest.raises(NotFound), writing_beside(tmp_path / "none"):
        pass


def test_the_keys_of_a_database_that_is_not_up_to_date_are_seen(tmp_path: Path) -> None:
    """A new version that listens for other machines looks for a key before it changes the schema."""
    scripts = migrations()
    with_keys = next(number for number, script in enumerate(scripts, 1) if "CREATE TABLE keys" in script)
    for number in range(with_keys, len(scripts) + 1):
        path = tmp_path / str(number)
        connection = connect(path)
        migrate(connection, path, scripts[:number])
        create_key(connection, name="phone", now=NOW)
        connection.close()
        assert [(key.name, key.state(NOW)) for key in read_keys(path)] == [("phone", "live")], number
