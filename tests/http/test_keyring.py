"""Who a key belongs to: told in the same words and with the same work, remembered for no longer than a second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ready_database import ready
from standins.time_standin import FakeTime

from vidgend.errors import Unauthorized
from vidgend.http import keyring
from vidgend.http.caller import ALL_SCOPES, Caller
from vidgend.http.keyring import REMEMBERED_S, Keyring
from vidgend.store.database import Database
from vidgend.store.keys import Key, KeyStore, all_keys, create_key, forget_keys, revoke_key


@pytest.fixture
async def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def database(tmp_path: Path, time: FakeTime) -> AsyncIterator[Database]:
    database = await Database.open(ready(tmp_path / "db"), clock=time.clock)
    yield database
    await database.close()


class CountedKeys(KeyStore):
    """Counts how often the database was asked."""

    asked = 0

    async def find(self, identity: str) -> Key | None:
        self.asked += 1
        return await super().find(identity)


@pytest.fixture
def keys(database: Database) -> CountedKeys:
    return CountedKeys(database)


@pytest.fixture
def ring(keys: CountedKeys, time: FakeTime) -> Keyring:
    return Keyring(keys, clock=time.clock, turns=time.clock)


async def create(database: Database, name: str = "phone", **more: Any) -> str:
    return (await database.write(lambda c: create_key(c, name=name, now=database.clock(), **more)))[1]


async def refused(ring: Keyring, token: str) -> str:
    with pytest.raises(Unauthorized) as caught:
        await ring.authenticate(token)
    return caught.value.detail


async def test_a_key_names_its_owner_and_scopes(database: Database, ring: Keyring) -> None:
    text = await create(database, owner="ann", scopes=["admin"])
    assert await ring.authenticate(text) == Caller(owner="ann", key_id=text[3:15], scopes=ALL_SCOPES)
    reader = await create(database, "reader", scopes=["read"])
    assert (await ring.authenticate(reader)).scopes == {"read"}


async def test_unknown_and_wrong_are_one(database: Database, ring: Keyring, keys: CountedKeys) -> None:
    text = await create(database)
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    unknown = f"vg_{'0' * 12}_{'0' * 64}"
    assert await refused(ring, wrong) == await refused(ring, unknown) == await refused(ring, "x")
    assert keys.asked == 2
    assert await refused(ring, wrong) == await refused(ring, unknown)
    assert keys.asked == 2, "neither is asked for again, nor sooner than the other"
    assert not ring.remembers(wrong) and not ring.remembers(unknown) and not ring.remembers("")


async def test_what_has_ended_is_told_only_to_who_has_the_secret(
    database: Database, ring: Keyring, time: FakeTime
) -> None:
    text = await create(database, expires_at=time.now + 10)
    assert (await ring.authenticate(text)).owner == "phone"
    time.now += 10
    assert await refused(ring, text) == "the key has expired"
    assert await refused(ring, text[:16] + "0" * 64) == "the key is not right"
    other = await create(database, "tv")
    await database.write(lambda c: revoke_key(c, "tv", now=time.now))
    assert await refused(ring, other) == "the key was revoked"


async def test_a_new_key_works_at_once_and_a_revoked_one_no_longer_than_a_second(
    database: Database, ring: Keyring, keys: CountedKeys, time: FakeTime
) -> None:
    assert not await ring.required()
    text = await create(database)
    for _ in range(100):
        await ring.authenticate(text)
    assert keys.asked == 1
    await database.write(lambda c: revoke_key(c, "phone", now=time.now))
    time.now += REMEMBERED_S
    await refused(ring, text)
    assert await ring.required(), "the last key's end opens nothing"
    await database.write(lambda c: forget_keys(c, now=time.now))
    time.now += REMEMBERED_S
    assert not await ring.required()


async def test_the_settings_key_may_do_everything(keys: CountedKeys) -> None:
    ring = Keyring(keys, api_key="s\u00e9sam")
    assert await ring.required()
    assert await ring.authenticate("s\u00e9sam") == Caller(owner="", key_id="settings")
    assert await refused(ring, "sesam") == "the key is not right"
    assert not ring.remembers("s\u00e9sam"), "it may be short enough to be guessed"
    assert await refused(ring, "\ud800") == "the key is not right"


async def test_a_made_key_in_the_settings_is_no_key_to_everything(database: Database, keys: CountedKeys) -> None:
    text = await create(database, scopes=["read"])
    ring = Keyring(keys, api_key=text)
    assert await ring.required()
    assert (await ring.authenticate(text)).scopes == {"read"}
    unknown = f"vg_{'0' * 12}_{'0' * 64}"
    ring = Keyring(keys, api_key=unknown)
    await refused(ring, unknown)


async def test_an_address_that_others_reach_always_asks_for_a_key(keys: CountedKeys) -> None:
    assert await Keyring(keys, always=True).required()


async def test_the_last_use_is_noted_once_a_minute(database: Database, ring: Keyring, time: FakeTime) -> None:
    text, began = await create(database), time.now
    for later in (0, 30, 61):
        time.now = began + later
        await ring.authenticate(text)
        await database.write(lambda _: None)
        (key,) = await database.write(all_keys)
        assert key.last_used_at == (began if later < 60 else began + 61)


async def test_a_right_key_is_remembered(database: Database, ring: Keyring, time: FakeTime) -> None:
    text = await create(database)
    assert not ring.remembers(text)
    await ring.authenticate(text)
    time.now += 3600
    assert ring.remembers(text)
    await database.write(lambda c: revoke_key(c, "phone", now=time.now))
    assert "revoked" in await refused(ring, text)
    assert not ring.remembers(text), "else who sends one that has ended is never held up"


async def test_guesses_are_not_kept_and_do_not_push_out_who_calls(
    database: Database, ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_MOST", 10)
    text = await create(database)
    for number in range(50):
        await ring.authenticate(text)
        await refused(ring, f"vg_{number:012x}_{'0' * 64}")
    assert len(ring._known) == 10 and ring.remembers(text)
