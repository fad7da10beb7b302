"""Which font draws what: the one that was asked for, the shipped ones, then those that are installed."""

from __future__ import annotations

import difflib
import importlib.util
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from unicodedata import category, name

from vidgend.errors import UnknownFont
from vidgend.pipeline.captions.font_files import BOLD, FontFace, read_faces
from vidgend.pipeline.captions.line_breaks import clusters

SHIPPED = "Inter"
_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
"""Packages of the extra `fonts`: Noto for most scripts, and for Chinese, Japanese and Korean."""
_SYSTEM = (
    "~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts", "~/Library/Fonts",
    "/Library/Fonts", "/System/Library/Fonts",
)  # fmt: skip
_UNLIKE = ("mono", "serif", "condensed", "math", "code", "nastaliq", "kufi", "script", "display", "narrow")
_REGIONS = {"ja": " jp", "ko": " kr", "zh": " sc", "zh-tw": " tc", "zh-hant": " tc", "zh-hk": " hk", "yue": " hk"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A stretch of text that one face draws."""

    text: str
    face: FontFace


class FontCatalog:
    """The fonts of this machine, looked for when first needed. Its calls read files: not for the event loop.

    `default` is the family for captions that name none.
    """

    def __init__(self, folders: Sequence[Path], *, default: str = SHIPPED) -> None:
        self._folders = tuple(folders)
        self._default = default
        self._lock = threading.Lock()
        self._places: dict[FontFace, int] | None = None
        """Each face with the number of its folder, in the order of the folders."""

    def _all(self) -> dict[FontFace, int]:
        with self._lock:
            if self._places is None:
                self._places = {face: n for n, folder in enumerate(self._folders) for face in read_faces(folder)}
            return self._places

    def families(self) -> tuple[str, ...]:
        return tuple(sorted({face.family for face in self._all()}))

    def find(self, family: str | None) -> FontFace:
        """The boldest upright face of a family. Raises: UnknownFont."""
        wanted = (family or self._default).strip().casefold()
        found = [face for face in self._all() if wanted in face.names]
        if not found:
            close = difflib.get_close_matches(family or self._default, self.families(), n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(close)}? " if close else ""
            raise UnknownFont(
                f"no font family {(family or self._default)!r} is installed",
                hint=f"{hint}Put its files into captions.fonts_folder, or leave captions.font out.",
            )
        return min(found, key=lambda face: (face.italic, abs(face.weight - BOLD)))

    def preference(self, family: str | None, language: str) -> list[FontFace]:
        """Every face, the best first. Raises: UnknownFont."""
        first = self.find(family)
        places = self._all()
        region = _REGIONS.get(language.lower()) or _REGIONS.get(language.lower().split("-")[0], " sc")

        def rank(face: FontFace) -> tuple[Any, ...]:
            lower = face.family.casefold()
            return (
                face is not first, lower != SHIPPED.casefold(), face.italic, any(word in lower for word in _UNLIKE),
                "cjk" in lower and not lower.endswith(region), places[face], abs(face.weight - BOLD),
            )  # fmt: skip

        return sorted(places, key=rank)

    def lay_into(self, folder: Path, fonts: Sequence[dict[str, Any]], text: str) -> None:
        """Put the files of `fonts` (digest and index, as `as_args` names them) into `folder` for libass."""
        folder.mkdir(exist_ok=True)
        families = {font["family"] for font in fonts}
        by_id = {(face.digest, face.index): face for face in self._all() if face.family in families}
        for font in fonts:
            face = by_id.get((font["digest"], font["index"]))
            if face is None:
                raise UnknownFont(f"the font {font['family']} is not installed any more")
            face.lay_into(folder, text)


def as_args(faces: Iterable[FontFace]) -> list[dict[str, Any]]:
    """Faces as part of a step's arguments: by content, so that another version of a font is another step."""
    named = {(face.digest, face.index): face for face in faces}
    return [
        {"digest": digest, "index": index, "family": named[digest, index].family} for digest, index in sorted(named)
    ]


def split_runs(text: str, faces: Sequence[FontFace]) -> tuple[list[Run], set[str]]:
    """`text` as runs that one face each draws, and the characters that none does; those are left out.

    A run goes on for as long as its face has the glyphs, so that words are not cut at their punctuation.
    """
    runs: list[Run] = []
    missing: set[str] = set()
    current: FontFace | None = None
    unseen = ""
    for cluster in clusters(text):
        if all(category(char) == "Cf" for char in cluster):
            unseen += cluster  # a mark of direction goes with what it is for
            continue
        if current is None or not current.draws(cluster):
            found = next((face for face in faces if face.draws(cluster)), None)
            if found is None and len(cluster) > 1:  # a mark that no face has for this letter: the letter without it
                missing.update(cluster[1:])
                cluster = cluster[0]
                found = next((face for face in faces if face.draws(cluster)), None)
            if found is None:
                missing.add(cluster)
                continue
            current = found
        if runs and runs[-1].face is current:
            runs[-1] = Run(text=runs[-1].text + unseen + cluster, face=current)
        else:
            runs.append(Run(text=unseen + cluster, face=current))
        unseen = ""
    if unseen and runs:
        runs[-1] = Run(text=runs[-1].text + unseen, face=runs[-1].face)
    return runs, missing


def script_of(char: str) -> str:
    """What to call the script of a character that could not be drawn: `Tamil`, `Hangul`, `symbols`."""
    if category(char)[0] not in "LM":
        return "symbols"
    first = name(char, "unknown characters").split()[0]
    return {"CJK": "Chinese characters"}.get(first, first.capitalize())


def fonts_folder() -> Path:
    """The shipped fonts. Source: package data; the wheel is always unpacked on disk."""
    return Path(str(resources.files("vidgend") / "data" / "fonts"))


def machine_fonts(own: Path | None = None, *, default: str = SHIPPED) -> FontCatalog:
    """What this machine has: the shipped fonts, the user's folder, the extra `fonts`, the system's folders."""
    folders = [fonts_folder()]
    if own is not None:
        folders.append(own.expanduser())
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parent)
    folders += [Path(folder).expanduser() for folder in _SYSTEM]
    return FontCatalog(folders, default=default or SHIPPED)
