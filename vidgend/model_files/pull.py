"""A model into the models folder: from installed packages, from a folder, or from its home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from vidgend.errors import BadInput, ModelNotFetched
from vidgend.model_files.disk import disk_errors, is_full, need_room, only_one
from vidgend.model_files.fetch import Part, fetch, new_client
from vidgend.model_files.hashing import Tell, checking, is_whole, silent
from vidgend.model_files.model import HUB, Model, ModelFile
from vidgend.model_files.places import Found, look, packaged_here, packaged_pieces
from vidgend.model_files.sources import copy, in_folder
from vidgend.pipeline.part_file import finish, part_path

Source = Literal["auto", "hub", "packages"] | Path
"""`auto` is packages where they are installed, else the home."""


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What a pull did: the files that it wrote into `folder`, or none if nothing was to be done, and why."""

    model: Model
    folder: Path | None
    written: tuple[ModelFile, ...]
    detail: str


@dataclass(frozen=True, kw_only=True)
class Puller:
    """`endpoint` is the hub's address, `reserve_bytes` stay free on the disk. `say` is told what takes its time."""

    models_dir: Path
    hub_dir: Path
    endpoint: str = HUB
    reserve_bytes: int = 0
    tell: Tell = silent
    say: Callable[[str], None] = lambda line: None
    connect: Callable[[], httpx.Client] = new_client

    def pull(self, model: Model, source: Source = "auto") -> Pulled:
        """Raises: ModelNotFetched, StorageFull, BadInput, OSError.

        What is here and whole is left alone, after its content was checked. A file appears under its name when it is
        complete and checked, the one that the engines look for last.
        """
        with disk_errors(self.models_dir):
            if not self.models_dir.is_dir():
                self.models_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.models_dir.mkdir(exist_ok=True)
            with only_one(self.models_dir, waiting=lambda: self.say("another pull is running here; waiting for it")):
                return self._pull(model, source)

    def _pull(self, model: Model, source: Source) -> Pulled:
        found = look(model, models_dir=self.models_dir, hub_dir=self.hub_dir)
        if model.home is None and found.state != "packaged":
            raise ModelNotFetched(f"{model.name} is read from its package only", hint=f"Get it with {model.get}.")
        if model.made and found.files == model.made and (damaged := self._damaged(found)):
            for path in damaged:
                path.unlink()
                self.say(f"{path} was damaged and is removed; it is made anew at the next start of its engine")
            found = look(model, models_dir=self.models_dir, hub_dir=self.hub_dir)
        if (source == "auto" or model.home is None) and (reason := self._enough(found)):
            return Pulled(model=model, folder=found.folder, written=(), detail=reason)
        folder = found.folder if found.own_folder and found.folder else self.models_dir / model.folder
        wanted = [
            file
            for file in model.files
            if not is_whole(folder / file.path, file, what=checking(model, file), tell=self.tell)
        ]
        if not wanted:
            return Pulled(model=model, folder=folder, written=(), detail=f"is in {folder} already")
        if found.own_folder:
            raise BadInput(
                f"{folder} holds another build of {model.name}, or a damaged one, and the engines look there first",
                hint="Move that folder away, then pull again.",
            )
        if source == "auto":
            installed = model.packaged is not None and packaged_here(model.packaged)
            source = "packages" if installed else "hub"
        self._check_source(model, source)
        parts = {file.path: Part(path=part_path(folder / file.path)) for file in wanted}
        there = sum(part.size_bytes for part in parts.values())
        need_room(
            self.models_dir,
            max(0, sum(file.size_bytes for file in wanted) - there),
            reserve_bytes=self.reserve_bytes,
        )
        try:
            with self._bringer(model, source) as bring:
                for file in wanted:
                    path, part = folder / file.path, parts[file.path]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    try:
                        bring(file, part)
                    except OSError as error:
                        if is_full(error):  # a whole disk is worth more than the beginning of a file
                            part.discard()
                        raise
                    finish(part.path, path)
        except ModelNotFetched as error:
            if source == "hub" and model.packaged is not None:
                error.hint = f"{error.hint} The packages: `{model.packaged.install}`."
            raise
        finally:
            _drop_empty(folder, self.models_dir, (file.path for file in wanted))
        return Pulled(model=model, folder=folder, written=tuple(wanted), detail=f"is in {folder}")

    def _enough(self, found: Found) -> str:
        """Why nothing is to be done although the models folder may lack files, or ""."""
        packaged = found.model.packaged
        if found.state == "packaged" and packaged is not None and packaged.in_place:
            return f"is read from the installed package {packaged.names}"
        if found.state != "here" or found.folder is None or found.detail:
            return ""
        made = found.files == found.model.made  # checked before
        if not made and (found.own_folder or found.folder == self.models_dir / found.model.folder):
            return ""  # its files are looked at one by one
        return f"is in {found.folder} already" if made or not self._damaged(found) else ""

    def _damaged(self, found: Found) -> list[Path]:
        """Those of its files that have another content than the published one."""
        return [
            path
            for file in found.files
            for path in found.pieces(file)
            if not is_whole(path, file, what=checking(found.model, file), tell=self.tell)
        ]

    def _check_source(self, model: Model, source: Source) -> None:
        if source == "packages" and (model.packaged is None or not packaged_here(model.packaged)):
            lacking = f"not all of {model.packaged.names} are installed" if model.packaged else "no package holds it"
            raise ModelNotFetched(f"{model.name}: {lacking}", hint=f"Get it with {model.get}.")

    @contextmanager
    def _bringer(self, model: Model, source: Source) -> Iterator[Callable[[ModelFile, Part], None]]:
        """What fills a part from the source."""
        tell = self.tell
        if source == "hub":
            home = model.home
            assert home is not None
            with self.connect() as client:
                yield lambda file, part: fetch(
                    client, home.url(file.path, endpoint=self.endpoint), part, file, what=_what(model, file), tell=tell
                )
        elif isinstance(source, Path):
            yield lambda file, part: copy(
                (in_folder(source, model, file),), part, file, what=_what(model, file), tell=tell
            )
        else:
            packaged = model.packaged
            assert packaged is not None
            yield lambda file, part: copy(
                packaged_pieces(packaged, file.path), part, file, what=_what(model, file), tell=tell
            )


def _what(model: Model, file: ModelFile) -> str:
    return f"{model.name}: {file.path}"


def _drop_empty(folder: Path, top: Path, paths: Iterable[str]) -> None:
    """Remove the folders that were made for files which did not come."""
    for place in {(folder / path).parent for path in paths}:
        if place != top:
            with suppress(OSError):
                place.rmdir()
