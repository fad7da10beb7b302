"""Encoders by name."""

from __future__ import annotations

from vidgend.pipeline.encoders.nvenc import NVENC
from vidgend.pipeline.encoders.port import Encoder
from vidgend.pipeline.encoders.qsv import QSV
from vidgend.pipeline.encoders.software import SOFTWARE
from vidgend.pipeline.encoders.vaapi import VAAPI
from vidgend.pipeline.encoders.videotoolbox import VIDEO_TOOLBOX

ENCODERS: dict[str, Encoder] = {one.name: one for one in (*SOFTWARE, *NVENC, *QSV, *VAAPI, *VIDEO_TOOLBOX)}

AUTO = ("h264_nvenc", "h264_qsv", "h264_vaapi", "h264_videotoolbox")
"""What `auto` tries in this order, before libx264. H.264 only: it is what every player has."""


def find_encoder(name: str) -> Encoder:
    """Raises: KeyError for a name that is in no family."""
    return ENCODERS[name]


def software_of(name: str) -> str:
    """The software encoder that a setting needs in any case: the one named, or the one behind the hardware."""
    return "libx264" if name == "auto" else find_encoder(name).software
