"""The end of a shot whose body is there already, made while the body beside it is still being encoded.

After an edit of one scene its neighbours' bodies are found, but the transitions are made anew. What they show
of the neighbours does not have to wait for the new body. It lies in `ShotEnds` until the transition takes it; if it
cannot be made, the transition makes it itself.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from vidgend.errors import VidgendError
from vidgend.models import Brief
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args, encoding_of, places_of
from vidgend.pipeline.shot_ends import End, ShotEnds
from vidgend.pipeline.shot_picture import ShotPicture, lay_picture
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.transition_args import Side, end_args
from vidgend.store.assets.store import AssetStore

TIMEOUT_S = 300.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EndsAhead:
    """`slot` is a place among the encodes, by priority and number of places; scratch folders lie under `work`."""

    ffmpeg: FfmpegTool
    assets: AssetStore
    ends: ShotEnds
    slot: Callable[[int, int], AbstractAsyncContextManager[None]]
    work: Path
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def make(
        self, brief: Brief, shown: ShotPicture, end: End, settings: RenderSettings, *, priority: int = 0
    ) -> None:
        """Have that end of a shot ready, if it is not too long to be kept. Never fails."""
        args = shown.args(brief)
        encoding = encoding_of(
            {"encoding": encoding_args(brief, settings), "style": brief.style, "threads": settings.threads}
        )
        shot = shown.shot
        if not self.ends.wanted(shot, encoding) or self.ends.has(args, brief.style, encoding, end):
            return
        first, count = (0, shot.head) if end == "head" else (shot.frames - shot.tail, shot.tail)
        scratch = self.work / f"end-{next(self._numbers)}"
        try:
            async with self.slot(priority, places_of(brief.picture_px)):
                await asyncio.to_thread(scratch.mkdir, parents=True, mode=0o700)
                ffmpeg = await self.ffmpeg.get()
                laid = await lay_picture(
                    ffmpeg, self.assets, args, encoding, scratch, first=first, count=count, timeout_s=TIMEOUT_S
                )
                side = Side(picture=laid.picture, shot=shot)
                command = end_args(side, encoding, first=first, count=count, grade=find_style(brief.style).grade)
                await ffmpeg.run(command, cwd=scratch, timeout_s=TIMEOUT_S, frames=count, feeder=laid.feeder)
                await self.ends.add(args, brief.style, encoding, end, scratch / "end.yuv")
        except (VidgendError, OSError) as error:
            _log.info("end_not_made_ahead", extra={"error": str(error)})
        except Exception:  # noqa: BLE001  the video can be made without it
            _log.exception("end_not_made_ahead")
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True))
