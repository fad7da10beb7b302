"""What Pixabay sends, checked, and turned into candidates. Fields that vidgend does not need are ignored.

Source: https://pixabay.com/api/docs/ (search images, search videos). A video has four sizes, of which `large` may be
missing: then its address is empty. A photo's largest public size fits into 1280 px; `fullHDURL` and `imageURL` come to
accounts with full access alone.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.footage.wire import (
    MAX_LINK_CHARS,
    MAX_SIDE_PX,
    Senseless,
    fitted,
    is_link,
    parse_entries,
    parse_page,
    slug_words,
    tags_of,
    told_bytes,
    web,
    words,
)

LICENCE = "Pixabay Content License"
LICENCE_URL = "https://pixabay.com/service/license-summary/"
_LARGE_PX, _FULL_HD_PX = (1280, 1280), (1920, 1920)
_VIDEO_SIZES = ("large", "medium", "small", "tiny")


class _Page(BaseModel):
    hits: list[Any]


class _Hit(BaseModel):
    id: int = Field(gt=0)
    pageURL: str = ""
    tags: str = Field(default="", max_length=10_000)
    user: str = ""
    user_id: int = 0


class _Video(_Hit):
    duration: float = Field(default=0, ge=0)
    videos: dict[str, Any]


class _File(BaseModel):
    url: str = Field(min_length=1, max_length=MAX_LINK_CHARS)
    width: int = Field(gt=0, le=MAX_SIDE_PX)
    height: int = Field(gt=0, le=MAX_SIDE_PX)
    size: Any = None
    thumbnail: Any = None


class _Photo(_Hit):
    imageWidth: int = Field(gt=0, le=MAX_SIDE_PX)
    imageHeight: int = Field(gt=0, le=MAX_SIDE_PX)
    imageSize: Any = None
    imageURL: Any = None
    fullHDURL: Any = None
    largeImageURL: Any = None
    webformatURL: Any = None
    webformatWidth: int = Field(default=0, ge=0, le=MAX_SIDE_PX)
    webformatHeight: int = Field(default=0, ge=0, le=MAX_SIDE_PX)


def parse_videos(body: bytes) -> tuple[Candidate, ...]:
    """Candidates in Pixabay's order; entries that make no sense are left out.

    Raises: ProviderGarbage if the answer as a whole, or every entry in it, makes no sense.
    """
    return parse_entries(parse_page(body, _Page, name="Pixabay").hits, _video, name="Pixabay")


def parse_photos(body: bytes) -> tuple[Candidate, ...]:
    """As `parse_videos`. The ids begin with `photo-`: those of videos are counted apart."""
    return parse_entries(parse_page(body, _Page, name="Pixabay").hits, _photo, name="Pixabay")


def _video(raw: Any) -> Candidate:
    video = _Video.model_validate(raw)
    files = [file for name in _VIDEO_SIZES if (file := _file(video.videos.get(name))) is not None]
    if not files:
        raise Senseless
    largest = max(files, key=lambda file: file.width * file.height)
    tags = tags_of(video.tags.split(","))
    title = _title(video)
    return Candidate(
        provider="pixabay",
        id=str(video.id),
        kind="video",
        description=title or ", ".join(tags[:5]),
        renditions=tuple(
            Rendition(url=file.url, width_px=file.width, height_px=file.height, size_bytes=told_bytes(file.size))
            for file in files
        ),
        duration_s=video.duration or None,
        credit=_credit(video, title),
        preview_url=next((file.thumbnail for file in reversed(files) if is_link(file.thumbnail)), None),
        tags=tags,
        width_px=largest.width,
        height_px=largest.height,
    )


def _photo(raw: Any) -> Candidate:
    photo = _Photo.model_validate(raw)
    full = photo.imageWidth, photo.imageHeight
    offered = (
        (photo.imageURL, full, told_bytes(photo.imageSize)),
        (photo.fullHDURL, fitted(*full, _FULL_HD_PX), 0),
        (photo.largeImageURL, fitted(*full, _LARGE_PX), 0),
        (photo.webformatURL, (photo.webformatWidth, photo.webformatHeight), 0),
    )
    renditions = tuple(
        Rendition(url=url, width_px=width_px, height_px=height_px, size_bytes=size_bytes)
        for url, (width_px, height_px), size_bytes in offered
        if is_link(url)
    )
    if not renditions:
        raise Senseless
    tags = tags_of(photo.tags.split(","))
    title = _title(photo)
    return Candidate(
        provider="pixabay",
        id=f"photo-{photo.id}",
        kind="photo",
        description=title or ", ".join(tags[:5]),
        renditions=renditions,
        credit=_credit(photo, title),
        preview_url=photo.webformatURL if is_link(photo.webformatURL) else None,
        tags=tags,
        width_px=renditions[0].width_px,
        height_px=renditions[0].height_px,
    )


def _file(raw: Any) -> _File | None:
    try:
        return _File.model_validate(raw)
    except ValidationError:
        return None


def _title(hit: _Hit) -> str:
    """Older videos have no words in their address, only `id-125`."""
    title = slug_words(hit.pageURL)
    return "" if title == "id" else title


def _credit(hit: _Hit, title: str) -> Credit:
    author = words(hit.user)
    known = author and hit.user_id > 0
    return Credit(
        provider="pixabay",
        author=author,
        author_url=f"https://pixabay.com/users/{quote(author, safe='')}-{hit.user_id}/" if known else "",
        page_url=web(hit.pageURL),
        licence=LICENCE,
        licence_url=LICENCE_URL,
        title=title,
    )
