"""The steps that render, on a real store and the real ffmpeg."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import media
import numpy as np
from ready_database import ready

from vidgend.models import Clip, Credit
from vidgend.pipeline.captions.fonts import machine_fonts
from vidgend.pipeline.clip_args import clip_args
from vidgend.pipeline.executor.port import StepRun
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.probe import probe
from vidgend.pipeline.scene_to_segment import SegmentStep
from vidgend.pipeline.scenes_to_transition import TransitionStep
from vidgend.pipeline.segments_to_video import JoinStep
from vidgend.pipeline.shot_ends import ShotEnds
from vidgend.pipeline.speech_and_music_to_sound import SoundStep
from vidgend.pipeline.timeline import shot_of
from vidgend.pipeline.video_to_report import CheckStep
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.timebase import frames_to_s, frames_to_samples, parse_fps


@dataclass
class Studio:
    ffmpeg: Ffmpeg
    assets: AssetStore
    work: Path
    ends: ShotEnds
    runs: int = 0

    def run(self) -> StepRun:
        self.runs += 1
        scratch = self.work / str(self.runs)
        scratch.mkdir(parents=True)
        return StepRun(scratch=scratch, progress=lambda share: None)

    def encoding(self, fps: str = "30", width: int = 320, height: int = 180) -> dict[str, Any]:
        return {
            "width_px": width, "height_px": height, "fps": fps, "encoder": "libx264", "preset": "ultrafast", "crf": 23,
        }  # fmt: skip

    async def segment(self, source: Path, frames: int, *, demuxer: str = "mov", **more: Any) -> dict[str, Any]:
        """A scene without transitions."""
        encoding = more.get("encoding", self.encoding())
        clip = await self.clip(source, encoding, frames, demuxer=demuxer)
        return await self.body({"clip": clip, "shot": asdict(shot_of(frames, before=0, after=0)), **more})

    async def clip(
        self, source: Path, encoding: dict[str, Any], frames: int, *, demuxer: str = "mov"
    ) -> dict[str, Any]:
        clip = await self.put(source, demuxer)
        fps = parse_fps(encoding["fps"])
        return clip_args(
            clip, width_px=encoding["width_px"], height_px=encoding["height_px"], fps=fps,
            need_s=float(frames_to_s(frames, fps)),
        )  # fmt: skip

    async def put(self, source: Path, demuxer: str = "mov") -> Clip:
        """A file as a clip of the store."""
        seen = await probe(self.ffmpeg, source, demuxer)
        return Clip(
            provider="test", id="test", description="", query="", credit=Credit(provider="test"),
            kind="photo" if demuxer.endswith("_pipe") else "video", digest=await self.assets.put(source),
            demuxer=demuxer, width_px=seen.width_px, height_px=seen.height_px, fps=seen.fps,
            duration_s=None if demuxer.endswith("_pipe") else seen.duration_s,
        )  # fmt: skip

    async def body(self, args: dict[str, Any], run: StepRun | None = None) -> dict[str, Any]:
        usual = {
            "encoding": self.encoding(), "style": "documentary", "motion": 1, "ass": "", "fonts": [], "fade_in": False,
            "fade_out": False, "timeout_s": 60, "threads": 1,
        }  # fmt: skip
        done = await SegmentStep(FfmpegTool(), self.assets, machine_fonts(), self.ends)(usual | args, run or self.run())
        return done.output

    async def look(self, digest: str, sound: dict[str, Any] | None = None) -> dict[str, Any]:
        """`sound` is what was measured of the sound in it."""
        args = {"digest": digest, "sound": sound or {"packets": ""}}
        return (await CheckStep(FfmpegTool(), self.assets)(args, self.run())).output

    async def frames(self, segment: dict[str, Any]) -> np.ndarray:
        return media.gray(self.ffmpeg.path, await self.assets.local(segment["digest"]))

    async def transition(self, left: dict[str, Any], right: dict[str, Any], **more: Any) -> dict[str, Any]:
        usual = {
            "encoding": self.encoding(), "style": "documentary", "kind": "dissolve", "fonts": [], "timeout_s": 60,
            "threads": 1,
        }  # fmt: skip
        ends = [{"motion": 1, "ass": "", **end} for end in (left, right)]
        step = TransitionStep(FfmpegTool(), self.assets, machine_fonts(), self.ends)
        return (await step({**usual, "left": ends[0], "right": ends[1], **more}, self.run())).output

    async def sound(self, samples: int, **more: Any) -> dict[str, Any]:
        """Silence, or with `speech` and `music`."""
        usual = {"samples": samples, "speech": [], "music": None, "ducking": True, "volume_db": 0.0}
        return (await SoundStep(FfmpegTool(), self.assets)(usual | more, self.run())).output

    async def join(self, segments: list[dict[str, Any]], fps: str = "30", *, title: str = "", **sound: Any) -> Path:
        """A video of segments; `sound` is what `sound` takes."""
        samples = frames_to_samples(sum(one["frames"] for one in segments), parse_fps(fps))
        args = {
            "segments": [{"digest": one["digest"], "frames": one["frames"]} for one in segments],
            "sound": (await self.sound(samples, **sound))["digest"], "title": title, "fps": fps,
        }  # fmt: skip
        done = await JoinStep(FfmpegTool(), self.assets)(args, self.run())
        return await self.assets.local(done.output["digest"])


@asynccontextmanager
async def open_studio(ffmpeg: Ffmpeg, folder: Path) -> AsyncIterator[Studio]:
    database = await Database.open(ready(folder / "db"))
    try:
        assets = await open_filesystem_assets(database, folder / "assets")
        ends = ShotEnds(folder / "ends")
        yield Studio(ffmpeg, assets, folder / "work", ends)
        await ends.aclose()
        await assets.aclose()
    finally:
        await database.close()
