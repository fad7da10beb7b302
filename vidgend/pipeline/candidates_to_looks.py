"""Candidates -> looks: how well what their preview pictures show fits a scene, and their order with that.

best by their words -> thumbnails, the same as for a review     `net`, `io`
thumbnails, texts -> a number for each                           `cpu`, once for the same texts and pictures

Only where `footage.image_model` names a model; without one nothing here is called.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidgend.errors import NotFound, StepError
from vidgend.models import Candidate, Scene, Substitution
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.footage.port import FootageProvider
from vidgend.pipeline.footage_search import Name
from vidgend.pipeline.probe import input_options
from vidgend.pipeline.relevance.port import SEEN_PX, ImageSimilarity, Ranked, Wish
from vidgend.pipeline.relevance.ranking import mixed_fit, searches_of, wanted_of
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.storyboard_to_thumbnails import candidate_spec
from vidgend.store.assets.store import AssetStore

KIND = "look"
CODE = ("candidates_to_looks.py", "relevance")
TIMEOUT_S = 300.0
PRIORITY = 1
"""As that of comparing texts: a scene's picture waits for it."""
LOOKED_AT = 8
"""Candidates of a scene whose pictures are fetched, the best by their words."""
PICTURE = 0.3
"""Points between a picture that shows something else and one that shows just that: half of them are taken away or
given. So a picture decides between clips whose words fit about as well, and a little further."""
_PATIENCE = 3
"""After so many failures in a row a provider is asked for no more pictures of this job."""
_AT_ONCE = 4
"""Pictures that one provider is asked for at once."""
_DECODE_TIMEOUT_S = 60.0


def seen_args(pictures: Sequence[Path]) -> list[str]:
    """Arguments of the ffmpeg that makes `0.rgb`, `1.rgb`, ... of JPEG files: the square in their middle."""
    fit = f"scale={SEEN_PX}:{SEEN_PX}:force_original_aspect_ratio=increase:flags=bicubic,crop={SEEN_PX}:{SEEN_PX}"
    args = ["-y"]
    for picture in pictures:
        args += [*input_options("jpeg_pipe"), "-threads", "1", "-i", str(picture)]
    for number in range(len(pictures)):
        args += ["-map", f"{number}:v:0", "-vf", fit, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo"]
        args.append(f"{number}.rgb")
    return args


class LookStep:
    """args: wanted (texts), pictures (digests of JPEG files) -> {"rows": a row for each wanted text}"""

    def __init__(self, looks: ImageSimilarity, ffmpeg: FfmpegTool, assets: AssetStore) -> None:
        self._looks = looks
        self._ffmpeg = ffmpeg
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        files = [(await self._assets.local(digest)).absolute() for digest in args["pictures"]]
        await (await self._ffmpeg.get()).capture(seen_args(files), cwd=run.scratch, timeout_s=_DECODE_TIMEOUT_S)
        seen = [run.scratch / f"{number}.rgb" for number in range(len(files))]
        rows = await self._looks.compare(args["wanted"], seen)
        return StepOutput(output={"rows": [[round(value, 4) for value in row] for row in rows]})


class JobLooks:
    """Looks at the candidates of the scenes of one job. A candidate without a picture stays as it is, and the log says
    why; once the model fails nothing is looked at for the rest of the job, which is recorded as a substitution."""

    def __init__(
        self, run: JobRun, looks: ImageSimilarity, *, providers: Sequence[FootageProvider], ffmpeg: FfmpegTool
    ) -> None:
        self._run = run
        self._looks = looks
        self._providers = {provider.name: provider for provider in providers}
        self._ffmpeg = ffmpeg
        self._seen: dict[int, dict[Name, float | None]] = defaultdict(dict)
        """Scene -> how well what was looked at fits; None: there was nothing to see."""
        self._failures: dict[str, int] = defaultdict(int)
        """Of each provider, since its last success."""
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._told: set[str] = set()
        self._given_up = False

    async def rerank(self, scene: Scene, wish: Wish, ranked: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
        """The candidates of a scene, ranked by their words, in the order that their pictures give them as well. What
        was looked at for the scene before is not looked at again. `fit` stays that of the words.

        Raises: StorageFull and the like of the store.
        """
        await self._look(scene, wish, [one.candidate for one in ranked[:LOOKED_AT]])
        seen = self._seen[scene.index]
        return tuple(
            sorted((_with_look(one, seen.get(_name(one.candidate))) for one in ranked), key=lambda one: -one.score)
        )

    async def _look(self, scene: Scene, wish: Wish, candidates: Sequence[Candidate]) -> None:
        seen = self._seen[scene.index]
        new = [one for one in candidates if one.recipe is None and _name(one) not in seen][: LOOKED_AT - len(seen)]
        wanted = wanted_of(wish)
        if self._given_up or not new or not wanted:
            return
        if self._looks.problem:
            await self._give_up(self._looks.problem)
            return
        seen.update(dict.fromkeys(map(_name, new)))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._picture(scene, one)) for one in new]
        pictures = {_name(one): task.result() for one, task in zip(new, tasks, strict=True)}
        digests = list(dict.fromkeys(digest for digest in pictures.values() if digest is not None))
        if not digests:
            return
        try:
            rows = await self._compare(scene, wanted, digests)
        except StepError as error:
            await self._give_up(error.detail or error.title)
            return
        searches = len(searches_of(wish))
        for name, digest in pictures.items():
            if digest is not None:
                column = [row[digests.index(digest)] for row in rows]
                seen[name], _ = mixed_fit(column[:searches], column[searches:])

    async def _picture(self, scene: Scene, candidate: Candidate) -> str | None:
        """The digest of its thumbnail."""
        provider = self._providers[candidate.provider]
        async with self._turns[provider.name]:
            if self._failures[provider.name] >= _PATIENCE:
                return None
            spec = candidate_spec(
                self._run, candidate, provider, ffmpeg=await self._ffmpeg.get(), priority=1 - scene.index
            )
            try:
                output = await self._run.step(spec, stage="retrieving", scene=scene.index)
            except (StepError, NotFound) as error:
                if isinstance(error, StepError) and error.retryable:  # it is the provider, not the candidate
                    self._failures[provider.name] += 1
                if error.detail not in self._told:
                    self._told.add(error.detail)
                    await self._run.note(f"no look at {candidate.provider} {candidate.id[:40]}: {error.detail}")
                return None
            self._failures[provider.name] = 0
            digest: str = output["digest"]
            return digest

    async def _compare(self, scene: Scene, wanted: list[str], pictures: list[str]) -> list[list[float]]:
        args: dict[str, Any] = {"wanted": wanted, "pictures": pictures}
        identity = f"{self._looks.identity}/{(await self._ffmpeg.get()).version}"
        spec = StepSpec(
            key=self._run.key(KIND, args, CODE, identity), kind=KIND, args=args, label=self._looks.label,
            priority=PRIORITY, timeout_s=TIMEOUT_S, stall_s=0, max_attempts=2,
        )  # fmt: skip
        rows: list[list[float]] = (await self._run.step(spec, stage="retrieving", scene=scene.index))["rows"]
        return rows

    async def _give_up(self, reason: str) -> None:
        if not self._given_up:  # several scenes may look at the same time
            self._given_up = True
            wanted, used = f"a look at the pictures ({self._looks.name})", "words alone"
            await self._run.substitute(Substitution(stage="retrieving", wanted=wanted, used=used, reason=reason))


def _name(candidate: Candidate) -> Name:
    return candidate.provider, candidate.id


def _with_look(one: Ranked, look: float | None) -> Ranked:
    points = 0.0 if look is None else round(PICTURE * (look - 0.5), 4)
    if not points:
        return one
    parts = sorted((*one.parts, ("picture", points)), key=lambda part: -abs(part[1]))
    return replace(one, score=round(one.score + points, 4), parts=tuple(parts))
