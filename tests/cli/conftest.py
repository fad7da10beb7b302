from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from standins.daemon_standin import DaemonStandin

from vidgend.cli import cli
from vidgend.settings_sources import GUIDE_NAMES

Vidgend = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and working folder, and an environment without settings."""
    for name in [*os.environ]:
        if name.startswith("VIDGEND_") or name in GUIDE_NAMES or name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
            monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    # A port that nobody listens on: port 1 needs rights to bind, and refuses at once.
    monkeypatch.setenv("VIDGEND_HTTP__PORT", "1")
    return work


@pytest.fixture
def vidgend() -> Vidgend:
    """Run a command in this process."""

    def run(*args: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(cli, list(args), input=stdin, prog_name="vidgend")

    return run


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonStandin]:
    """A stand-in daemon at the address of the settings; polling is quick."""
    monkeypatch.setattr("vidgend.cli.follow.POLL_S", 0.01)
    with DaemonStandin() as standin:
        monkeypatch.setenv("VIDGEND_HTTP__PORT", standin.url.rpartition(":")[2])
        yield standin
