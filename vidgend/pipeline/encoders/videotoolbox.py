"""Apple's encoders. There is none for AV1."""

from __future__ import annotations

from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Native
from vidgend.pipeline.encoders.scales import VIDEOTOOLBOX


def _constant_quality(native: Native) -> dict[str, Any]:
    """Only Apple's own processors have a constant quality; on an Intel Mac this fails, and software takes over."""
    return {
        "q:v": native.quality, "prio_speed": native.preset, "realtime": 0, "allow_sw": 0, "bf": 0,
        "pix_fmt": "yuv420p",
    }  # fmt: skip


VIDEO_TOOLBOX = (
    Encoder(
        name="h264_videotoolbox", codec="h264", software="libx264", scale=VIDEOTOOLBOX,
        options=lambda native: _constant_quality(native) | {"profile:v": "high"},
    ),
    Encoder(
        name="hevc_videotoolbox", codec="hevc", software="libx265", scale=VIDEOTOOLBOX,
        options=lambda native: _constant_quality(native) | {"profile:v": "main"},
    ),
)  # fmt: skip
