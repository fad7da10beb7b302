"""What the owner calls a file: its name, its folders, and what lies beside it or is written into it. Hostile text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from vidgend.pipeline.footage.library_files import FoundFile, read_start

MAX_SIDECAR_BYTES = 1_000_000
MAX_TEXT = 400
MAX_TAGS = 40
MAX_TAG = 60

_TEXT_KEYS = ("title", "headline", "description", "caption")
_TAG_KEYS = ("keywords", "tags", "subject", "categories", "people")
_DC = "{http://purl.org/dc/elements/1.1/}"
_PACKET, _PACKET_END, _MAX_PACKET_BYTES = b"<x:xmpmeta", b"</x:xmpmeta>", 200_000


@dataclass(frozen=True, kw_only=True)
class Caption:
    """`text`: sentences, `tags`: single words and names."""

    text: str = ""
    tags: tuple[str, ...] = ()

    def __add__(self, other: Caption) -> Caption:
        known = self.text.casefold()
        more = other.text if other.text.casefold() not in known else ""
        return caption([self.text, more], [*self.tags, *other.tags])


def caption(texts: Iterable[str], tags: Iterable[str] = ()) -> Caption:
    """Bounded, one line, without control characters, each tag once."""
    told = dict.fromkeys(_line(text, MAX_TEXT) for text in texts)
    kept = dict.fromkeys(_line(tag, MAX_TAG) for tag in tags)
    return Caption(text=". ".join(filter(None, told))[:MAX_TEXT], tags=tuple(filter(None, kept))[:MAX_TAGS])


def by_name(relative: str) -> Caption:
    """The file's name without its suffix, and its folders, innermost first."""
    *folders, name = relative.split("/")
    return caption([_spaced(name.rpartition(".")[0])], [_spaced(folder) for folder in reversed(folders)])


def of_file(file: FoundFile) -> Caption:
    """By name and sidecars. What cannot be read is left out: the file is found by its name then."""
    found = by_name(file.relative)
    for path in file.sidecars:
        try:
            raw = read_start(path, MAX_SIDECAR_BYTES + 1)
        except OSError:
            continue
        if len(raw) <= MAX_SIDECAR_BYTES:
            found += of_sidecar(path, raw)
    return found


def of_sidecar(name: str, raw: bytes) -> Caption:
    """What a file beside a clip says; nothing if it is not what its name says."""
    if name.endswith(".xmp"):
        return of_xmp(raw)
    text = raw.decode("utf-8-sig", "replace")
    if not name.endswith(".json"):
        return caption([text])
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return Caption()
    if not isinstance(told, dict):
        return Caption()
    texts = [value for key in _TEXT_KEYS if isinstance(value := told.get(key), str)]
    return caption(texts, (tag for key in _TAG_KEYS for tag in _tags(told.get(key))))


def of_xmp(raw: bytes) -> Caption:
    """Title, description and keywords of an XMP file, or of the first such packet inside a photo.

    Source: XMP specification part 1, section 8.3 (Dublin Core namespace).
    """
    start = raw.find(_PACKET)
    end = raw.find(_PACKET_END, start, start + _MAX_PACKET_BYTES) if start >= 0 else -1
    packet = raw[start : end + len(_PACKET_END)]
    if end < 0 or b"<!" in packet:  # no entities, no document types
        return Caption()
    try:
        tree = ElementTree.fromstring(packet)
    except ElementTree.ParseError:
        return Caption()
    return caption(
        [text for name in ("title", "description") for text in _listed(tree, name)], _listed(tree, "subject")
    )


def of_header(said: Sequence[tuple[str, str]]) -> Caption:
    """Of (name, text) pairs as ffmpeg prints them."""
    texts = [text for name, text in said if name not in _TAG_KEYS]
    return caption(texts, (tag for name, text in said if name in _TAG_KEYS for tag in _tags(text)))


def _listed(tree: ElementTree.Element, name: str) -> list[str]:
    """The texts of the first property of that name: its own, or those of the items of its list."""
    first = next(tree.iter(_DC + name), None)
    return [item.text or "" for item in first.iter() if not len(item)] if first is not None else []


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        return re.split(r"[,;|]", value)
    if not isinstance(value, list):
        return []
    named = (item.get("name") if isinstance(item, dict) else item for item in value[: MAX_TAGS * 2])
    return [item for item in named if isinstance(item, str)]


def _spaced(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _line(text: str, most: int) -> str:
    words = "".join(char if char.isprintable() else " " for char in text[: most * 4]).split()
    return " ".join(words)[:most].strip()
