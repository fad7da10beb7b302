"""Checked video + what failed -> the same video with the scenes at fault made anew, each of them once.

A repair is an edit of the storyboard: the scene gets another clip, or is captioned anew, and the whole video
is asked for again. All else is found finished, so only that scene and its transitions are encoded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from vidgend.errors import StepError
from vidgend.models import Repair, Scene, Storyboard, Substitution
from vidgend.pipeline.quality_checks import CAPTION_CHARS, PART_OF, Check, Part
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.scene_to_clip import OWN_CLIP
from vidgend.pipeline.storyboard_edit import chosen_by_hand


class Checked(Protocol):
    """A video that was made and looked at."""

    @property
    def storyboard(self) -> Storyboard: ...

    @property
    def checks(self) -> Sequence[Check]: ...


Video = TypeVar("Video", bound=Checked)


@dataclass(frozen=True, kw_only=True)
class _Fault:
    """What is to be done about the scene with that index."""

    index: int
    part: Part
    check: Check


async def repaired(
    run: JobRun,
    video: Video,
    *,
    make: Callable[[Storyboard], Awaitable[Video]],
    keep: Callable[[Storyboard], Awaitable[None]],
) -> Video:
    """The best video that can be had; what is still wrong with it is told. `make` makes one of a storyboard, `keep`
    keeps the storyboard of one that was made.

    A repair that fails costs nothing but its time: the video that is there is usable.
    """
    hopeless: dict[int, str] = {}
    alone = False
    while faults := [one for one in _faults(video) if one.index not in hopeless]:
        now = faults[:1] if alone else faults
        for fault in now:
            await run.note(f"scene {fault.index + 1}: {fault.check.found}; it is made anew")
        try:
            video = await make(_mended(video.storyboard, now))
            await keep(video.storyboard)
        except StepError as error:
            if len(now) == 1:
                hopeless[now[0].index] = error.detail
            alone = True  # so that one that cannot be repaired does not keep the others back
    await _tell(run, video, hopeless)
    return video


def _faults(video: Checked) -> list[_Fault]:
    """One for each scene that can be repaired and was not yet."""
    found: dict[int, _Fault] = {}
    for check in video.checks:
        part = PART_OF.get(check.name)
        if check.passed or part is None or check.scene is None:
            continue
        scene = video.storyboard.scenes[check.scene - 1]
        if scene.repair is None and not _why_not(scene, check):
            found.setdefault(scene.index, _Fault(index=scene.index, part=part, check=check))
    return list(found.values())


def _why_not(scene: Scene, check: Check) -> str:
    """Why another clip is not even looked for; "" if it is."""
    if PART_OF.get(check.name) != "picture":
        return ""
    if chosen_by_hand(scene):
        return "the clip was chosen by hand"
    if check.name == "repeated_clip" and check.detail.startswith("the same clip"):
        return "there was no other clip"  # all were looked at when it was chosen
    return ""


def _mended(storyboard: Storyboard, faults: Sequence[_Fault]) -> Storyboard:
    scenes = list(storyboard.scenes)
    # What was no good in one scene is no good in another one that looks for a clip.
    bad = {name for scene in scenes if scene.repair is not None for name in scene.refused}
    for fault in faults:
        clip = scenes[fault.index].clip
        if fault.part == "picture" and clip is not None:
            bad.add((clip.provider, clip.id))
    # A repeat is not mended by another repeat.
    shown = {(scene.clip.provider, scene.clip.id) for scene in scenes if scene.clip is not None}
    for fault in faults:
        avoided = bad | shown if fault.check.name == "repeated_clip" else bad
        scenes[fault.index] = _mended_scene(scenes[fault.index], fault, avoided)
    return replace(storyboard, scenes=tuple(scenes))


def _mended_scene(scene: Scene, fault: _Fault, bad: set[tuple[str, str]]) -> Scene:
    repair = Repair(check=fault.check.name, was=_identity(scene, fault.part), reason=fault.check.found)
    if fault.part == "captions":
        return replace(scene, caption_chars=CAPTION_CHARS * 3 // 4, repair=repair)
    refused = (*scene.refused, *sorted(bad.difference(scene.refused)))
    return replace(scene, clip=None, choice=None, candidates=(), ranking=(), refused=refused, why="", repair=repair)


def _identity(scene: Scene, part: Part) -> str:
    """What a part of a scene is, for people."""
    if part == "picture":
        return f"{scene.clip.provider} {scene.clip.id}" if scene.clip else "no clip"
    return f"captions of up to {scene.caption_chars} characters a line" if scene.caption_chars else "the usual captions"


async def _tell(run: JobRun, video: Checked, hopeless: dict[int, str]) -> None:
    """What was repaired, and what is still wrong, in the result's `degraded`."""
    for scene in video.storyboard.scenes:
        if scene.repair is not None:
            await run.substitute(
                Substitution(
                    stage="publishing", scene=scene.index + 1, wanted=scene.repair.was,
                    used=_identity(scene, PART_OF[scene.repair.check]),
                    reason=f"check {scene.repair.check}: {scene.repair.reason}",
                )
            )  # fmt: skip
    for check in video.checks:
        if check.passed or _told_before(run, check):
            continue
        why = _explained(video, check, hopeless)
        await run.substitute(
            Substitution(
                stage="publishing", scene=check.scene, wanted=check.wanted, used=check.found,
                reason=f"check {check.name}{': ' if why else ''}{why}",
            )
        )  # fmt: skip


def _told_before(run: JobRun, check: Check) -> bool:
    """Whether it was said already, when the clip was chosen, that it is shown twice."""
    return check.name == "repeated_clip" and any(
        one.scene == check.scene and one.wanted == OWN_CLIP for one in run.substitutions
    )


def _explained(video: Checked, check: Check, hopeless: dict[int, str]) -> str:
    if check.name == "loudness":
        return "the sound cannot be brought to its loudness without distortion"
    if check.name == "caption_reading_speed":
        return "the words are spoken faster than anyone reads"
    if check.scene is None or check.name not in PART_OF:
        return ""
    scene = video.storyboard.scenes[check.scene - 1]
    if scene.index in hopeless:
        return f"it could not be repaired: {hopeless[scene.index]}"
    return "making the scene anew did not help" if scene.repair is not None else _why_not(scene, check)
