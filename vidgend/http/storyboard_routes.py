"""The storyboard of a job: scenes, narration, pictures found, words and times."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from typing import Any

from aiohttp import web

from vidgend.errors import Conflict, NotFound, StoryboardNotReady
from vidgend.http.answers import json_answer
from vidgend.http.body import parameters, whole_number
from vidgend.http.jobs_routes import job_id_of
from vidgend.http.problems import problem
from vidgend.http.services import SERVICES
from vidgend.models import Candidate, Clip, Scene, Storyboard, Word
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s, parse_fps

routes = web.RouteTableDef()


@routes.get("/mcp/storyboard/{job_id}")
async def storyboard(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    version = whole_number(parameters(request, "version"), "version", least=1, most=999_999_999)
    job = await services.jobs.get(job_id_of(request))
    if job.kind != "video":
        raise NotFound("a prefetch job has no storyboard")
    found = await services.jobs.storyboard(job.id, version)
    if found is not None:
        return json_answer({"job_id": job.id, "version": found[0], "status": job.state} | _view(found[1]))
    if version is not None and await services.jobs.storyboard(job.id) is not None:
        raise NotFound(f"the storyboard has no version {version}")
    if job.ended:
        return problem(Conflict(f"the job {job.state} before it had a storyboard"), job_status=job.state)
    return problem(StoryboardNotReady(f"the job is {job.state}"), job_status=job.state)


def _view(board: Storyboard) -> dict[str, Any]:
    fps = parse_fps(board.fps)
    return {
        "title": board.title,
        "language": board.language,
        "planner": board.planner,
        "mood": board.mood,
        "stretch": board.stretch,
        "fps": board.fps,
        "scenes": [_scene(scene, fps) for scene in board.scenes],
    }


def _scene(scene: Scene, fps: Fraction) -> dict[str, Any]:
    """Words count from the start of the video once the scene's place in it is known, until then from their speech."""
    start, shift_s = None, 0.0
    if scene.start_frame is not None:
        start = float(frames_to_s(scene.start_frame, fps))
        shift_s = speech_start_sample(scene.start_frame, scene.index, fps) / SAMPLE_RATE_HZ
    return {
        "index": scene.index + 1,
        "narration": scene.narration,
        "queries": list(scene.queries),
        "clip": _clip(scene.clip) if scene.clip else None,
        "candidates": [_candidate(candidate) for candidate in scene.candidates],
        "why": scene.why,
        "words": [_word(word, shift_s) for word in scene.words.words] if scene.words else [],
        "words_source": scene.words.source if scene.words else None,
        "words_from": "speech" if start is None else "video",
        "speech": _speech(scene),
        "start": round(start, 3) if start is not None else None,
        "duration": round(float(frames_to_s(scene.frames, fps)), 3) if scene.frames is not None else None,
        "frames": scene.frames,
    }


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
