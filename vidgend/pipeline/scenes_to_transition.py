"""The end of one scene + the start of the next -> transition: a short segment of its own.

Only its own few frames are encoded here; the two scenes' bodies stay as they are. Its pictures are those that the two
bodies left behind, or, if they were made before, those few frames of the clips once more.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidgend.errors import FfmpegFailed, MediaUnreadable
from vidgend.models import Brief, Segment, TransitionKind
from vidgend.pipeline.captions.fonts import FontCatalog
from vidgend.pipeline.encoding import Encoding
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_segment import (
    CODE as SEGMENT_CODE,
)
from vidgend.pipeline.scene_to_segment import (
    KeyOf,
    RenderSettings,
    encode_spec,
    encoding_args,
    encoding_for,
)
from vidgend.pipeline.shot_ends import End, ShotEnds
from vidgend.pipeline.shot_picture import Laid, ShotPicture, lay_picture
from vidgend.pipeline.step_cost import slowest
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import Shot
from vidgend.pipeline.transition_args import Side, transition_args
from vidgend.store.assets.store import AssetStore
from vidgend.timebase import fps_text

KIND = "transition"
CODE = (*SEGMENT_CODE, "scenes_to_transition.py", "transition_args.py", "shot_ends_ahead.py")
_ENDS: dict[str, End] = {"left": "tail", "right": "head"}


class TransitionStep:
    """args: left, right (clip, shot, ass), fonts, encoding, style, kind -> digest, frames"""

    def __init__(
        self, ffmpeg: FfmpegTool, assets: AssetStore, fonts: FontCatalog, ends: ShotEnds | None = None
    ) -> None:
        self._ffmpeg = ffmpeg
        self._assets = assets
        self._fonts = fonts
        self._ends = ends

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        ffmpeg = await self._ffmpeg.get()
        encoding = encoding_for(args, run)
        left = Shot(**args["left"]["shot"])
        frames = left.tail
        old = await self._side(ffmpeg, "left", args, encoding, run.scratch, left.frames - frames, frames)
        run.progress(0.1)
        new = await self._side(ffmpeg, "right", args, encoding, run.scratch, 0, frames)
        run.progress(0.2)
        said = args["left"]["ass"] + args["right"]["ass"]
        if said:
            await asyncio.to_thread(self._fonts.lay_into, run.scratch / "fonts", args["fonts"], said)
        style = find_style(args["style"])
        written = await ffmpeg.run(
            transition_args(
                old,
                new,
                encoding,
                kind=args["kind"],
                grade=style.grade,
                finish=style.finishing(encoding.width_px, encoding.height_px),
            ),
            cwd=run.scratch,
            timeout_s=args["timeout_s"],
            frames=frames,
            progress=lambda share: run.progress(0.2 + 0.8 * share),
        )
        if written != frames:
            raise MediaUnreadable(f"the clips gave {written} of {frames} frames for the transition between them")
        digest = await self._assets.put(run.scratch / "segment.mp4")
        picture = slowest({args[side]["clip"]["kind"] for side in ("left", "right")})
        output = {"digest": digest, "frames": frames, "encoded_frames": written, "picture": picture}
        return StepOutput(output=output, blobs=(digest,))

    async def _side(
        self, ffmpeg: Ffmpeg, name: str, args: dict[str, Any], encoding: Encoding, scratch: Path, first: int, count: int
    ) -> Side:
        side = args[name]
        if side["ass"]:
            await asyncio.to_thread((scratch / f"{name}.ass").write_text, side["ass"], "utf-8")
        shot, captions = Shot(**side["shot"]), bool(side["ass"])
        end, file = _ENDS[name], f"{name}.yuv"
        if self._ends is not None:
            lead = await self._ends.take(side, args["style"], encoding, end, scratch / file)
            if lead is not None:
                return Side(end=file, lead=lead, shot=shot, captions=captions)
        laid = await lay_picture(
            ffmpeg, self._assets, side, encoding, scratch, first=first, count=count, timeout_s=args["timeout_s"],
            name=name,
        )  # fmt: skip
        if laid.feeder is not None:
            laid = await self._fed(ffmpeg, laid, name, encoding, scratch, count)
        return Side(picture=laid.picture, shot=shot, captions=captions)

    @staticmethod
    async def _fed(ffmpeg: Ffmpeg, laid: Laid, name: str, encoding: Encoding, scratch: Path, count: int) -> Laid:
        """Two programs cannot both feed one stdin, so what one feeds is put into a file first."""
        picture = laid.picture
        pixels, size = ("rgb24", (picture.width_px, picture.height_px)) if picture.kind == "generated" else (
            "yuv420p", (encoding.width_px, encoding.picture_height_px),
        )  # fmt: skip
        file = f"{name}.raw"
        written = await ffmpeg.run(
            [
                "-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{size[0]}x{size[1]}", "-r", fps_text(encoding.fps),
                "-i", "pipe:0", "-frames:v", str(count), "-c", "copy", "-f", "rawvideo", file,
            ],
            cwd=scratch,
            timeout_s=600,
            feeder=laid.feeder,
        )  # fmt: skip
        if written != count:
            raise FfmpegFailed(f"{written} of {count} frames were made for a transition")
        return Laid(picture=replace(picture, raw=file))


def transition_spec(
    key_of: KeyOf,
    brief: Brief,
    left: ShotPicture,
    right: ShotPicture,
    *,
    kind: TransitionKind,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
) -> StepSpec:
    """The step that encodes the transition between two shots."""
    fonts = {(font["digest"], font["index"]): font for font in (*left.fonts, *right.fonts)}
    args: dict[str, Any] = {
        "left": left.args(brief),
        "right": right.args(brief),
        "fonts": [fonts[name] for name in sorted(fonts)],
        "encoding": encoding_args(brief, settings),
        "style": brief.style,
        "kind": kind,
    }
    timeout_s = 300.0 + left.shot.tail * 5.0
    return encode_spec(
        key_of, KIND, args, CODE, ffmpeg, settings=settings, priority=-right.index, timeout_s=timeout_s
    )  # fmt: skip


async def render_transition(
    run: JobRun,
    brief: Brief,
    left: ShotPicture,
    right: ShotPicture,
    *,
    kind: TransitionKind,
    settings: RenderSettings,
    ffmpeg: Ffmpeg,
) -> Segment:
    """The encoded transition. Raises: MediaUnreadable if a clip is no good, FfmpegFailed, StepTimeout."""
    spec = transition_spec(run.key, brief, left, right, kind=kind, settings=settings, ffmpeg=ffmpeg)
    output = await run.step(spec, stage="rendering", scene=left.index)
    return Segment(digest=output["digest"], frames=output["frames"])
