"""x264, x265 and SVT-AV1: they run anywhere, on the CPU."""

from __future__ import annotations

from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Native
from vidgend.pipeline.encoders.scales import LARGE_PX, LOOKAHEAD_LARGE, SVT_AV1, SVT_LOOKAHEAD_LARGE, X264, X265


def _x264(native: Native) -> dict[str, Any]:
    options = {
        "preset": native.preset, "crf": native.quality, "profile:v": "high", "pix_fmt": "yuv420p",
        "threads": native.threads,
    }  # fmt: skip
    if native.pixels > LARGE_PX and native.preset not in ("ultrafast", "superfast", "veryfast"):
        options["rc-lookahead"] = LOOKAHEAD_LARGE
    return options


def _x265(native: Native) -> dict[str, Any]:
    """`pools` is its number of threads (`-threads` would be frames at once). It speaks on stderr unless told not to,
    and writes its settings into the first frame unless told not to. An open group of pictures could not be joined."""
    own = {"open-gop": 0, "info": 0, "log-level": "error"}
    if native.threads:
        own |= {"pools": native.threads, "frame-threads": min(native.threads, 2)}
    if native.pixels > LARGE_PX:
        own["rc-lookahead"] = LOOKAHEAD_LARGE
    return {
        "preset": native.preset, "crf": native.quality, "profile:v": "main", "pix_fmt": "yuv420p",
        "x265-params": _joined(own),
    }  # fmt: skip


def _svt_av1(native: Native) -> dict[str, Any]:
    """`lp` is its level of parallelism, about the number of threads; what it writes does not depend on it."""
    own: dict[str, Any] = {"irefresh-type": 2}
    if native.threads:
        own["lp"] = min(native.threads, 6)
    if native.pixels > LARGE_PX and int(native.preset) < 8:
        own["lookahead"] = SVT_LOOKAHEAD_LARGE
    return {
        "preset": native.preset, "crf": native.quality, "pix_fmt": "yuv420p", "svtav1-params": _joined(own),
    }  # fmt: skip


def _joined(own: dict[str, Any]) -> str:
    return ":".join(f"{name}={value}" for name, value in own.items())


SOFTWARE = (
    Encoder(name="libx264", codec="h264", software="libx264", scale=X264, options=_x264),
    Encoder(name="libx265", codec="hevc", software="libx265", scale=X265, options=_x265),
    Encoder(name="libsvtav1", codec="av1", software="libsvtav1", scale=SVT_AV1, options=_svt_av1, decoder="libdav1d"),
)
