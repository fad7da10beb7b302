"""The one encoder of a video: the one that the settings name, or the software that takes its place.

All segments of a video are joined by copying, so they have to come from one encoder: a header describes them all, and
that of another encoder describes other pictures. Where hardware fails in the middle of a video, the whole video is made
in software, also what the hardware had finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from vidgend.errors import FfmpegFailed, StepTimeout
from vidgend.models import Brief, Segment, Substitution
from vidgend.pipeline.encoder_probe import EncoderProbes, cause
from vidgend.pipeline.encoders.select import AUTO, find_encoder, software_of
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args, encoding_of

Render = Callable[[RenderSettings], Coroutine[Any, Any, Segment]]


async def choose_encoder(
    brief: Brief, wanted: RenderSettings, *, ffmpeg: Ffmpeg, probes: EncoderProbes
) -> tuple[RenderSettings, str]:
    """The settings with an encoder that works here, and why it is not the one that is wanted ("": it is)."""
    reason = ""
    for name in AUTO if wanted.encoder == "auto" else (wanted.encoder,):
        if not find_encoder(name).hardware:
            return replace(wanted, encoder=name), ""
        settings = replace(wanted, encoder=name)
        encoding = encoding_of({"encoding": encoding_args(brief, settings), "threads": settings.threads})
        probed = await probes.probe(ffmpeg, encoding)
        if not probed.reason:
            return replace(settings, hardware_id=probed.hardware_id), ""
        reason = probed.reason
    software = replace(wanted, encoder=software_of(wanted.encoder))
    return software, "" if wanted.encoder == "auto" else reason


class VideoEncoder:
    """Makes the segments of one video, all by the same encoder."""

    def __init__(
        self, run: JobRun, brief: Brief, *, wanted: RenderSettings, ffmpeg: FfmpegTool, probes: EncoderProbes
    ) -> None:
        self._run = run
        self._brief = brief
        self._wanted = wanted
        self._ffmpeg = ffmpeg
        self._probes = probes
        self._chosen: RenderSettings | None = None
        self._choosing = asyncio.Lock()
        self._on_hardware: set[asyncio.Future[Segment]] = set()
        self.gave_up = False
        """Whether hardware failed after it had begun: what it had finished by then is of no use."""

    async def settings(self) -> RenderSettings:
        """Of now; they change once if hardware gives up."""
        async with self._choosing:
            if self._chosen is None:
                ffmpeg = await self._ffmpeg.get()
                chosen, reason = await choose_encoder(self._brief, self._wanted, ffmpeg=ffmpeg, probes=self._probes)
                if reason:
                    await self._tell(self._wanted.encoder, chosen.encoder, reason)
                self._chosen = chosen
            return self._chosen

    async def make(self, render: Render) -> Segment:
        """A segment, by `render` with the settings that count; again in software when hardware gives up meanwhile,
        for this segment or for another. Raises: what `render` raises in software."""
        settings = await self.settings()
        if not find_encoder(settings.encoder).hardware:
            return await render(settings)
        work = asyncio.ensure_future(render(settings))
        self._on_hardware.add(work)
        try:
            return await work
        except (FfmpegFailed, StepTimeout) as error:
            await self._give_up(settings, error)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if not self.gave_up or (me is not None and me.cancelling()):
                raise
        finally:
            self._on_hardware.discard(work)
        return await render(await self.settings())

    async def _give_up(self, settings: RenderSettings, error: FfmpegFailed | StepTimeout) -> None:
        async with self._choosing:
            if self.gave_up:
                return
            software = software_of(settings.encoder)
            self._chosen = replace(self._wanted, encoder=software)
            self.gave_up = True
        for work in self._on_hardware:
            work.cancel()  # it may hang as well, and what it gives is of no use
        self._probes.forget(settings.encoder)
        why = cause(error) if isinstance(error, FfmpegFailed) else error.detail
        await self._tell(settings.encoder, software, f"it failed while rendering: {why}")

    async def _tell(self, wanted: str, used: str, reason: str) -> None:
        await self._run.substitute(Substitution(stage="rendering", wanted=wanted, used=used, reason=reason))
