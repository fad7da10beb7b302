"""Where a model is on this machine. Looks at names and sizes only; `hashing.py` reads the content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidgend.model_files.model import Model, ModelFile, Packaged
from vidgend.pipeline.packaged_files import packaged_files
from vidgend.pipeline.speech.hub import snapshot

State = Literal["here", "packaged", "own", "damaged", "missing"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is of a model.

    `here`: `files` lie in `folder`. `packaged`: installed packages hold them. `damaged`: what the engines would take
    from `folder` is not what was published, and `detail` says why. `own`: it is not, but the folder has a name that no
    pull writes to (`own_folder`), so somebody put it there on purpose. `missing`: nothing.
    """

    model: Model
    state: State
    folder: Path | None = None
    files: tuple[ModelFile, ...] = ()
    detail: str = ""
    own_folder: bool = False

    def pieces(self, file: ModelFile) -> tuple[Path, ...]:
        """The files whose contents, one after the other, are `file`."""
        if self.state == "packaged":
            assert self.model.packaged is not None
            return packaged_pieces(self.model.packaged, file.path)
        return (self.folder / file.path,) if self.folder is not None else ()


def look(model: Model, *, models_dir: Path, hub_dir: Path) -> Found:
    """What the engines would find, in the order in which they look."""
    spoilt: Found | None = None
    own_folders = [models_dir / name for name in model.elsewhere]
    for folder in (*own_folders, *_folders(model, models_dir, hub_dir)):
        if model.made and not _faults(folder, model.made):
            return Found(model=model, state="here", folder=folder, files=model.made)
        if not (folder / model.key.path).is_file():
            continue
        faults = _faults(folder, model.files)
        own = folder in own_folders
        state: State = "here" if not faults else "own" if own else "damaged"
        detail = "; ".join(faults)
        found = Found(model=model, state=state, folder=folder, files=model.files, detail=detail, own_folder=own)
        if not faults or not model.made:
            return found
        spoilt = spoilt or found  # vidgend makes its own file of it, and takes the packages if this one is no good
    if model.packaged is not None and packaged_here(model.packaged):
        return Found(model=model, state="packaged", files=model.files, detail=model.packaged.names)
    return spoilt or Found(model=model, state="missing")


def packaged_here(packaged: Packaged) -> bool:
    return all(packaged_pieces(packaged, path) for path in packaged.pieces)


def packaged_pieces(packaged: Packaged, path: str) -> tuple[Path, ...]:
    """The pieces of a file inside the installed packages; () unless all are there."""
    return packaged_files(packaged.pieces.get(path, ()))


def _folders(model: Model, models_dir: Path, hub_dir: Path) -> Iterator[Path]:
    """Where a pull or the hub's own tools put it."""
    if model.home is None:
        return
    yield models_dir / model.folder
    if model.home.cached_as:
        cached = snapshot(hub_dir, model.home.cached_as)
        if cached is not None:
            yield cached


def _faults(folder: Path, files: Sequence[ModelFile]) -> list[str]:
    faults = []
    for file in files:
        try:
            size_bytes = (folder / file.path).stat().st_size
        except OSError:
            faults.append(f"{file.path} is missing")
            continue
        if size_bytes != file.size_bytes:
            faults.append(f"{file.path} has {size_bytes} bytes instead of {file.size_bytes}")
    return faults
