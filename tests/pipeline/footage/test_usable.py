"""What of a search answer can be used, and what comes first because of its shape and length alone."""

from __future__ import annotations

from typing import Any

from vidgend.models import Candidate, Credit
from vidgend.pipeline.footage.port import FootageQuery
from vidgend.pipeline.footage.usable import usable


def clip(name: str, **changes: Any) -> Candidate:
    return Candidate(
        **{
            "provider": "p", "id": name, "kind": "video", "description": name, "credit": Credit(provider="p"),
            "width_px": 1080, "height_px": 1920, "duration_s": 9.0, **changes,
        }
    )  # fmt: skip


def order(*clips: Candidate, **query: Any) -> str:
    wanted = FootageQuery(**{"text": "red car", "width_px": 1080, "height_px": 1920, **query})
    return "".join(item.id for item in usable(clips, wanted))


def test_equals_stay_in_the_order_of_the_service_whatever_their_words() -> None:
    assert order(clip("a", description="sky"), clip("b", description="red car"), clip("c")) == "abc"


def test_a_long_enough_clip_passes_a_short_one() -> None:
    assert order(clip("a", duration_s=2.0), clip("b", duration_s=8.0), duration_s=5.0) == "ba"
    assert order(clip("a", duration_s=2.0), clip("b", duration_s=8.0)) == "ab"
    assert order(clip("a", duration_s=None), clip("b"), duration_s=5.0) == "ab", "a photo is never short"


def test_the_right_shape_passes_everything() -> None:
    assert order(clip("a", width_px=1920, height_px=1080), clip("b", duration_s=2.0), duration_s=5.0) == "ba"
    assert order(clip("a", width_px=1080, height_px=1080), clip("b"), width_px=720, height_px=720) == "ab"


def test_what_is_far_too_small_or_a_blink_is_left_out() -> None:
    small = clip("a", width_px=269, height_px=480), clip("b", width_px=270, height_px=480)
    assert order(*small) == "b"
    assert order(clip("a", duration_s=0.9), clip("b", duration_s=1.0)) == "b"


def test_a_picture_of_unknown_size_is_kept_but_last() -> None:
    assert order(clip("a", width_px=0, height_px=0), clip("b")) == "ba"
