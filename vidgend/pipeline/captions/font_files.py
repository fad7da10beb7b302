"""One face of a font file: what it is called, which characters it draws, how wide a text is in it.

Read with HarfBuzz, which also shapes in libass. Variable fonts are handed to libass as fixed bold ones: it only draws
their default, which is thin or regular.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from unicodedata import category, normalize

import uharfbuzz as hb

BOLD = 700.0
MAX_FILE_BYTES = 128 << 20
SMALL_BYTES = 1 << 20
"""Variable fonts below this are kept whole; larger ones (Chinese, Japanese, Korean) only with what is written."""
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_OUTLINES = {"glyf", "CFF", "CFF2"}
_SELECTORS = {chr(code) for code in range(0xFE00, 0xFE10)}
_COLOURED = {"CBDT", "COLR", "SVG", "sbix"}
"""Emoji in colour: libass draws nothing or blanks for them."""


class FontFace:
    """A face of a font file. Opening it reads its names only."""

    def __init__(self, path: Path, index: int, blob: hb.Blob) -> None:
        self.path = path
        self.index = index
        self._face = hb.Face(blob, index)
        names = {entry.name_id for entry in self._face.list_names()}
        family = self._face.get_name(hb.OTNameIdPredefined.FONT_FAMILY) or path.stem
        whole = self._face.get_name(hb.OTNameIdPredefined.TYPOGRAPHIC_FAMILY) if 16 in names else None
        # It goes into a tag of a subtitle file, so nothing but a plain name will do.
        self.family = re.sub(r"[{}\\,\x00-\x1f]", "", family).strip().lstrip("@")
        self.names = {name.casefold() for name in (self.family, whole) if name}
        self._axes = {axis.tag: axis for axis in self._face.axis_infos}
        os2 = self._table("OS/2")
        self.weight = struct.unpack_from(">H", os2, 4)[0] if len(os2) >= 6 else 400
        if (axis := self._axes.get("wght")) is not None:
            self.weight = min(max(BOLD, axis.min_value), axis.max_value)
        self.italic = len(os2) >= 64 and bool(struct.unpack_from(">H", os2, 62)[0] & 1)
        tags = {tag.strip() for tag in self._face.table_tags}
        self.has_outlines = not tags.isdisjoint(_OUTLINES) and tags.isdisjoint(_COLOURED)

    def _table(self, tag: str) -> bytes:
        data = self._face.reference_table(tag).data
        return bytes(data) if data else b""

    @cached_property
    def extents(self) -> tuple[float, float]:
        """How far a line reaches above and below its base line, in em. libass takes their sum for the font's size."""
        os2, hhea = self._table("OS/2"), self._table("hhea")
        if len(os2) >= 78 and sum(struct.unpack_from(">HH", os2, 74)) > 0:
            up, down = struct.unpack_from(">HH", os2, 74)
        else:
            up, down = struct.unpack_from(">hh", hhea, 4) if len(hhea) >= 8 else (self._face.upem, 0)
            down = -down
        return up / self._face.upem, down / self._face.upem

    @property
    def line_height(self) -> float:
        return sum(self.extents)

    @cached_property
    def _font(self) -> hb.Font:
        font = hb.Font(self._face)
        if "wght" in self._axes:
            font.set_variations({"wght": float(self.weight)})
        return font

    @cached_property
    def _drawn(self) -> hb.Set:
        return self._face.unicodes

    @cached_property
    def digest(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def draws(self, cluster: str) -> bool:
        """Whether there is a glyph for each of the characters that show something."""
        return all(ord(char) in self._drawn or category(char) == "Cf" or char in _SELECTORS for char in cluster)

    def width(self, text: str) -> float:
        """Width of `text` in em."""
        return _width(self, text)

    def shape_width(self, text: str) -> float:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        return float(sum(position.x_advance for position in buffer.glyph_positions) / self._face.upem)

    def lay_into(self, folder: Path, text: str) -> None:
        """Put a file into `folder` from which libass can draw `text` in this face, bold if the font can be."""
        name = f"{self.digest[:16]}-{self.index}{self.path.suffix.lower()}"
        if not self._axes:
            (folder / name).symlink_to(self.path)
            return
        wanted = hb.SubsetInput()
        if self.path.stat().st_size <= SMALL_BYTES:
            wanted.keep_everything()
        else:
            letters = {ord(char) for char in text + normalize("NFD", text) + normalize("NFC", text)}
            wanted.sets(hb.SubsetInputSets.UNICODE).update(letters)
            wanted.sets(hb.SubsetInputSets.NAME_ID).update(range(26))
        for tag in self._axes:
            if tag == "wght":
                wanted.pin_axis_location(self._face, tag, float(self.weight))
            else:
                wanted.pin_axis_to_default(self._face, tag)
        (folder / name).with_suffix(".otf").write_bytes(hb.subset(self._face, wanted).blob.data)


@lru_cache(maxsize=20_000)
def _width(face: FontFace, text: str) -> float:
    return face.shape_width(text)


def _read(path: Path) -> Iterator[FontFace]:
    blob = hb.Blob.from_file_path(str(path))
    for index in range(min(hb.Face(blob).count, 32)):
        face = FontFace(path, index, blob)
        if face.family and face.has_outlines:
            yield face


def read_faces(folder: Path) -> list[FontFace]:
    """The faces of all font files in a folder and below, in order; files that are none are left out."""
    faces: list[FontFace] = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.suffix.lower() not in _SUFFIXES:
            continue
        try:
            if path.is_file() and path.stat().st_size <= MAX_FILE_BYTES:
                faces += _read(path.resolve())
        except (OSError, ValueError, struct.error, hb.HarfBuzzError):
            continue
    return faces
