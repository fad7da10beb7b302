"""NVIDIA's encoders. B-frames are left out on all hardware: not every card has them, and what is joined needs none."""

from __future__ import annotations

from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Native
from vidgend.pipeline.encoders.scales import AV1_NVENC, H264_NVENC, HEVC_NVENC


def _constant_quality(native: Native) -> dict[str, Any]:
    """`cq` in mode `vbr` with no bit rate is its constant quality. Source: ffmpeg -h encoder=h264_nvenc."""
    return {
        "preset": native.preset, "tune": "hq", "rc": "vbr", "cq": native.quality, "b:v": 0, "bf": 0,
        "pix_fmt": "yuv420p",
    }  # fmt: skip


NVENC = (
    Encoder(
        name="h264_nvenc", codec="h264", software="libx264", scale=H264_NVENC,
        options=lambda native: _constant_quality(native) | {"profile:v": "high"},
    ),
    Encoder(
        name="hevc_nvenc", codec="hevc", software="libx265", scale=HEVC_NVENC,
        options=lambda native: _constant_quality(native) | {"profile:v": "main"},
    ),
    Encoder(
        name="av1_nvenc", codec="av1", software="libsvtav1", scale=AV1_NVENC, options=_constant_quality,
    ),
)  # fmt: skip
