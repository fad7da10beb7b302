"""Whether a hardware encoder works here: it is given one frame of the real size and has to give it back.

That ffmpeg was built with an encoder says nothing about the machine; a card, a driver, a right to use them and a free
session are needed as well, and only trying tells.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import ffmpeg as graph

from vidgend.errors import FfmpegFailed, StepTimeout
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.segment_args import arguments, encoded
from vidgend.timebase import fps_text

PROBE_S = 10.0
"""A card that sleeps takes a second or two to wake up."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """`reason` says why the encoder cannot be used; "" if it can. `hardware_id` as in `RenderSettings`."""

    reason: str = ""
    hardware_id: str = ""


class EncoderProbes:
    """What became of each hardware encoder's frame, asked once for each size in the life of a process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int, int], Probed] = {}
        self._lock = asyncio.Lock()

    async def probe(self, ffmpeg: Ffmpeg, encoding: Encoding) -> Probed:
        """Never fails: what goes wrong is the answer."""
        asked = (ffmpeg.path, encoding.encoder, encoding.width_px, encoding.height_px)
        async with self._lock:
            if asked not in self._known:
                self._known[asked] = await _probe(ffmpeg, encoding)
            return self._known[asked]

    def forget(self, encoder: str) -> None:
        """It worked before and now it does not: the next one who wants it asks again."""
        self._known = {asked: told for asked, told in self._known.items() if asked[1] != encoder}


async def _probe(ffmpeg: Ffmpeg, encoding: Encoding) -> Probed:
    if encoding.encoder not in ffmpeg.encoders:
        return Probed(reason=f"ffmpeg {ffmpeg.version} was built without it")
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="vidgend-probe-"))
    try:
        await ffmpeg.capture(probe_args(encoding), cwd=folder, timeout_s=PROBE_S)
        # Decoded in software, which must understand it, and copied, which tells the parameter sets.
        seen = await ffmpeg.capture(
            [
                "-i", "segment.mp4", "-map", "0:v", "-c", "copy", "-f", "framecrc", "pipe:1", "-map", "0:v", "-f",
                "null", "-",
            ],
            cwd=folder,
            timeout_s=PROBE_S,
        )  # fmt: skip
    except FfmpegFailed as error:
        return Probed(reason=cause(error))
    except StepTimeout as error:
        return Probed(reason=f"it did not give back one frame: {error.detail}")
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
    told = seen.stdout.decode("utf-8", "replace")
    header = re.search(r"^#extradata 0: *(\d+), *(\S+)$", told, re.M)
    if header is None or not re.search(r"^0,", told, re.M):
        return Probed(reason="it gave back no frame")
    return Probed(hardware_id=f"{header[1]}-{header[2]}")


def probe_args(encoding: Encoding) -> list[str]:
    """One moving picture -> `segment.mp4`, with the very options of a segment."""
    size = f"{encoding.width_px}x{encoding.height_px}"
    source = graph.input(f"testsrc2=size={size}:rate={fps_text(encoding.fps)}:duration=1", f="lavfi").video
    return arguments(encoded(source.filter("format", pix_fmts="yuv420p"), encoding, 1), encoding)


def cause(error: FfmpegFailed) -> str:
    """Why ffmpeg failed, in one line. The first one says it; those after it tell what came of that."""
    first = error.tail.strip().partition("\n")[0] or error.detail
    return re.sub(r"^(\[[^\]]*\] ?)+", "", first).strip()
