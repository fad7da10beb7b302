"""The storyboard of a job: its versions, editing and rendering them."""

from __future__ import annotations

import re

from pydantic import Field

from vidgend.errors import (
    Conflict,
    Draining,
    FeatureUnavailable,
    LanguageUnsupported,
    NotFound,
    QueueFull,
    QueueQuotaExceeded,
    StorageFull,
    StoryboardChanged,
    StoryboardNotReady,
    UnknownFont,
    UnknownPreset,
    UnknownStyle,
    UnknownVoice,
    UploadUnknown,
)
from vidgend.http.asset_links import thumbnail_urls
from vidgend.http.body import whole
from vidgend.http.edit_wire import PatchBody, RenderBody, RevertBody
from vidgend.http.fields import Body
from vidgend.http.jobs_routes import own_job
from vidgend.http.operation import Call, Header, Link, Operations, Reply
from vidgend.http.own_media import edit_media
from vidgend.http.revise import edit_storyboard, newest_version, render_storyboard, revert_storyboard
from vidgend.http.views.storyboard import (
    RenderView,
    StoryboardView,
    VersionsView,
    render_view,
    storyboard_view,
    versions_view,
)
from vidgend.store.jobs import Job
from vidgend.store.storyboards import Version

_VERSION = re.compile(r'(?:W/)?"?([1-9][0-9]{0,8})"?')
_MEANT = Header(
    name="If-Match",
    description="The version that is meant to be the newest; `*` or nothing: any.",
    pattern=r'^(\*|(W/)?"?[1-9][0-9]{0,8}"?)$',
)

_CHANGES = (
    Link(name="edit", to="edit_storyboard", given={
        "job_id": "$response.body#/job_id", "If-Match": "$response.header.ETag",
    }),
    Link(name="revert", to="revert_storyboard", given={"job_id": "$response.body#/job_id"}),
    Link(name="versions", to="storyboard_versions", given={"job_id": "$response.body#/job_id"}),
    Link(name="render", to="render", given={"job_id": "$response.body#/job_id"}),
)  # fmt: skip

operations = Operations("storyboards")


class StoryboardQuery(Body):
    version: whole(1, 999_999_999) | None = Field(  # type: ignore[valid-type]
        None, description="Which version; unset: the newest."
    )


@operations.json(
    "GET", "/mcp/storyboard/{job_id}", id="storyboard", scope="read", query=StoryboardQuery, answer=StoryboardView,
    links=_CHANGES, errors=(NotFound, Conflict, StoryboardNotReady),
)  # fmt: skip
async def storyboard(call: Call, query: StoryboardQuery) -> Reply:
    """The scenes of a video: what is said, what is shown, and when."""
    job = await own_job(call)
    return await _shown(call, job, await _version(call, job, query.version))


async def _version(call: Call, job: Job, number: int | None = None) -> Version:
    try:
        return await newest_version(call.services, job, number)
    except Conflict as error:
        raise error.telling(job_status=job.state) from None


@operations.json(
    "GET", "/mcp/storyboard/{job_id}/versions", id="storyboard_versions", scope="read", answer=VersionsView,
    errors=(NotFound, Conflict, StoryboardNotReady),
)  # fmt: skip
async def versions(call: Call) -> Reply:
    """All versions, oldest first: who made each from which one, and what changed."""
    job = await own_job(call)
    await _version(call, job)
    return Reply(view=versions_view(job, await call.services.storyboards.versions(job.id)))


@operations.json(
    "PATCH", "/mcp/storyboard/{job_id}", id="edit_storyboard", scope="write", body=PatchBody, answer=StoryboardView,
    headers=(_MEANT,),
    errors=(
        NotFound, Conflict, StoryboardNotReady, StoryboardChanged, UnknownVoice, UnknownStyle, UnknownPreset,
        UnknownFont, LanguageUnsupported, FeatureUnavailable, UploadUnknown,
    ),
)  # fmt: skip
async def patch(call: Call, body: PatchBody) -> Reply:
    """Make the next version. Nothing is rendered before POST /mcp/render/<id>."""
    services, job = call.services, await own_job(call)
    media = await edit_media(services.uploads, body, owner=job.owner)
    made = await edit_storyboard(services, job.id, body, if_match=_if_match(call), media=media)
    return await _shown(call, await own_job(call), made)


@operations.json(
    "POST", "/mcp/storyboard/{job_id}/revert", id="revert_storyboard", scope="write", body=RevertBody,
    answer=StoryboardView, headers=(_MEANT,), errors=(NotFound, Conflict, StoryboardNotReady, StoryboardChanged),
)  # fmt: skip
async def revert(call: Call, body: RevertBody) -> Reply:
    """Make an older version the newest again."""
    job = await own_job(call)
    made = await revert_storyboard(call.services, job.id, body, if_match=_if_match(call))
    return await _shown(call, await own_job(call), made)


@operations.json(
    "POST", "/mcp/render/{job_id}", id="render", scope="write", status=202, body=RenderBody, body_optional=True,
    answer=RenderView,
    errors=(
        NotFound, Conflict, StoryboardNotReady, FeatureUnavailable, UploadUnknown, Draining, StorageFull, QueueFull,
        QueueQuotaExceeded,
    ),
)  # fmt: skip
async def render(call: Call, body: RenderBody) -> Reply:
    """Approve a storyboard that awaits review, or have another version or quality of it rendered."""
    services, job = call.services, await own_job(call)
    accepted = await render_storyboard(services, job.id, body)
    services.worker.wake()
    return Reply(
        view=render_view(job.id, accepted.version, accepted.reuse), headers={"Location": f"/mcp/status/{job.id}"}
    )


def _if_match(call: Call) -> int | None:
    """The version that If-Match names; None for any. Raises: StoryboardChanged for what no version can be."""
    text = call.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    match = _VERSION.fullmatch(text)
    if match is None:
        raise StoryboardChanged(f"If-Match must hold a version, not {text[:40]!r}")
    return int(match[1])


async def _shown(call: Call, job: Job, version: Version) -> Reply:
    thumbnails = await thumbnail_urls(call.services, job.id, caller=call.caller, base_url=call.base_url)
    return Reply(view=storyboard_view(job, version, thumbnails), headers={"ETag": f'"{version.number}"'})
