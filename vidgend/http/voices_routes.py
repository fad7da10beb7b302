"""The voices: which there are, and how each sounds."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

from aiohttp import web

from vidgend.errors import Draining, StepError, UnknownVoice
from vidgend.http.answers import json_answer
from vidgend.http.assets_routes import send_asset
from vidgend.http.auth import base_url
from vidgend.http.body import parameters
from vidgend.http.problems import BadRequest, InvalidFields
from vidgend.http.services import SERVICES
from vidgend.pipeline.sample_texts import sample_text
from vidgend.pipeline.speech.select import NAMES
from vidgend.pipeline.voice_catalogue import Listed

SAMPLE_MAX_AGE_S = 24 * 3600
"""The address of a sample does not name its content: another engine may speak it one day."""
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
_LOOK_S = 0.25

routes = web.RouteTableDef()


@routes.get("/mcp/voices")
async def voices(request: web.Request) -> web.Response:
    """The voices that can be used here, with `all=true` the others too; `language=en` and `engine=kokoro` choose."""
    services = request.app[SERVICES]
    given = parameters(request, "language", "engine", "all")
    _check(given)
    language, engine = given.get("language", "").casefold(), given.get("engine")
    base = base_url(request, services.public_url, services.trusted_proxies)
    return json_answer(
        {
            "voices": [
                voice_view(one, base)
                for one in services.voices
                if (one.usable or given.get("all") == "true")
                and (not language or f"{one.voice.language.casefold()}-".startswith(f"{language}-"))
                and engine in (None, one.voice.engine)
            ],
            "default": services.defaults.voice,
        }
    )


def _check(given: dict[str, str]) -> None:
    """Raises: InvalidFields."""
    errors = []
    if given.get("language") and not _LANGUAGE.fullmatch(given["language"]):
        errors.append({"parameter": "language", "detail": "must be a language tag such as en or pt-BR"})
    if "engine" in given and given["engine"] not in NAMES:
        errors.append({"parameter": "engine", "detail": f"must be one of {', '.join(NAMES)}"})
    if given.get("all", "true") not in ("true", "false"):
        errors.append({"parameter": "all", "detail": "must be true or false"})
    if errors:
        raise InvalidFields(errors)


def voice_view(one: Listed, base: str) -> dict[str, Any]:
    """`base` "" leaves out where its sample is, for there is no server."""
    voice = one.voice
    sampled = one.usable and sample_text(voice.language)
    view: dict[str, Any] = {
        "id": voice.id,
        "engine": voice.engine,
        "language": voice.language,
        "gender": voice.gender,
        "tags": list(voice.tags),
        "usable": one.usable,
        "reason": one.reason or None,
        "get": one.get or None,
    }
    return view | ({"sample_url": f"{base}{sample_path(voice.id)}" if sampled else None} if base else {})


def sample_path(name: str) -> str:
    """Where a daemon has the sample of a voice, by id, tag or blend."""
    return f"/mcp/voices/{quote(name, safe='')}/sample"


@routes.get("/mcp/voices/{name}/sample")
async def sample(request: web.Request) -> web.StreamResponse:
    """A sentence in a voice's language, made when it is first asked for."""
    parameters(request)
    services = request.app[SERVICES]
    if services.worker.draining:
        raise Draining
    name = request.match_info["name"]
    try:
        digest = await _while_connected(request, asyncio.ensure_future(services.sample(name)))
    except UnknownVoice as error:
        error.status = 404  # it is the address that is wrong
        raise
    except StepError as error:
        error.status = 503
        raise
    return await send_asset(request, digest, f"{name}.wav", "audio/wav", max_age_s=SAMPLE_MAX_AGE_S)


async def _while_connected(request: web.Request, work: asyncio.Future[str]) -> str:
    """What `work` gives; it is given up when the client goes away."""
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK_S))[0]:
            if request.transport is None or request.transport.is_closing():
                raise BadRequest("the client went away")  # nobody reads it
        return work.result()
    finally:
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
