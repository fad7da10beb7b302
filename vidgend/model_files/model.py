"""What is known of a model: its files with their sizes and checksums, its home, and the packages that hold it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["speech", "word times, voice-overs", "which clip fits"]
HUB = "https://huggingface.co"
"""The hub where HF_ENDPOINT names no other. Source: huggingface_hub, constants.py."""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file of a model. `path` is relative to its repository, and to its folder here."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where a model comes from. `template` makes the address of a file, of `{endpoint}` (the hub) and `{path}`;
    `cached_as` is the repository under whose name the hub's own tools keep it, or ""."""

    template: str
    cached_as: str = ""

    def url(self, path: str, *, endpoint: str = HUB) -> str:
        return self.template.format(endpoint=endpoint.rstrip("/"), path=path)


def hub(repository: str, revision: str, *, cached_as: str = "") -> Home:
    """A repository of the hub at one commit, which cannot change any more.

    Source of the form: HUGGINGFACE_CO_URL_TEMPLATE in huggingface_hub, constants.py.
    """
    return Home(template=f"{{endpoint}}/{repository}/resolve/{revision}/{{path}}", cached_as=cached_as or repository)


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """The same files inside registry packages.

    `pins` are for pip. `pieces` has for each file its pieces in order, as (module, path inside it). With `in_place` the
    engines read them where they are, otherwise they have to be joined first. `alone`: what the packages depend on is
    not needed.
    """

    pins: tuple[str, ...]
    pieces: Mapping[str, tuple[tuple[str, str], ...]]
    in_place: bool = False
    alone: bool = False

    @property
    def names(self) -> str:
        return ", ".join(pin.partition("==")[0] for pin in self.pins)

    @property
    def install(self) -> str:
        return f"pip install {'--no-deps ' if self.alone else ''}{' '.join(self.pins)}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that vidgend can use. The last of `files` is the one that the engines look for, so it is written last.

    `folder` is its place in the models folder ("" for the folder itself), `elsewhere` are other names there that the
    engines look at first. `made` is what vidgend makes of the files and takes in their stead. `home` is None where
    only packages have it, and the engines look for it nowhere else.
    """

    name: str
    purpose: Purpose
    about: str
    licence: str
    files: tuple[ModelFile, ...]
    folder: str = ""
    elsewhere: tuple[str, ...] = ()
    made: tuple[ModelFile, ...] = ()
    home: Home | None = None
    packaged: Packaged | None = None

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def key(self) -> ModelFile:
        """The file that the engines look for."""
        return self.files[-1]

    @property
    def pull(self) -> str:
        """The command that gets it, for people."""
        if self.home is None and self.packaged is not None:
            return f"`{self.packaged.install}`"
        return f"`vidgend models pull {self.name}`"

    @property
    def get(self) -> str:
        """All the ways to get it, for people."""
        pull = self.pull
        if self.packaged is None or self.home is None:
            return pull
        if self.packaged.in_place:
            return f"{pull}, or `{self.packaged.install}`"
        return f"{pull}; where no hub is reached, `{self.packaged.install}` before it"
