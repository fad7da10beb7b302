"""`vidgend keys`: without a daemon, and beside the process that has the data directory."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from vidgend.cli.key_checks import keys
from vidgend.cli.keys import span_s
from vidgend.errors import BadInput
from vidgend.settings_sources import load_settings
from vidgend.store.database import Database, DataDir
from vidgend.store.keys import KEY_FORM


@pytest.fixture(autouse=True)
def data(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that is not there yet."""
    monkeypatch.setenv("VIDGEND_DATA_DIR", str(home / "data"))
    return home / "data"


def test_a_key_is_made_in_a_fresh_folder_and_printed_alone(vidgend, data: Path) -> None:
    result = vidgend("keys", "create", "phone")
    assert result.exit_code == 0, result.stderr
    text = result.stdout.removesuffix("\n")
    assert KEY_FORM.fullmatch(text)
    assert "hint: keep it now" in result.stderr and text not in result.stderr
    assert (data / "vidgend.db").stat().st_mode & 0o777 == 0o600
    listed = json.loads(vidgend("keys", "list", "--json").stdout)["keys"]
    (key,) = listed
    assert key["id"] == text[3:15] and key["owner"] == "phone" and key["scopes"] == ["read", "write"]
    assert (key["expires_at"], key["last_used_at"], key["state"]) == (None, None, "live")
    assert text[16:] not in json.dumps(listed)


def test_owner_scope_and_expiry(vidgend) -> None:
    for arguments in (
        ("tv", "--owner", "default", "--scope", "read", "--expires", "90d"), ("laptop", "--scope", "read", "--scope", "admin"),
    ):  # fmt: skip
        assert vidgend("keys", "create", *arguments).exit_code == 0
    lines = vidgend("keys", "list").stdout.splitlines()
    assert lines[0].split() == ["id", "name", "owner", "scopes", "created", "expires", "last", "used", "state"]
    assert lines[1].split()[1:4] == ["tv", "default", "read"] and "never" in lines[1] and lines[1].endswith("live")
    assert lines[2].split()[1:4] == ["laptop", "laptop", "read,write,admin"] and lines[2].count("never") == 2


def test_what_is_refused(vidgend) -> None:
    assert vidgend("keys", "list").stdout == "no keys\n"
    assert vidgend("keys", "create", "phone").exit_code == 0
    again = vidgend("keys", "create", "phone")
    assert again.exit_code == 6 and again.stdout == "" and "there is a key 'phone' already" in again.stderr
    assert vidgend("keys", "create", "a b").exit_code == 5
    assert vidgend("keys", "create", "tv", "--expires", "soon").exit_code == 5
    assert vidgend("keys", "create", "tv", "--scope", "all").exit_code == 2
    assert vidgend("keys", "revoke", "nobody").exit_code == 3
    assert len(json.loads(vidgend("keys", "list", "--json").stdout)["keys"]) == 1


def test_revoked_and_forgotten(vidgend) -> None:
    identity = json.loads(vidgend("keys", "create", "phone", "--json").stdout)["id"]
    assert vidgend("keys", "forget").stdout == "0 keys forgotten\n"
    assert vidgend("keys", "revoke", identity).stdout == f"{identity} (phone) is revoked\n"
    assert vidgend("keys", "list").stdout.rstrip().endswith("revoked")
    assert vidgend("keys", "forget").stdout == "1 key forgotten\n"
    assert vidgend("keys", "list").stdout == "no keys\n"


def test_beside_the_process_that_has_the_data_directory(vidgend, data: Path) -> None:
    data_dir = DataDir(data)
    data_dir.acquire()
    try:
        database = asyncio.run(Database.open(data / "vidgend.db"))  # its writer has a thread of its own
        for arguments in (("create", "phone"), ("create", "tv"), ("revoke", "tv"), ("list",), ("forget",)):
            result = vidgend("keys", *arguments)
            assert result.exit_code == 0, result.stderr
        assert vidgend("keys", "list").stdout.count("\n") == 2
        asyncio.run(database.close())
    finally:
        data_dir.release()


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600)])
def test_spans(text: str, seconds: float) -> None:
    assert span_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0d", "-1d", "1", "d", "1y", "1.5d", "9" * 30 + "d", "999999w"])
def test_no_spans(text: str) -> None:
    with pytest.raises(BadInput):
        span_s(text)


def test_doctor_tells_how_many_there_are_and_which_end_soon(vidgend) -> None:
    def told() -> list[tuple[str, str]]:
        return [(one.mark, one.text) for one in keys(load_settings())]

    assert told() == [("ok", "no keys; none is asked for, and only this machine gets in")]
    for arguments in (("phone",), ("tv", "--expires", "10d"), ("radio", "--expires", "20d"), ("lost",)):
        assert vidgend("keys", "create", *arguments).exit_code == 0
    assert vidgend("keys", "revoke", "lost").exit_code == 0
    assert told() == [("ok", "let in: 3 keys"), ("note", "the key tv expires in 9 days")]
    for name in ("phone", "tv", "radio"):
        vidgend("keys", "revoke", name)
    assert told() == [("note", "let in: 0 keys")]
