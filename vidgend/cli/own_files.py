"""Files of this machine that a request names: found and hashed first, so that the request can be checked before they
are sent. An upload's id is the SHA-256 of its content."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgend.cli.options import shown
from vidgend.cli.outcome import human_bytes
from vidgend.errors import BadInput

if TYPE_CHECKING:
    from vidgend.client.daemon import Daemon

_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class OwnFiles:
    """The files by the ids that they will have."""

    paths: dict[str, Path] = field(default_factory=dict)

    def id_of(self, text: str, *, folder: Path, option: str) -> str:
        """`text` if it is the id of an upload already, else that of the file it names, seen from `folder`.

        Raises: BadInput.
        """
        if _ID.fullmatch(text):
            return text
        path = folder / Path(text).expanduser()
        digest = file_digest(path, option)
        self.paths.setdefault(digest, path)
        return digest

    def in_scenes(self, scenes: list[Any], *, folder: Path) -> list[Any]:
        """The scenes with ids in place of the files that they name. What is none of ours is left to be refused."""
        return [self._in_scene(scene, number, folder) for number, scene in enumerate(scenes, 1)]

    def _in_scene(self, scene: Any, number: int, folder: Path) -> Any:
        if not isinstance(scene, dict):
            return scene
        found = dict(scene)
        for name in ("clip", "image"):
            value = found.get(name)
            option = f"--scenes, scene {number}, {name}"
            if isinstance(value, str):
                found[name] = {"asset": self.id_of(value, folder=folder, option=option)}
            elif isinstance(value, dict) and isinstance(value.get("asset"), str):
                found[name] = {**value, "asset": self.id_of(value["asset"], folder=folder, option=option)}
        return found


def file_digest(path: Path, option: str) -> str:
    """Raises: BadInput."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"{option}: {path}: {reason.lower()}") from None


def send_files(daemon: Daemon, files: OwnFiles) -> None:
    """Upload those that the daemon does not have. Raises: BadInput and its kin."""
    for digest, path in files.paths.items():
        if not daemon.get("/mcp/assets", id=digest)["assets"]:
            sent = send_file(daemon, path)
            if sent["asset_id"] != digest:
                raise BadInput(f"{path} was changed while it was sent")


def send_file(daemon: Daemon, path: Path) -> dict[str, Any]:
    """Upload one file, with a bar on a terminal. Raises: BadInput, DaemonUnreachable and what the daemon answers."""
    size_bytes = _size_bytes(path)
    with _bar(path.name, size_bytes) as move:
        return daemon.upload(path, name=path.name, size_bytes=size_bytes, on_bytes=move)


def send_address(daemon: Daemon, url: str) -> dict[str, Any]:
    """Have the daemon fetch a file and take it. Raises: BadInput, DaemonUnreachable and what the daemon answers."""
    click.echo(f"the daemon fetches {shown(url)}", err=True)
    return daemon.upload_address(url)


def _size_bytes(path: Path) -> int:
    try:
        if not path.is_file():
            raise BadInput(f"{path}: not a file" if path.exists() else f"{path}: no such file or directory")
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def _bar(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where that is a terminal, else one line."""
    if not sys.stderr.isatty():
        click.echo(f"uploading {name} ({human_bytes(size_bytes)})", err=True)
        yield lambda count: None
        return
    bar: Any = click.progressbar(length=max(1, size_bytes), label=f"uploading {name}", file=sys.stderr)
    with bar:
        yield bar.update
