"""VA-API: Intel's and AMD's encoders under Linux."""

from __future__ import annotations

from typing import Any

from vidgend.pipeline.encoders.port import Encoder, Filter, Native
from vidgend.pipeline.encoders.scales import AV1_VAAPI, H264_VAAPI, HEVC_VAAPI

_UPLOAD: tuple[Filter, ...] = (("format", {"pix_fmts": "nv12"}), ("hwupload", {}))


def _constant_quantizer(native: Native) -> dict[str, Any]:
    """CQP is the one mode that every driver has. Source: ffmpeg, libavcodec/vaapi_encode.c, which takes
    `global_quality` for it. The device is the first that there is, and filters take the last that was named."""
    return {
        "init_hw_device": "vaapi=va", "rc_mode": "CQP", "global_quality": native.quality,
        "bf": 0,
    }  # fmt: skip


VAAPI = (
    Encoder(
        name="h264_vaapi", codec="h264", software="libx264", scale=H264_VAAPI, options=_constant_quantizer,
        upload=_UPLOAD,
    ),
    Encoder(
        name="hevc_vaapi", codec="hevc", software="libx265", scale=HEVC_VAAPI, options=_constant_quantizer,
        upload=_UPLOAD,
    ),
    Encoder(
        name="av1_vaapi", codec="av1", software="libsvtav1", scale=AV1_VAAPI, options=_constant_quantizer,
        upload=_UPLOAD,
    ),
)  # fmt: skip
