"""The one way in for jobs, over HTTP and in a process without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Protocol

from vidgend.egress import Network
from vidgend.errors import Draining, FeatureUnavailable, LanguageUnsupported, NotFound
from vidgend.http.callback_url import check_callback_url
from vidgend.http.outputs import check_languages
from vidgend.http.own_media import own_media
from vidgend.http.own_voice import Ears, check_voice_over
from vidgend.http.services import Jobs
from vidgend.http.wire import PER_SCENE, Defaults, GenerateBody, PrefetchBody, aspect_of, to_brief, to_prefetch
from vidgend.models import Brief, PrefetchBrief, Storyboard
from vidgend.pipeline.text_language import has_own_text, script_language, unreadable_as
from vidgend.store.database import Database
from vidgend.store.idempotency import earlier_job
from vidgend.store.jobs import JobStore
from vidgend.store.storyboards import StoryboardStore
from vidgend.store.uploads import UploadStore


class Door(Ears, Protocol):
    """What accepting needs. The services of the web application have it, and a runtime without a server."""

    @property
    def database(self) -> Database: ...

    @property
    def jobs(self) -> JobStore: ...

    @property
    def uploads(self) -> UploadStore: ...

    @property
    def storyboards(self) -> StoryboardStore: ...

    @property
    def worker(self) -> Jobs: ...

    @property
    def defaults(self) -> Defaults: ...

    @property
    def webhooks_enabled(self) -> bool: ...

    @property
    def allow_networks(self) -> tuple[Network, ...]: ...

    @property
    def can_translate(self) -> bool: ...

    def check_voice(self, voice: str, language: str | None, /) -> None: ...

    def check_font(self, family: str, /) -> None: ...

    def check_money(self, owner: str, /) -> Awaitable[None]: ...


async def accept_generate(
    door: Door, body: GenerateBody, *, key: str | None = None, body_sha256: str = "", owner: str
) -> tuple[str, bool]:
    """Check a video job and put it into the queue. Answers (job id, whether it is new); the caller wakes the worker.

    The repeat of an accepted request gets its job, whatever else is the matter by now.
    Raises: BadInput and its kin, BudgetSpent, Draining, StorageFull, QueueFull.
    """
    if key is not None and (known := await earlier_job(door.database, key, body_sha256, owner=owner)) is not None:
        return known, False
    brief = await _checked(door, body, owner)
    if body.callback_url is not None:
        if not door.webhooks_enabled:
            raise FeatureUnavailable("callback_url: webhooks.enabled is off in the settings", hint="Poll the status.")
        check_callback_url(body.callback_url, door.allow_networks)
    await check_open(door, brief, owner=owner)
    return await door.jobs.submit(
        brief,
        priority=body.priority,
        metadata=body.metadata,
        callback_url=body.callback_url,
        idempotency_key=key,
        body_sha256=body_sha256,
        owner=owner,
    )


async def _checked(door: Door, body: GenerateBody, owner: str) -> Brief:
    """The brief of a request, checked for all that can be told beforehand.

    Raises: BadInput and its kin, BudgetSpent.
    """
    media = await own_media(door.uploads, body, owner=owner)
    brief = to_brief(body, door.defaults, media.clips, media.music_title, media.voice_over)
    check_voice_over(door, body, brief, media.recording)
    if await check_languages(body, brief, can_translate=door.can_translate):
        await door.check_money(owner)
    spoken = brief.narration_audio is None or has_own_text(brief)  # else the prompt only says what it is about
    if spoken and body.language is not None and (written := unreadable_as(brief)) is not None:
        raise LanguageUnsupported(f"the text is in the letters of {written}, not in those of {brief.language}")
    language = brief.language or script_language(brief)
    if brief.narration_audio is None:
        door.check_voice(brief.voice, language)
    elif body.voice is not None:  # it is not heard, unless a text is changed later
        door.check_voice(brief.voice, None)
    for output in brief.outputs if brief.narration_audio is None else ():
        door.check_voice(output.voice or brief.voice, output.language or language)
    if brief.captions.font is not None:
        await asyncio.to_thread(door.check_font, brief.captions.font)
    return brief


async def accept_prefetch(
    door: Door, body: PrefetchBody, *, key: str | None = None, body_sha256: str = "", owner: str
) -> tuple[str, bool]:
    """The same for a prefetch job.

    Raises: BadInput and its kin, NotFound, BudgetSpent, Draining, StorageFull, QueueFull.
    """
    if key is not None and (known := await earlier_job(door.database, key, body_sha256, owner=owner)) is not None:
        return known, False
    _check_draining(door)
    brief = await _prefetch_brief(door, body, owner)
    await check_open(door, brief, owner=owner)
    return await door.jobs.submit(brief, idempotency_key=key, body_sha256=body_sha256, owner=owner)


async def _prefetch_brief(door: Door, body: PrefetchBody, owner: str) -> PrefetchBrief:
    """Raises: BadInput and its kin, NotFound for a job without a storyboard."""
    if body.queries is not None:
        return to_prefetch(body, door.defaults)
    storyboard: Storyboard | None = None
    if body.storyboard is not None:
        version = None
        with suppress(NotFound):
            version = await door.storyboards.get((await door.jobs.get(body.storyboard, owner=owner)).id)
        if version is None:
            raise NotFound(f"there is no job {body.storyboard} with a storyboard")
        brief, storyboard = version.brief, version.storyboard
    else:
        asked = body.video or GenerateBody(prompt=body.prompt or "", aspect_ratio=aspect_of(body))
        brief = await _checked(door, asked, owner)
    return PrefetchBrief(
        per_query=body.per_query or PER_SCENE,
        width_px=brief.width_px,
        height_px=brief.height_px,
        brief=brief,
        storyboard=storyboard,
    )


async def check_open(door: Door, brief: Brief | PrefetchBrief, *, owner: str) -> None:
    """Whether such a job is taken now. Raises: Draining, StorageFull."""
    _check_draining(door)
    await door.worker.check_room(brief, owner)


def _check_draining(door: Door) -> None:
    if door.worker.draining:
        raise Draining("vidgend is stopping; send this again after the restart")
