"""Intel's Quick Sync Video."""

from __future__ import annotations

from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Native
from vidgend.pipeline.encoders.scales import AV1_QSV, H264_QSV, HEVC_QSV


def _constant_quality(native: Native) -> dict[str, Any]:
    """`global_quality` without a bit rate is its constant quality (ICQ). Source: ffmpeg's manual, "QSV Encoders"."""
    return {"preset": native.preset, "global_quality": native.quality, "bf": 0, "pix_fmt": "nv12"}


QSV = (
    Encoder(
        name="h264_qsv", codec="h264", software="libx264", scale=H264_QSV,
        options=lambda native: _constant_quality(native) | {"profile:v": "high"},
    ),
    Encoder(
        name="hevc_qsv", codec="hevc", software="libx265", scale=HEVC_QSV,
        options=lambda native: _constant_quality(native) | {"profile:v": "main"},
    ),
    Encoder(
        name="av1_qsv", codec="av1", software="libsvtav1", scale=AV1_QSV, options=_constant_quality,
    ),
)  # fmt: skip
