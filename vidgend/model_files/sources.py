"""Files that are on this machine already: in a folder, such as a stick's, or in installed packages."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from vidgend.errors import ModelNotFetched
from vidgend.model_files.fetch import Part
from vidgend.model_files.hashing import CHUNK_BYTES, Tell, silent
from vidgend.model_files.model import Model, ModelFile


def copy(pieces: Iterable[Path], part: Part, file: ModelFile, *, what: str, tell: Tell = silent) -> None:
    """Join `pieces` into the part. Nothing is left of it unless it is whole. Raises: ModelNotFetched, OSError."""
    part.discard()
    digest, done, names = hashlib.sha256(), 0, []
    try:
        with part.path.open("xb") as out:
            for piece in pieces:
                names.append(str(piece))
                with piece.open("rb") as source:
                    while chunk := source.read(CHUNK_BYTES):
                        out.write(chunk)
                        digest.update(chunk)
                        done += len(chunk)
                        tell(what, done, file.size_bytes)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != file.sha256:
            raise ModelNotFetched(f"{what}: {' and '.join(names)} is not what was published (another SHA-256)")
    except BaseException:
        part.discard()
        raise


def in_folder(folder: Path, model: Model, file: ModelFile) -> Path:
    """The file in a folder that holds models by name, is itself a model, or is a cache of the hub's tools.

    The first of the right size, since a stick may hold several models. Raises: ModelNotFetched.
    """
    there = [path for path in _candidates(folder, model, file) if path.is_file()]
    for path in there:
        if path.stat().st_size == file.size_bytes:
            return path
    if there:
        size_bytes = there[0].stat().st_size
        raise ModelNotFetched(f"{model.name}: {there[0]} has {size_bytes} bytes instead of {file.size_bytes}")
    raise ModelNotFetched(
        f"{model.name}: there is no {file.path} in {folder}", hint="docs/models.md shows how it is looked for."
    )


def _candidates(folder: Path, model: Model, file: ModelFile) -> Iterator[Path]:
    for name in dict.fromkeys((model.folder, model.name, *model.elsewhere, "")):
        yield folder / name / file.path
    if model.home is not None and model.home.cached_as:
        cached = f"models--{model.home.cached_as.replace('/', '--')}"
        for cache in (folder, folder / "hub"):
            for snapshot in sorted(cache.glob(f"{cached}/snapshots/*")):
                yield snapshot / file.path
