"""What `vidgend doctor` finds out about video encoders: which one will be used, and which hardware works here."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from vidgend.cli.finding import Finding

if TYPE_CHECKING:
    from vidgend.pipeline.encoder_probe import Probed
    from vidgend.pipeline.ffmpeg import Ffmpeg
    from vidgend.settings import Settings

_FIXES = {
    "nvenc": "It needs an NVIDIA card and its driver; in a container also the NVIDIA container toolkit.",
    "qsv": "It needs an Intel GPU, its media driver and libvpl, and the right to open /dev/dri/renderD128.",
    "vaapi": "It needs a GPU with a VA-API driver (`vainfo`), and the right to open /dev/dri/renderD128.",
    "videotoolbox": "It needs a Mac with a processor of Apple's.",
}


def encoder_findings(ffmpeg: Ffmpeg, settings: Settings, section: str = "video encoders") -> Iterator[Finding]:
    """Each hardware encoder of that ffmpeg is given one frame of the default size."""
    from vidgend.pipeline.encoders.select import AUTO, ENCODERS, software_of

    wanted = settings.render.encoder
    asked = [name for name, one in ENCODERS.items() if one.hardware and (name in ffmpeg.encoders or name == wanted)]
    probed = asyncio.run(_probe_all(ffmpeg, settings, asked))
    works = [name for name in asked if not probed[name].reason]
    software = software_of(wanted)
    if wanted == "auto":
        used = next((name for name in AUTO if name in works), software)
        yield Finding(section=section, mark="ok", text=f"{used} encodes (render.encoder = auto)")
    elif wanted == software or wanted in works:
        yield Finding(section=section, mark="ok", text=f"{wanted} encodes (render.encoder)")
    else:
        yield Finding(
            section=section,
            mark="note",
            text=f"{software} encodes: {wanted} (render.encoder) does not work: {probed[wanted].reason}",
            fix=_FIXES[wanted.rpartition("_")[2]],
        )
    if works:
        yield Finding(section=section, mark="ok", text=f"hardware that works: {', '.join(works)}")
    for reason, names in _by_reason(probed).items():
        yield Finding(section=section, mark="ok", text=f"not usable here: {', '.join(names)} ({reason})")


def _by_reason(probed: dict[str, Probed]) -> dict[str, list[str]]:
    """Encoders that fail for the same reason belong on one line."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, one in probed.items():
        if one.reason:
            found[one.reason].append(name)
    return found


async def _probe_all(ffmpeg: Ffmpeg, settings: Settings, names: list[str]) -> dict[str, Probed]:
    """One after the other: a card may allow few at once."""
    from vidgend.pipeline.encoder_probe import EncoderProbes
    from vidgend.pipeline.encoding import Encoding
    from vidgend.setting_types import parse_resolution
    from vidgend.timebase import parse_fps

    render = settings.render
    width_px, height_px = parse_resolution(render.resolution)
    fps: Fraction = parse_fps(render.fps)
    probes = EncoderProbes()
    return {
        name: await probes.probe(
            ffmpeg,
            Encoding(
                width_px=width_px, height_px=height_px, fps=fps, encoder=name, preset=render.preset, crf=render.crf,
                threads=0,
            ),
        )
        for name in names
    }  # fmt: skip
