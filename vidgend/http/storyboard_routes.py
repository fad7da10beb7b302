"""The storyboard of a job: scenes, narration, pictures found, words and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from aiohttp import web

from vidgend.errors import Conflict, StoryboardChanged
from vidgend.http.answers import json_answer, rfc3339
from vidgend.http.asset_links import thumbnail_urls
from vidgend.http.auth import base_url
from vidgend.http.body import parameters, read_body, read_optional_body, whole_number
from vidgend.http.edit_wire import PatchBody, RenderBody, RevertBody
from vidgend.http.jobs_routes import job_id_of
from vidgend.http.own_media import edit_media
from vidgend.http.problems import problem
from vidgend.http.revise import edit_storyboard, newest_version, render_storyboard, revert_storyboard
from vidgend.http.services import SERVICES
from vidgend.models import Brief, Candidate, Clip, Scene, Storyboard, Word, ranked_view
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.store.jobs import Job
from vidgend.store.storyboards import Version
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s, parse_fps

_VERSION = re.compile(r'(?:W/)?"?([1-9][0-9]{0,8})"?')

routes = web.RouteTableDef()


@routes.get("/mcp/storyboard/{job_id}")
async def storyboard(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    number = whole_number(parameters(request, "version"), "version", least=1, most=999_999_999)
    job = await services.jobs.get(job_id_of(request))
    try:
        return await _shown(request, job, await newest_version(services, job, number))
    except Conflict as error:
        return problem(error, job_status=job.state)


@routes.get("/mcp/storyboard/{job_id}/versions")
async def versions(request: web.Request) -> web.Response:
    """All versions, oldest first: who made each from which one, and what changed."""
    parameters(request)
    services = request.app[SERVICES]
    job = await services.jobs.get(job_id_of(request))
    try:
        await newest_version(services, job)
    except Conflict as error:
        return problem(error, job_status=job.state)
    lines = await services.storyboards.versions(job.id)
    return json_answer(
        {
            "job_id": job.id,
            "versions": [
                {
                    "version": line.number,
                    "author": line.author,
                    "created_at": rfc3339(line.created_at),
                    "based_on": line.based_on,
                    "changes": line.changes,
                    "rendered": job.state == "completed" and line.number == (job.version or 1),
                }
                for line in lines
            ],
        }
    )


@routes.patch("/mcp/storyboard/{job_id}")
async def patch(request: web.Request) -> web.Response:
    """Make the next version. Nothing is rendered before POST /mcp/render/<id>."""
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    body, _ = await read_body(request, PatchBody)
    media = await edit_media(services.uploads, body)
    made = await edit_storyboard(services, job_id, body, if_match=_if_match(request), media=media)
    return await _shown(request, await services.jobs.get(job_id), made)


@routes.post("/mcp/storyboard/{job_id}/revert")
async def revert(request: web.Request) -> web.Response:
    """Make an older version the newest again."""
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    body, _ = await read_body(request, RevertBody)
    made = await revert_storyboard(services, job_id, body, if_match=_if_match(request))
    return await _shown(request, await services.jobs.get(job_id), made)


@routes.post("/mcp/render/{job_id}")
async def render(request: web.Request) -> web.Response:
    """Approve a storyboard that awaits review, or have another version or quality of it rendered."""
    services = request.app[SERVICES]
    job_id = job_id_of(request)
    accepted = await render_storyboard(services, job_id, await read_optional_body(request, RenderBody))
    services.worker.wake()
    return json_answer(
        {
            "job_id": job_id,
            "status": "accepted",
            "message": f"Version {accepted.version} will be rendered.",
            "version": accepted.version,
            "segments": {
                "reused": [asdict(piece) for piece in accepted.reuse.reused],
                "rebuilt": [asdict(piece) for piece in accepted.reuse.rebuilt],
            },
        },
        status=202,
        headers={"Location": f"/mcp/status/{job_id}"},
    )


def _if_match(request: web.Request) -> int | None:
    """The version that If-Match names; None for any. Raises: StoryboardChanged for what no version can be."""
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    match = _VERSION.fullmatch(text)
    if match is None:
        raise StoryboardChanged(f"If-Match must hold a version, not {text[:40]!r}")
    return int(match[1])


async def _shown(request: web.Request, job: Job, version: Version) -> web.Response:
    services = request.app[SERVICES]
    base = base_url(request, services.public_url, services.trusted_proxies)
    thumbnails = await thumbnail_urls(services, job.id, base_url=base)
    head = {"job_id": job.id, "version": version.number, "status": job.state}
    made = {
        "author": version.author,
        "created_at": rfc3339(version.created_at),
        "based_on": version.based_on,
        "changes": version.changes,
    }
    return json_answer(
        head | _view(version.storyboard, thumbnails) | {"request": _request(version.brief)} | made,
        headers={"ETag": f'"{version.number}"'},
    )


def _request(brief: Brief) -> dict[str, Any]:
    """What holds for the whole video, under the names by which it can be changed."""
    transitions = brief.transitions
    return {
        "style": brief.style,
        "voice": brief.voice,
        "language": brief.language,
        "captions": asdict(brief.captions),
        "music": {
            "none": not brief.music.enabled,
            "mood": brief.music.mood,
            "asset": brief.music.asset,
            "volume": brief.music.volume,
            "ducking": brief.music.ducking,
        },
        "transitions": {"kind": transitions.kind, "duration": transitions.duration_s} if transitions else None,
        "credits_card": brief.credits_card,
        "quality": brief.quality,
        "width": brief.width_px,
        "height": brief.height_px,
        "outputs": [
            {
                "name": one.name,
                "language": one.language or brief.language,
                "voice": one.voice or brief.voice,
                "width": one.width_px,
                "height": one.height_px,
            }
            for one in brief.outputs
        ],
    }


def _view(board: Storyboard, thumbnails: Mapping[str, str]) -> dict[str, Any]:
    """`thumbnails`: digest -> URL of those that are there."""
    fps = parse_fps(board.fps)
    return {
        "title": board.title,
        "language": board.language,
        "planner": board.planner,
        "mood": board.mood,
        "stretch": board.stretch,
        "fps": board.fps,
        "scenes": [_scene(scene, fps, thumbnails) for scene in board.scenes],
    }


def _scene(scene: Scene, fps: Fraction, thumbnails: Mapping[str, str]) -> dict[str, Any]:
    """Words count from the start of the video once the scene's place in it is known, until then from their speech."""
    seen = {(one.provider, one.id): thumbnails.get(one.digest) for one in scene.thumbnails}
    chosen = scene.choice.candidate if scene.choice else scene.clip
    start, shift_s = None, 0.0
    if scene.start_frame is not None:
        start = float(frames_to_s(scene.start_frame, fps))
        shift_s = speech_start_sample(scene.start_frame, scene.index, fps, recorded=scene.recorded) / SAMPLE_RATE_HZ
    return {
        "id": scene.id or f"s{scene.index + 1}",
        "index": scene.index + 1,
        "narration": scene.written,
        "queries": list(scene.queries),
        "clip": _clip(scene.clip) | _looks(scene.clip, seen) if scene.clip else None,
        "choice": _candidate(chosen) | _looks(chosen, seen) if isinstance(chosen, Candidate) else None,
        "candidates": [
            _candidate(one)
            | _looks(one, seen)
            | {"chosen": chosen is not None and (one.provider, one.id) == (chosen.provider, chosen.id)}
            for one in scene.candidates
        ],
        "why": scene.why,
        "ranking": [ranked_view(one) for one in scene.ranking],
        "words": [_word(word, shift_s) for word in scene.words.words] if scene.words else [],
        "words_source": scene.words.source if scene.words else None,
        "words_from": "speech" if start is None else "video",
        "speech": _speech(scene),
        "start": round(start, 3) if start is not None else None,
        "duration": round(float(frames_to_s(scene.frames, fps)), 3) if scene.frames is not None else None,
        "frames": scene.frames,
    }


def _looks(picture: Candidate | Clip, seen: Mapping[tuple[str, str], str | None]) -> dict[str, Any]:
    return {"thumbnail_url": seen.get((picture.provider, picture.id))}


def _speech(scene: Scene) -> dict[str, Any] | None:
    if scene.speech is None:
        return None
    return {"engine": scene.speech.engine, "voice": scene.speech.voice}


def _word(word: Word, shift_s: float) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": round(word.start_s + shift_s, 3),
        "end": round(word.end_s + shift_s, 3),
        "confidence": round(word.confidence, 3),
    }


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "provider": clip.provider,
        "id": clip.id,
        "kind": clip.kind,
        "description": clip.description,
        "query": clip.query,
        "credit": asdict(clip.credit),
        "width": clip.width_px or None,
        "height": clip.height_px or None,
        "duration": clip.duration_s,
        "in_point": clip.in_point_s,
        "sha256": clip.digest,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "provider": candidate.provider,
        "id": candidate.id,
        "kind": candidate.kind,
        "description": candidate.description,
        "duration": candidate.duration_s,
        "credit": asdict(candidate.credit),
    }
