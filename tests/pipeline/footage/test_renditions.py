"""Which size of a clip is taken."""

from __future__ import annotations

from vidgend.models import Rendition
from vidgend.pipeline.footage.renditions import smallest_cover


def sizes(*pairs: tuple[int, int]) -> list[Rendition]:
    return [Rendition(url=f"{width}x{height}", width_px=width, height_px=height) for width, height in pairs]


def taken(width_px: int, height_px: int, *pairs: tuple[int, int]) -> str | None:
    found = smallest_cover(sizes(*pairs), width_px=width_px, height_px=height_px)
    return found.url if found else None


def test_the_smallest_that_covers_is_taken() -> None:
    assert taken(1280, 720, (3840, 2160), (1280, 720), (1920, 1080), (960, 540)) == "1280x720"


def test_a_tall_clip_must_cover_a_wide_target_in_its_width() -> None:
    assert taken(1920, 1080, (1080, 1920), (2160, 3840)) == "2160x3840"


def test_a_wide_clip_must_cover_a_tall_target_in_its_height() -> None:
    assert taken(1080, 1920, (1920, 1080), (3840, 2160)) == "3840x2160"


def test_the_largest_is_taken_when_none_covers() -> None:
    assert taken(3840, 2160, (960, 540), (1920, 1080), (1280, 720)) == "1920x1080"


def test_no_files_is_none() -> None:
    assert taken(10, 10) is None


def test_a_size_that_is_not_known_is_the_last_choice() -> None:
    assert taken(100, 100, (0, 0), (50, 50)) == "50x50"
    assert taken(100, 100, (0, 0)) == "0x0"
