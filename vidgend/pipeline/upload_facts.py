"""What a file is that somebody gave: a video, a photo or sound, whole, or refused with a reason.

What is fetched from a provider and turns out to be cut off is replaced by another clip. A person's own file cannot be
replaced, so here it is read to its end before it is taken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vidgend.errors import MediaUnreadable, StepTimeout
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.clip_window import STILL_S
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.media_end import end_s
from vidgend.pipeline.media_kind import MediaType, sniff
from vidgend.pipeline.probe import input_options
from vidgend.pipeline.sound_facts import Sound, probe_sound, sound_options

HEAD_BYTES = 4096
_ROUNDING_S, _ROUNDING_SHARE = 0.5, 0.02
"""How much earlier than it says a file may end: headers are rounded."""
_SOUND_TYPES = {"video/mp4": "audio/mp4", "video/webm": "audio/webm", "video/x-matroska": "audio/x-matroska"}


@dataclass(frozen=True, kw_only=True)
class UploadFacts:
    """`facts` are fields of `Clip` for a video or photo, and `sound_s` for a video: how long there is sound in it, 0
    for none that can be heard; for sound `demuxer`, `codec`, `sample_rate_hz`, `channels` and `duration_s`."""

    kind: Literal["video", "photo", "audio"]
    content_type: str
    suffix: str
    facts: dict[str, Any]


async def examine_upload(ffmpeg: Ffmpeg, path: Path) -> UploadFacts:
    """Raises: MediaUnreadable, with the reason."""
    kind = sniff(await asyncio.to_thread(_head, path))
    if kind is None:
        raise MediaUnreadable("not a video, a photo or sound of a kind that is taken")
    if kind.kind == "audio":
        return await _sound(ffmpeg, path, kind, await probe_sound(ffmpeg, path, kind.demuxer))
    try:
        facts = await examine(ffmpeg, path)
    except MediaUnreadable as no_picture:
        if kind.demuxer not in ("mov", "matroska"):
            raise
        try:  # these hold either
            sound = await probe_sound(ffmpeg, path, kind.demuxer)
        except MediaUnreadable:
            raise no_picture from None
        return await _sound(ffmpeg, path, kind, sound)
    if facts["kind"] == "video":
        facts["duration_s"] = await _picture_length_s(ffmpeg, path, kind.demuxer, facts["duration_s"])
        facts["sound_s"] = await _sound_length_s(ffmpeg, path, kind.demuxer)
    return UploadFacts(kind=facts["kind"], content_type=kind.content_type, suffix=kind.suffix, facts=facts)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


async def _sound(ffmpeg: Ffmpeg, path: Path, kind: MediaType, sound: Sound) -> UploadFacts:
    reached_s = await end_s(ffmpeg, path, sound_options(kind.demuxer), "0:a:0")
    if kind.demuxer == "mp3":  # it says nothing, or ffmpeg goes by the rate of its beginning; any part of it is whole
        said_s = reached_s
    else:
        said_s = reached_s if sound.duration_s is None else sound.duration_s
        _check_whole(said_s, reached_s)
    return UploadFacts(
        kind="audio",
        content_type=_SOUND_TYPES.get(kind.content_type, kind.content_type),
        suffix=kind.suffix,
        facts={
            "demuxer": kind.demuxer,
            "codec": sound.codec,
            "sample_rate_hz": sound.sample_rate_hz,
            "channels": sound.channels,
            "duration_s": said_s if _near_the_end(said_s, reached_s) else reached_s,
        },
    )


async def _picture_length_s(ffmpeg: Ffmpeg, path: Path, demuxer: str, said_s: float) -> float:
    """How long there is a picture: as the file says, unless its sound goes on for longer."""
    options = input_options(demuxer)
    reached_s = await end_s(ffmpeg, path, options, "0:V:0")
    if _near_the_end(said_s, reached_s):
        return said_s
    _check_whole(said_s, await end_s(ffmpeg, path, options, "0:V:0", "0:a?"))
    return max(reached_s, STILL_S)


async def _sound_length_s(ffmpeg: Ffmpeg, path: Path, demuxer: str) -> float | None:
    """How long there is sound in a video; 0 where there is none, or none that can be decoded: its picture can. None if
    that took too long to find out."""
    try:
        await probe_sound(ffmpeg, path, demuxer, picture=True)
        return await end_s(ffmpeg, path, sound_options(demuxer), "0:a:0")
    except MediaUnreadable as error:
        return None if isinstance(error.__cause__, StepTimeout) else 0.0


def _near_the_end(said_s: float, reached_s: float) -> bool:
    return reached_s >= said_s - 0.25


def _check_whole(said_s: float, reached_s: float) -> None:
    if reached_s < said_s - _ROUNDING_S - said_s * _ROUNDING_SHARE:
        raise MediaUnreadable(f"the file is cut off: it says {said_s:.1f} s and ends after {reached_s:.1f} s")
