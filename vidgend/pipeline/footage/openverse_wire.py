"""What Openverse sends, checked, and turned into candidates. Fields that vidgend does not need are ignored.

Source: https://api.openverse.org/v1/ (images, search) and its serializers at https://github.com/WordPress/openverse.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, Field

from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.footage.wire import (
    MAX_SIDE_PX,
    Senseless,
    is_link,
    parse_entries,
    parse_page,
    tags_of,
    told_bytes,
    web,
    words,
)

Licence = Literal["cc0", "pdm", "by", "by-sa"]
"""Those that allow both commercial use and changes."""
_NAMES: dict[Licence, str] = {"cc0": "CC0", "pdm": "Public Domain Mark", "by": "CC BY", "by-sa": "CC BY-SA"}
_FILE_TYPES = ("jpg", "jpeg", "png", "webp", "")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_VERSION = re.compile(r"\d{1,2}(\.\d{1,2})?")


class _Page(BaseModel):
    results: list[Any]


class _Image(BaseModel):
    id: str
    title: Any = None
    url: Any = None
    thumbnail: Any = None
    width: int | None = Field(default=None, le=MAX_SIDE_PX)
    height: int | None = Field(default=None, le=MAX_SIDE_PX)
    filesize: Any = None
    filetype: str | None = None
    creator: Any = None
    creator_url: Any = None
    foreign_landing_url: Any = None
    license: str = ""
    license_version: str | None = None
    license_url: Any = None
    mature: bool = False
    tags: list[Any] | None = None


def parse_images(body: bytes, licences: Collection[Licence]) -> tuple[Candidate, ...]:
    """Candidates in Openverse's order, those alone whose licence is one of `licences`; entries that make no sense are
    left out.

    Raises: ProviderGarbage if the answer as a whole, or every entry in it, makes no sense.
    """
    page = parse_page(body, _Page, name="Openverse")
    return parse_entries(page.results, partial(_candidate, licences=licences), name="Openverse")


def _candidate(raw: Any, *, licences: Collection[Licence]) -> Candidate | None:
    image = _Image.model_validate(raw)
    licence = next((known for known in _NAMES if known == image.license.lower()), None)
    if not _ID.fullmatch(image.id) or not is_link(image.url):
        raise Senseless
    if licence not in licences or licence is None or image.mature:
        return None
    if (image.filetype or "").lower() not in _FILE_TYPES:  # drawings and moving pictures
        return None
    title = words(image.title)
    tags = tags_of(tag.get("name") for tag in image.tags or () if isinstance(tag, dict))
    width_px, height_px = max(0, image.width or 0), max(0, image.height or 0)
    return Candidate(
        provider="openverse",
        id=image.id,
        kind="photo",
        description=title or ", ".join(tags[:5]),
        renditions=(
            Rendition(url=image.url, width_px=width_px, height_px=height_px, size_bytes=told_bytes(image.filesize)),
        ),
        credit=Credit(
            provider="openverse",
            author=words(image.creator),
            author_url=web(image.creator_url),
            page_url=web(image.foreign_landing_url),
            licence=_licence_name(licence, image.license_version),
            licence_url=web(image.license_url),
            title=title,
        ),
        preview_url=image.thumbnail if is_link(image.thumbnail) else None,
        tags=tags,
        width_px=width_px,
        height_px=height_px,
    )


def _licence_name(licence: Licence, version: str | None) -> str:
    number = version if version and _VERSION.fullmatch(version) else ""
    return f"{_NAMES[licence]} {number}".rstrip()
