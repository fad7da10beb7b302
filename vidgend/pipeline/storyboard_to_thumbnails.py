"""Storyboard -> thumbnails of what its scenes show and could show, for the people who review it.

provider's still, own file   a third into it                      `net`, `io`
clip that is fetched         where the scene will show it         `ffmpeg`
painting                     the same                             `ffmpeg`
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from vidgend.errors import NotFound, ProviderError, StepError
from vidgend.models import Brief, Candidate, Clip, Scene, Storyboard, Thumbnail
from vidgend.pipeline.candidate_to_thumbnail import CODE, KIND
from vidgend.pipeline.clip_args import clip_args
from vidgend.pipeline.clip_window import Window
from vidgend.pipeline.executor.port import StepSpec
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.run import JobRun
from vidgend.timebase import frames_to_s, parse_fps

SHOWN_CANDIDATES = 3
"""So many of a scene's candidates get a thumbnail."""
INTO_THE_SCENE = 0.4
"""The moment of a scene that stands for all of it, as in its poster."""
_PATIENCE = 3
"""After so many failures in a row a provider is asked for no more pictures of this job."""
_AT_ONCE = 4
"""Pictures that one provider is asked for at once, so that it can be noticed in time that it has none to give."""

_CANDIDATE = TypeAdapter(Candidate)


async def make_thumbnails(
    run: JobRun, brief: Brief, storyboard: Storyboard, *, providers: Sequence[FootageProvider], ffmpeg: FfmpegTool
) -> Storyboard:
    """The storyboard with thumbnails of each scene's clip and of its first candidates, made side by side.

    A candidate of which none can be made goes without, and the log says why. Raises: ToolMissing, Unavailable, the
    latter in an ExceptionGroup.
    """
    work = _Thumbnails(run, brief, storyboard, providers, await ffmpeg.get())
    async with asyncio.TaskGroup() as group:
        made = [group.create_task(work.of_scene(scene)) for scene in storyboard.scenes]
    await work.tell()
    scenes = [replace(scene, thumbnails=task.result()) for scene, task in zip(storyboard.scenes, made, strict=True)]
    return replace(storyboard, scenes=tuple(scenes))


def candidate_spec(
    run: JobRun, candidate: Candidate, provider: FootageProvider, *, ffmpeg: Ffmpeg, priority: int
) -> StepSpec:
    """The step that makes the thumbnail of a candidate that is not here; its output has the `digest`."""
    # What does not change the picture stays outside the key.
    bare = replace(candidate, description="", renditions=())
    args = {"candidate": _CANDIDATE.dump_python(bare, mode="json")}
    return StepSpec(
        key=run.key(KIND, args, CODE, f"{provider.identity}/{ffmpeg.version}"),
        kind=KIND,
        args=args,
        label="io" if provider.name == "library" else "net",
        # Short, and somebody waits for it: before the segments of other jobs.
        priority=priority,
        timeout_s=180,
        max_attempts=1,
    )


@dataclass(frozen=True, kw_only=True)
class _Sight:
    """What is to be seen in a thumbnail, and the arguments of its step; None for a candidate that is not here."""

    of: Candidate | Clip
    args: dict[str, Any] | None = None


class _Thumbnails:
    """The thumbnails of one storyboard, and what went wrong with them."""

    def __init__(
        self, run: JobRun, brief: Brief, storyboard: Storyboard, providers: Sequence[FootageProvider], ffmpeg: Ffmpeg
    ) -> None:
        self._run = run
        self._brief = brief
        self._fps = storyboard.fps
        self._providers = {provider.name: provider for provider in providers}
        self._ffmpeg = ffmpeg
        self._reasons: dict[str, list[str]] = defaultdict(list)
        """What has no thumbnail, by why."""
        self._failures: dict[str, list[str]] = defaultdict(list)
        """Of each provider, since its last success."""
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))

    async def of_scene(self, scene: Scene) -> tuple[Thumbnail, ...]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._make(scene, sight)) for sight in self._sights(scene)]
        return tuple(made for task in tasks if (made := task.result()) is not None)

    async def tell(self) -> None:
        """One line in the job's log for each reason."""
        for reason, names in self._reasons.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            await self._run.note(f"no thumbnail of {', '.join(names[:3])}{more}: {reason}")

    def _sights(self, scene: Scene) -> list[_Sight]:
        """The clip as it is shown, and candidates besides it."""
        clip, others = scene.clip, scene.candidates[:SHOWN_CANDIDATES]
        sights = []
        if clip is not None:
            others = tuple(one for one in others if (one.provider, one.id) != (clip.provider, clip.id))
            sights.append(self._sight(clip, scene))
        return sights + [self._sight(one, scene) for one in others]

    def _sight(self, of: Candidate | Clip, scene: Scene) -> _Sight:
        if of.recipe is not None:
            frame = round((scene.frames or 0) * INTO_THE_SCENE)
            return _Sight(of=of, args={"recipe": of.recipe, "fps": self._fps, "frame": frame})
        if isinstance(of, Clip):
            return _Sight(of=of, args=self._clip_args(of, scene))
        return _Sight(of=of)

    def _clip_args(self, clip: Clip, scene: Scene) -> dict[str, Any]:
        need_s = float(frames_to_s(scene.frames or 0, parse_fps(self._fps)))
        width_px, height_px = self._brief.picture_px
        chosen = clip_args(clip, width_px=width_px, height_px=height_px, fps=self._brief.frame_rate, need_s=need_s)
        at_s = 0.0
        if clip.kind == "video":
            window = Window(**chosen["window"])
            at_s = window.start_s + (window.bounce_s or need_s / window.slow) * INTO_THE_SCENE
        facts = {
            "kind": clip.kind, "digest": clip.digest, "demuxer": clip.demuxer, "width_px": clip.width_px,
            "height_px": clip.height_px, "fps": clip.fps, "colour": asdict(clip.colour),
            "interlaced": clip.interlaced, "orientation": clip.orientation,
        }  # fmt: skip
        return {"clip": facts, "at_s": round(at_s, 3)}

    async def _make(self, scene: Scene, sight: _Sight) -> Thumbnail | None:
        try:
            if isinstance(sight.of, Candidate) and sight.args is None:
                digest = await self._asked(scene, sight.of)
            else:
                digest = await self._made(scene, self._spec(sight, scene))
        except (StepError, NotFound) as error:
            self._reasons[error.detail].append(f"scene {scene.index + 1}'s {sight.of.provider} {sight.of.id[:40]}")
            return None
        return Thumbnail(provider=sight.of.provider, id=sight.of.id, digest=digest)

    async def _asked(self, scene: Scene, candidate: Candidate) -> str:
        """Of a candidate that is not here, if its provider has not failed too often."""
        name = candidate.provider
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderError(f"{name} is not among the footage providers any more")
        async with self._turns[name]:
            failures = self._failures[name]
            if len(failures) >= _PATIENCE:
                raise ProviderError(failures[-1])
            try:
                spec = candidate_spec(self._run, candidate, provider, ffmpeg=self._ffmpeg, priority=1 - scene.index)
                digest = await self._made(scene, spec)
            except StepError as error:
                if error.retryable:  # it is the provider, not the candidate
                    failures.append(error.detail)
                raise
            failures.clear()
            return digest

    async def _made(self, scene: Scene, spec: StepSpec) -> str:
        output = await self._run.step(spec, stage="retrieving", scene=scene.index)
        digest: str = output["digest"]
        return digest

    def _spec(self, sight: _Sight, scene: Scene) -> StepSpec:
        assert sight.args is not None
        return StepSpec(
            key=self._run.key(KIND, sight.args, CODE, self._ffmpeg.version),
            kind=KIND,
            args=sight.args,
            label="ffmpeg",
            priority=1 - scene.index,
            timeout_s=180,
            max_attempts=1,
        )
