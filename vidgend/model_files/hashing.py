"""SHA-256 of files that take seconds to read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from vidgend.model_files.model import Model, ModelFile
from vidgend.model_files.places import Found

CHUNK_BYTES = 4 * 1024 * 1024

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many bytes of it are done, and of how many."""


def silent(what: str, done_bytes: int, total_bytes: int) -> None:
    """A Tell that says nothing."""


def sha256_of(pieces: Iterable[Path], *, total_bytes: int, what: str, tell: Tell = silent) -> str:
    """The hash of the files' contents one after the other. Raises: OSError."""
    digest, done = hashlib.sha256(), 0
    for piece in pieces:
        with piece.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                done += len(chunk)
                tell(what, done, total_bytes)
    return digest.hexdigest()


def is_whole(path: Path, file: ModelFile, *, what: str, tell: Tell = silent) -> bool:
    """Whether `path` has the published content. Raises: OSError."""
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    return sha256_of((path,), total_bytes=file.size_bytes, what=what, tell=tell) == file.sha256


def faults(found: Found, *, tell: Tell = silent) -> list[str]:
    """What is wrong with a model that is here or in packages, after reading all of it. Raises: OSError."""
    if found.state in ("damaged", "own"):
        return [found.detail]
    wrong = []
    for file in found.files:
        pieces = found.pieces(file)
        digest = sha256_of(pieces, total_bytes=file.size_bytes, what=checking(found.model, file), tell=tell)
        if digest != file.sha256:
            wrong.append(f"{file.path} has another SHA-256 than the published one")
    return wrong


def checking(model: Model, file: ModelFile) -> str:
    return f"{model.name}: checking {file.path}"
