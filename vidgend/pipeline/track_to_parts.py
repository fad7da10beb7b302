"""Track -> parts: how loud a music file is, where it can be heard, and where it can be cut in time."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from vidgend import children
from vidgend.errors import FfmpegFailed, MediaUnreadable, StepError
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import MEDIA_LIMITS, Ffmpeg, FfmpegTool
from vidgend.pipeline.media_kind import HEAD_BYTES, sniff
from vidgend.pipeline.music.beats import RATE_HZ
from vidgend.pipeline.music.parts import TrackParts
from vidgend.pipeline.probe import PROBE_TIMEOUT_S, read_loudness
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.sound_args import listen_args
from vidgend.pipeline.sound_facts import SoundTags, read_sound_tags, sound_options
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import SAMPLE_RATE_HZ

KIND = "parts"
CODE = (
    "track_to_parts.py", "sound_args.py", "sound_facts.py", "media_kind.py", "music/listen.py", "music/parts.py",
    "music/beats.py", "probe.py",
)  # fmt: skip
LONGEST_S = 3600.0
"""No video is longer, so the rest of a track is not needed."""
SHORTEST_S = 1.0
TIMEOUT_S = 600.0
_PARTS = TypeAdapter(TrackParts)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a track is like, and what it says of itself. `loudness_lufs` is its integrated loudness."""

    parts: TrackParts
    loudness_lufs: float
    tags: SoundTags = field(default_factory=SoundTags)


def music_options(path: Path) -> list[str]:
    """Options before `-i` for a music file. Raises: MediaUnreadable if it is none."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    if kind is None or kind.kind == "photo":
        raise MediaUnreadable("it is not a sound file of a kind that is taken")
    return sound_options(kind.demuxer)


class PartsStep:
    """args: digest -> parts, loudness_lufs, tags"""

    def __init__(self, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        path = await self._assets.local(args["digest"])
        options = await asyncio.to_thread(music_options, path)
        (run.scratch / "track.media").symlink_to(path)
        try:
            heard = await ffmpeg.capture(
                listen_args(options, rate_hz=RATE_HZ, longest_s=LONGEST_S), cwd=run.scratch, timeout_s=TIMEOUT_S,
                level="info",
            )  # fmt: skip
        except FfmpegFailed as error:
            raise MediaUnreadable(f"the music cannot be decoded: {error.detail}", tail=error.tail) from error
        loudness_lufs, _ = read_loudness(heard.stderr_tail)
        run.progress(0.5)
        listening = await children.run(
            [sys.executable, "-m", "vidgend.pipeline.music.listen", "heard.pcm"], cwd=run.scratch, timeout_s=TIMEOUT_S,
            limits=MEDIA_LIMITS,
        )  # fmt: skip
        if listening.returncode:
            raise FfmpegFailed("listening to the music failed", tail=listening.stderr_tail)
        parts = json.loads(listening.stdout)
        if parts is None or loudness_lufs is None:
            raise MediaUnreadable("the music is silent")
        if parts["last"] - parts["first"] < SHORTEST_S * SAMPLE_RATE_HZ:
            raise MediaUnreadable(f"the music is shorter than {SHORTEST_S:g} s")
        tags = asdict(await _tags(ffmpeg, options, run.scratch))
        return StepOutput(output={"parts": parts, "loudness_lufs": loudness_lufs, "tags": tags})


async def _tags(ffmpeg: Ffmpeg, options: list[str], scratch: Path) -> SoundTags:
    """Of `track.media`. It can be heard, so that its tags cannot be read costs no more than them."""
    try:
        header = await ffmpeg.look([*options, "-i", "track.media"], cwd=scratch, timeout_s=PROBE_TIMEOUT_S)
    except StepError:
        return SoundTags()
    return read_sound_tags(header.stderr_tail)


async def hear(run: JobRun, digest: str) -> Heard:
    """What the track with that digest is like. Raises: MediaUnreadable."""
    args = {"digest": digest}
    spec = StepSpec(
        key=run.key(KIND, args, CODE),
        kind=KIND,
        args=args,
        label="io",  # half a second of work for a usual track
        timeout_s=2 * TIMEOUT_S,
        max_attempts=1,
        stall_s=0,
    )
    output = await run.step(spec, stage="publishing")
    return Heard(
        parts=_PARTS.validate_python(output["parts"]), loudness_lufs=output["loudness_lufs"],
        tags=SoundTags(**output["tags"]),
    )  # fmt: skip
