"""Speed and quality of every encoder, and where each number is from.

Measured: `python -m bench encoders` (docs/encoders.md has the tables), the crf of x265 and of SVT-AV1 that gives the
same VMAF as x264's. HandBrake: its own presets for the same picture with different encoders
(preset/preset_builtin.json): 1080p x264 22, NVENC H.265 27, QSV H.265 25, VCN (AMD) H.265 25, VideoToolbox H.265 60;
4K x264 24, NVENC H.265 30, VideoToolbox H.265 55, QSV AV1 24, VCN AV1 120. Immich gives one crf unchanged to x264 and,
for H.264, to NVENC's cq, QSV's global_quality and VA-API's qp (server/src/utils/media.ts). Jellyfin: the presets of
NVENC and QSV (EncodingHelper.cs). No hardware was here to check what is said of hardware.
"""

from __future__ import annotations

from types import MappingProxyType

from vidgend.pipeline.encoders.port import Preset, Scale

WORDS: tuple[Preset, ...] = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower",
)  # fmt: skip
DEFAULT_CRF = 21

LARGE_PX = 2560 * 1440
"""Above this many pixels a frame, what looks ahead is bounded: each frame that waits there takes its memory."""
LOOKAHEAD_LARGE = 20
"""Frames. At 3840x2160 x264 slow took 1.9 GB with its own 50 and 1.1 GB with 20 (measured)."""
SVT_LOOKAHEAD_LARGE = 16
"""One of its groups of frames. At 3840x2160 its preset 6 took 2.7 GB by itself and 1.8 GB so (measured)."""


def _presets(auto: str, *own: str) -> MappingProxyType[str, str]:
    return MappingProxyType({"auto": auto, **dict(zip(WORDS, own, strict=True))})


X264 = Scale(presets=_presets("veryfast", *WORDS), quality=((0, 0), (51, 51)))

# Its crf: measured from 18 to 24, where x264 veryfast and x265 medium have the same VMAF. FFmpeg's wiki (Encode/H.265)
# says that 28 looks like x264's 23, and so do these.
X265 = Scale(presets=_presets("medium", *WORDS), quality=((0, 0), (18, 20), (21, 25), (24, 29), (40, 51)))

# Of presets 10 and above the encoder itself warns ("Visual artifacts may occur"), so 9 is the fastest. Its crf:
# measured from 20 to 25, where x264 veryfast and SVT-AV1 9 have the same VMAF; beyond that to the ends of both scales.
# ffmpeg does not take 0 for a quality.
SVT_AV1 = Scale(
    presets=_presets("9", "9", "9", "9", "8", "8", "7", "6", "5"),
    quality=((0, 1), (18, 18), (21, 27), (23, 36), (25, 44), (40, 63)), least=1, most=63,
)  # fmt: skip

# NVIDIA's guide calls p4 medium; ffmpeg takes it if nothing is said. 0 would leave the choice to the driver.
_NVENC = _presets("p4", "p1", "p1", "p1", "p2", "p3", "p4", "p5", "p6")
H264_NVENC = Scale(presets=_NVENC, quality=((0, 0), (51, 51)), least=1)
HEVC_NVENC = Scale(presets=_NVENC, quality=((0, 5), (22, 27)), least=1)
AV1_NVENC = Scale(presets=_NVENC, quality=SVT_AV1.quality, least=1, most=63)
"""The same scale as SVT-AV1's: 0 to 63 over AV1's 256 quantizers."""

# libvpl's words are x264's without the two fastest.
_QSV = _presets("medium", "veryfast", "veryfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
H264_QSV = Scale(presets=_QSV, quality=((0, 0), (51, 51)), least=1)
HEVC_QSV = Scale(presets=_QSV, quality=((0, 3), (22, 25)), least=1)
AV1_QSV = Scale(presets=_QSV, quality=((0, 0), (24, 24)), least=1)

# What a level of speed means differs from driver to driver, so each keeps its own.
_VAAPI = _presets("", *[""] * len(WORDS))
H264_VAAPI = Scale(presets=_VAAPI, quality=((0, 0), (51, 51)), least=1)
HEVC_VAAPI = Scale(presets=_VAAPI, quality=((0, 3), (22, 25)), least=1)
AV1_VAAPI = Scale(presets=_VAAPI, quality=((0, 0), (24, 120)), least=1, most=255)
"""AV1's own quantizer index."""

# Higher is better here. The only choice of speed is `prio_speed`.
_VIDEOTOOLBOX = _presets("0", "1", "1", "1", "1", "1", "0", "0", "0")
VIDEOTOOLBOX = Scale(presets=_VIDEOTOOLBOX, quality=((22, 60), (24, 55)), least=1, most=100)
