"""The one way to change a storyboard and to have it rendered, over HTTP and in a process without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from vidgend.errors import (
    Conflict,
    FeatureUnavailable,
    LanguageUnsupported,
    NotFound,
    StoryboardChanged,
    StoryboardNotReady,
)
from vidgend.http.accept import Door, check_open
from vidgend.http.edit_wire import PatchBody, RenderBody, RevertBody, to_edit
from vidgend.http.own_media import EditMedia
from vidgend.http.problems import InvalidFields
from vidgend.models import Brief, Clip, Storyboard
from vidgend.pipeline.foresee import Reuse
from vidgend.pipeline.speech.voices import primary
from vidgend.pipeline.storyboard_edit import BadEdit, apply, changes_between
from vidgend.pipeline.storyboard_to_outputs import to_translate
from vidgend.pipeline.text_language import text_language
from vidgend.store.jobs import Job
from vidgend.store.storyboards import StoryboardStore, Version, check_idle

TRIES = 50
"""Each time that somebody else was faster that one has got on, so with fewer clients at once nobody is turned away."""


class ReviseDoor(Door, Protocol):
    """What revising needs on top of accepting."""

    @property
    def storyboards(self) -> StoryboardStore: ...

    def foresee(self, job_id: str, version: Version, brief: Brief, /) -> Awaitable[Reuse]: ...


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A version that is to be rendered, and what of it is there already."""

    version: int
    reuse: Reuse


async def newest_version(door: ReviseDoor, job: Job, number: int | None = None) -> Version:
    """A version of a job's storyboard, the newest unless `number` says which.

    Raises: NotFound; StoryboardNotReady if there is none yet; Conflict if there never will be one.
    """
    if job.kind != "video":
        raise NotFound("a prefetch job has no storyboard")
    found = await door.storyboards.get(job.id, number)
    if found is not None:
        return found
    if number is not None and await door.storyboards.get(job.id) is not None:
        raise NotFound(f"the storyboard has no version {number}")
    if job.ended:
        raise Conflict(f"the job {job.state} before it had a storyboard")
    raise StoryboardNotReady(f"the job is {job.state}")


async def edit_storyboard(
    door: ReviseDoor, job_id: str, body: PatchBody, *, if_match: int | None, media: EditMedia
) -> Version:
    """Make the next version out of the newest. `media` is what the body names of uploaded files.

    Raises: NotFound, Conflict, StoryboardChanged, BadInput and its kin.
    """
    return await _on_the_newest(lambda: _edit(door, job_id, body, if_match=if_match, media=media), if_match)


async def _on_the_newest(change: Callable[[], Awaitable[Version]], if_match: int | None) -> Version:
    """Who names no version changes the newest one, also if somebody else makes one at the same moment."""
    for _ in range(TRIES if if_match is None else 0):
        with suppress(StoryboardChanged):
            return await change()
    return await change()


async def _edit(door: ReviseDoor, job_id: str, body: PatchBody, *, if_match: int | None, media: EditMedia) -> Version:
    job = await door.jobs.get(job_id)
    base = await newest_version(door, job)
    check_idle(job.state)
    if if_match is not None and if_match != base.number:
        raise StoryboardChanged(f"the newest version is {base.number}, not {if_match}")

    def uploaded(digest: str, pointer: str) -> Clip:
        if digest not in media.clips:
            raise InvalidFields([{"pointer": pointer, "detail": "is no uploaded video or photo"}])
        return media.clips[digest]

    edit = to_edit(body, base.brief, door.defaults, uploaded, music_title=media.music_title)
    most = await door.storyboards.most_scene_number(job_id)
    try:
        storyboard, brief = await asyncio.to_thread(apply, base.storyboard, base.brief, edit, most_scene_number=most)
    except BadEdit as error:
        raise InvalidFields([{"pointer": error.pointer, "detail": str(error)}]) from None
    if (storyboard.scenes, storyboard.title, brief) == (base.storyboard.scenes, base.storyboard.title, base.brief):
        return base
    await asyncio.to_thread(_check_language, storyboard, base.storyboard, brief, body)
    if "voice" in edit.brief:
        door.check_voice(brief.voice, brief.language)
        door.check_voice(brief.voice, brief.language or storyboard.language or None)
    if "captions" in edit.brief and brief.captions.font is not None:
        await asyncio.to_thread(door.check_font, brief.captions.font)
    changes = changes_between((base.storyboard, base.brief), (storyboard, brief))
    number = await door.storyboards.add(
        job_id, storyboard, brief, author=body.author, based_on=base.number, newest=base.number, changes=changes
    )
    return await newest_version(door, job, number)


def _check_language(new: Storyboard, old: Storyboard, brief: Brief, body: PatchBody) -> None:
    """Whether new words are in the language of the video, as far as they tell. A request that names its language is
    believed. Raises: LanguageUnsupported."""
    if brief.language is not None or body.voice is not None:
        return
    known = {scene.narration for scene in old.scenes}
    for scene in new.scenes:
        expected = primary(new.language or "en")
        found = text_language(scene.narration, expected=expected) if scene.narration not in known else None
        if found is not None and found != expected:
            raise LanguageUnsupported(
                f"scene {scene.index + 1}: the new text is in {found}, and the video in {expected}",
                hint="Name a voice that speaks it in the same edit, or make another video.",
            )


async def revert_storyboard(door: ReviseDoor, job_id: str, body: RevertBody, *, if_match: int | None) -> Version:
    """Make an older version the newest again, as a version of its own.

    Raises: NotFound, Conflict, StoryboardChanged.
    """
    return await _on_the_newest(lambda: _revert(door, job_id, body, if_match=if_match), if_match)


async def _revert(door: ReviseDoor, job_id: str, body: RevertBody, *, if_match: int | None) -> Version:
    job = await door.jobs.get(job_id)
    newest = await newest_version(door, job)
    wanted = await newest_version(door, job, body.version)
    check_idle(job.state)
    if if_match is not None and if_match != newest.number:
        raise StoryboardChanged(f"the newest version is {newest.number}, not {if_match}")
    number = await door.storyboards.add(
        job_id,
        wanted.storyboard,
        wanted.brief,
        author=body.author,
        based_on=wanted.number,
        newest=newest.number,
        changes=changes_between((newest.storyboard, newest.brief), (wanted.storyboard, wanted.brief)),
    )
    return await newest_version(door, job, number)


async def render_storyboard(door: ReviseDoor, job_id: str, body: RenderBody) -> Accepted:
    """Put a job back into the queue to have a version of its storyboard rendered; the caller wakes the worker.

    Raises: NotFound, Conflict, FeatureUnavailable, QueueFull, StorageFull, Draining.
    """
    job = await door.jobs.get(job_id)
    version = await newest_version(door, job, body.version)
    check_idle(job.state)
    brief = replace(version.brief, review=False, quality=body.quality or version.brief.quality)
    _check_words(version, brief, can_translate=door.can_translate)
    await check_open(door, brief, owner=job.owner)
    reuse = await door.foresee(job.id, version, brief)
    await door.jobs.render(job.id, version=version.number, brief=brief)
    return Accepted(version=version.number, reuse=reuse)


def _check_words(version: Version, brief: Brief, *, can_translate: bool) -> None:
    """Whether all that is said in every output can be had. Raises: FeatureUnavailable."""
    for output in brief.outputs:
        lacking = to_translate(brief, output, version.storyboard)
        if lacking and not can_translate:
            scenes = ", ".join(str(index + 1) for index in lacking)
            raise FeatureUnavailable(
                f"output {output.name}: no words in {output.language} were given for scene {scenes} "
                "as it is now, and there is no language model to translate them",
                hint="Set planner.base_url and planner.model, change the text back, or send a new job with all texts.",
            )
