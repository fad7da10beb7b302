"""Which stand-in belongs to which stock service, and small files for it to offer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from standins.openverse_standin import OpenverseStandin
from standins.pexels_standin import PexelsStandin
from standins.pixabay_standin import PixabayStandin
from standins.stock_standin import StandinClip, StockStandin

from vidgend.pipeline.footage.openverse import OpenverseFootage
from vidgend.pipeline.footage.pexels import PexelsFootage
from vidgend.pipeline.footage.pixabay import PixabayFootage
from vidgend.pipeline.footage.stock import StockFootage

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 900
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 900
STANDINS: dict[str, type[StockStandin]] = {
    "pexels": PexelsStandin, "pixabay": PixabayStandin, "openverse": OpenverseStandin,
}  # fmt: skip
_CLIPS = (
    ("sea-waves", 1920, 1080, 12),
    ("dark-storm-over-sea", 1920, 1080, 4),
    ("storm-clouds", 3840, 2160, 20),
    ("tall-tower", 1080, 1920, 9),
)


def adapter(name: str, standin: StockStandin, client: httpx.AsyncClient, **options: Any) -> StockFootage:
    """The adapter of a service, asking its stand-in, without pauses between tries."""
    options = {"base_url": standin.base_url, "client": client, "retry_wait_s": 0.0, **options}
    if name == "openverse":
        return OpenverseFootage(**options)
    options = {"api_key": standin.key, **options}
    return PexelsFootage(**options) if name == "pexels" else PixabayFootage(**options)


def content_of(name: str) -> bytes:
    """What the first kind of media of a service is, in the files of `offer`."""
    return JPEG if name == "openverse" else MP4


def offer(folder: Path, names: tuple[tuple[str, int, int, int], ...] = _CLIPS) -> tuple[StandinClip, ...]:
    """Each as a video and as a photo."""
    folder.mkdir(exist_ok=True)
    made = []
    for suffix, content in ((".mp4", MP4), (".jpg", JPEG)):
        for name, width, height, duration_s in names:
            path = folder / f"{name}{suffix}"
            path.write_bytes(content)
            made.append(StandinClip(path=path, width=width, height=height, duration_s=duration_s))
    return tuple(made)
