"""`vidgend serve`: how it ends when it cannot start. Its life is tested in tests/process."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from vidgend.store.database import DataDir


def test_a_taken_port_is_told_and_ends_with_78(vidgend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = vidgend("serve", "--port", str(other.getsockname()[1]), "--data-dir", "data")
    assert result.exit_code == 78
    assert result.stderr.startswith("error: cannot listen on 127.0.0.1 port ")
    assert "Is another vidgend running?" in result.stderr


def test_a_host_that_is_none_is_told_as_such(vidgend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDGEND_HTTP__API_KEY", "k" * 40)
    result = vidgend("serve", "--host", "192.0.2.1", "--port", "0", "--data-dir", "data")
    assert result.exit_code == 78
    assert "cannot listen on 192.0.2.1" in result.stderr and "address of this machine" in result.stderr


def test_a_default_voice_that_nobody_has_is_a_matter_of_the_settings(vidgend, home: Path) -> None:
    (home / "vidgend.toml").write_text('[speech]\nvoice = "nope"\n')
    result = vidgend("serve", "--port", "0", "--data-dir", "data")
    assert result.exit_code == 78
    assert result.stderr.startswith("error: speech.voice: no voice is called 'nope'")


def test_an_open_address_needs_a_key(vidgend) -> None:
    result = vidgend("serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", "data")
    assert result.exit_code == 78
    assert "there is no key" in result.stderr and "vidgend keys create" in result.stderr


def test_a_locked_data_directory_ends_with_75(vidgend, home: Path) -> None:
    data_dir = DataDir(home / "data")
    data_dir.acquire()
    try:
        result = vidgend("serve", "--port", "0", "--data-dir", "data")
    finally:
        data_dir.release()
    assert result.exit_code == 75
    assert "is in use by process" in result.stderr


def test_a_data_directory_that_cannot_be_is_a_matter_of_the_settings(vidgend, home: Path) -> None:
    (home / "file").write_text("")
    for place in ("file/data", "file", "/proc/vidgend"):
        for command in (["serve", "--port", "0"], ["generate", "the sea", "--local"]):
            result = vidgend(*command, "--data-dir", place)
            assert result.exit_code == 78, result.stderr
            assert result.stderr.startswith("error: data_dir ")


def test_a_database_that_is_none_is_told(vidgend, home: Path) -> None:
    (home / "data").mkdir()
    (home / "data" / "vidgend.db").write_bytes(b"not a database, but longer than its header would be" * 20)
    result = vidgend("generate", "the sea", "--local", "--data-dir", "data")
    assert result.exit_code == 78
    assert "vidgend.db: file is not a database" in result.stderr
    assert "`vidgend restore`" in result.stderr


def test_a_port_that_is_no_number_is_wrong_usage(vidgend) -> None:
    assert vidgend("serve", "--port", "http").exit_code == 2
