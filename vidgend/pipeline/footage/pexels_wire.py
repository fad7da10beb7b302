"""What Pexels sends, checked, and turned into candidates. Fields that vidgend does not need are ignored."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from vidgend.errors import ProviderGarbage
from vidgend.models import Candidate, Credit, Rendition
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.vocabulary import stems_of

LICENCE = "Pexels License"
_SLUG = re.compile(r"/video/([^/?#]*?)-?(\d+)/?(?:[?#].*)?$")


class _File(BaseModel):
    file_type: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    link: str = Field(min_length=1, max_length=2000)


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


class _Picture(BaseModel):
    nr: int = 0
    picture: str


class _Page(BaseModel):
    videos: list[Any]


def parse_search(body: bytes) -> tuple[Candidate, ...]:
    """Candidates in Pexels' order; entries that make no sense are left out.

    Raises: ProviderGarbage if the answer as a whole, or every entry in it, makes no sense.
    """
    try:
        page = _Page.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise ProviderGarbage("Pexels sent something else than a search answer") from error
    candidates = [candidate for raw in page.videos if (candidate := _candidate(raw)) is not None]
    if page.videos and not candidates:
        raise ProviderGarbage("Pexels sent videos without usable files")
    return tuple(candidates)


def _candidate(raw: Any) -> Candidate | None:
    try:
        video = _Video.model_validate(raw)
    except ValidationError:
        return None
    renditions = [rendition for item in video.video_files if (rendition := _rendition(item)) is not None]
    if not renditions:
        return None
    tags = [tag for tag in video.tags if isinstance(tag, str)]
    return Candidate(
        provider="pexels",
        id=str(video.id),
        kind="video",
        description=" ".join([slug_words(video.url), *tags]).strip()[:300],
        renditions=tuple(renditions),
        duration_s=video.duration or None,
        credit=Credit(
            provider="pexels",
            author=video.user.name[:200],
            author_url=_web(video.user.url),
            page_url=_web(video.url),
            licence=LICENCE,
        ),
        preview_url=_preview(video),
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
    return next((url for url in (*urls, video.image) if _is_link(url)), None)


def _is_link(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= 2000


def _rendition(raw: Any) -> Rendition | None:
    """None for streaming playlists, which come with another type and without a size."""
    try:
        item = _File.model_validate(raw)
    except ValidationError:
        return None
    if item.file_type != "video/mp4" or not item.width or not item.height or min(item.width, item.height) < 1:
        return None
    return Rendition(url=item.link, width_px=item.width, height_px=item.height, fps=item.fps or 0.0)


def _web(url: str) -> str:
    return url[:500] if url.startswith(("https://", "http://")) else ""


def slug_words(url: str) -> str:
    """`a pet dog on a couch` from `https://www.pexels.com/video/a-pet-dog-on-a-couch-2834230/`; "" without words."""
    match = _SLUG.search(url)
    return " ".join(match.group(1).replace("-", " ").split()) if match else ""


def rank(candidates: tuple[Candidate, ...], query: FootageQuery) -> tuple[Candidate, ...]:
    """Pexels' own order, corrected by what it does not know: the wished shape, length and the words of the query."""
    wanted = set(stems_of(query.text))
    step = 1 / max(1, len(candidates))

    def penalty(place: int, candidate: Candidate) -> float:
        has = set(stems_of(candidate.description))
        missing = 1 - len(wanted & has) / len(wanted) if wanted else 0.0
        short = 0.0
        if candidate.duration_s is not None and candidate.duration_s < query.duration_s:
            short = 1 - candidate.duration_s / query.duration_s
        return place * step + 2 * (_shape(candidate) != query.orientation) + short + missing

    order = sorted(range(len(candidates)), key=lambda place: penalty(place, candidates[place]))
    return tuple(candidates[place] for place in order)


def _shape(candidate: Candidate) -> str:
    largest = max(candidate.renditions, key=lambda item: item.width_px * item.height_px)
    if largest.width_px == largest.height_px:
        return "square"
    return "landscape" if largest.width_px > largest.height_px else "portrait"
