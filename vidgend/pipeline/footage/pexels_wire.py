"""What Pexels sends, checked, and turned into candidates. Fields that vidgend does not need are ignored.

Source: https://www.pexels.com/api/documentation/ (the photo and the video resource) and one recorded answer.
"""

from __future__ import annotations

import contextlib
from typing import Any

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
    rgb,
    slug_words,
    tags_of,
    told_bytes,
    web,
    words,
)

LICENCE = "Pexels License"
LICENCE_URL = "https://www.pexels.com/license/"
_LARGE2X_PX, _LARGE_PX = (1880, 1300), (940, 650)
"""The boxes that `src.large2x` and `src.large` are made to fit into. The other sizes are smaller or cut to shape."""


class _File(BaseModel):
    file_type: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    link: str = Field(min_length=1, max_length=MAX_LINK_CHARS)
    size: Any = None


class _User(BaseModel):
    name: str = ""
    url: str = ""


class _Video(BaseModel):
    id: int = Field(gt=0)
    url: str = ""
    duration: float = Field(default=0, ge=0)
    tags: list[Any] = []
    user: _User = _User()
    video_files: list[Any] = []
    image: Any = None
    video_pictures: Any = None
    avg_color: Any = None


class _Picture(BaseModel):
    nr: int = 0
    picture: str


class _Photo(BaseModel):
    id: int = Field(gt=0)
    width: int = Field(gt=0, le=MAX_SIDE_PX)
    height: int = Field(gt=0, le=MAX_SIDE_PX)
    url: str = ""
    photographer: str = ""
    photographer_url: str = ""
    avg_color: Any = None
    alt: Any = None
    src: dict[str, Any]


class _Videos(BaseModel):
    videos: list[Any]


class _Photos(BaseModel):
    photos: list[Any]


def parse_videos(body: bytes) -> tuple[Candidate, ...]:
    """Candidates in Pexels' order; entries that make no sense are left out.

    Raises: ProviderGarbage if the answer as a whole, or every entry in it, makes no sense.
    """
    return parse_entries(parse_page(body, _Videos, name="Pexels").videos, _video, name="Pexels")


def parse_photos(body: bytes) -> tuple[Candidate, ...]:
    """As `parse_videos`. The ids begin with `photo-`: those of videos are counted apart."""
    return parse_entries(parse_page(body, _Photos, name="Pexels").photos, _photo, name="Pexels")


def _video(raw: Any) -> Candidate:
    video = _Video.model_validate(raw)
    renditions = tuple(rendition for item in video.video_files if (rendition := _rendition(item)) is not None)
    if not renditions:
        raise Senseless
    largest = max(renditions, key=lambda item: item.width_px * item.height_px)
    title = slug_words(video.url)
    return Candidate(
        provider="pexels",
        id=str(video.id),
        kind="video",
        description=title,
        renditions=renditions,
        duration_s=video.duration or None,
        credit=_credit(author=video.user.name, author_url=video.user.url, page_url=video.url, title=title),
        preview_url=_preview(video),
        tags=tags_of(video.tags),
        average_rgb=rgb(video.avg_color),
        width_px=largest.width_px,
        height_px=largest.height_px,
    )


def _photo(raw: Any) -> Candidate:
    photo = _Photo.model_validate(raw)
    full = photo.width, photo.height
    sizes = {"original": full, "large2x": fitted(*full, _LARGE2X_PX), "large": fitted(*full, _LARGE_PX)}
    renditions = tuple(
        Rendition(url=photo.src[name], width_px=width_px, height_px=height_px)
        for name, (width_px, height_px) in sizes.items()
        if is_link(photo.src.get(name))
    )
    if not renditions:
        raise Senseless
    title = words(photo.alt) or slug_words(photo.url)
    preview = next((photo.src[name] for name in ("medium", "large", "small") if is_link(photo.src.get(name))), None)
    return Candidate(
        provider="pexels",
        id=f"photo-{photo.id}",
        kind="photo",
        description=title,
        renditions=renditions,
        credit=_credit(author=photo.photographer, author_url=photo.photographer_url, page_url=photo.url, title=title),
        preview_url=preview,
        average_rgb=rgb(photo.avg_color),
        width_px=renditions[0].width_px,
        height_px=renditions[0].height_px,
    )


def _credit(*, author: str, author_url: str, page_url: str, title: str) -> Credit:
    return Credit(
        provider="pexels",
        author=words(author),
        author_url=web(author_url),
        page_url=web(page_url),
        licence=LICENCE,
        licence_url=LICENCE_URL,
        title=title,
    )


def _preview(video: _Video) -> str | None:
    """A frame from a third of the video. `image` is only the second best: it is cut to one shape for all videos."""
    pictures = []
    for raw in video.video_pictures if isinstance(video.video_pictures, list) else ():
        with contextlib.suppress(ValidationError):
            pictures.append(_Picture.model_validate(raw))
    pictures.sort(key=lambda picture: picture.nr)
    third = len(pictures) // 3
    urls = [picture.picture for picture in (*pictures[third:], *pictures[:third])]
    return next((url for url in (*urls, video.image) if is_link(url)), None)


def _rendition(raw: Any) -> Rendition | None:
    """None for streaming playlists, which come with another type and without a size."""
    try:
        item = _File.model_validate(raw)
    except ValidationError:
        return None
    if item.file_type != "video/mp4" or not item.width or not item.height:
        return None
    if not (0 < item.width <= MAX_SIDE_PX and 0 < item.height <= MAX_SIDE_PX):
        return None
    return Rendition(
        url=item.link,
        width_px=item.width,
        height_px=item.height,
        fps=item.fps or 0.0,
        size_bytes=told_bytes(item.size),
    )
