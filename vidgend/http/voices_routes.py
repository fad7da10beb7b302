"""The voices: which there are, and how each sounds."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from vidgend.errors import (
    AssetDamaged,
    Draining,
    FfmpegFailed,
    NotFound,
    NothingSaid,
    OutOfMemory,
    ResultExpired,
    SpeechFailed,
    StepError,
    StepPoisoned,
    StepStalled,
    StepTimeout,
    UnknownVoice,
    VoiceBusy,
    VoiceUnavailable,
)
from vidgend.http.assets_routes import READS_PARTS, send_asset
from vidgend.http.body import parameters
from vidgend.http.fields import Body
from vidgend.http.operation import Call, Media, Operations, Reply
from vidgend.http.problems import BadRequest, PreconditionFailed, RangeNotSatisfiable
from vidgend.http.services import SERVICES
from vidgend.http.views.catalogue import VoicesView, voices_view

SAMPLE_MAX_AGE_S = 24 * 3600
"""The address of a sample does not name its content: another engine may speak it one day."""
_LOOK_S = 0.25
_FAILURES: tuple[type[StepError], ...] = (
    SpeechFailed, NothingSaid, FfmpegFailed, OutOfMemory, StepTimeout, StepStalled, StepPoisoned,
)  # fmt: skip
"""What may befall the step that speaks."""
EngineName = Literal["server", "kokoro", "kokoro-onnx", "piper", "espeak-ng"]

operations = Operations("catalogue")


class VoicesQuery(Body):
    language: Annotated[str, Field(pattern=r"^([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*)?$")] | None = Field(
        None, description="Only voices of this language: en, or en-GB."
    )
    engine: EngineName | None = Field(None, description="Only voices of this engine.")
    all: Literal["true", "false"] = Field("false", description="Those that cannot be used here as well.")


@operations.json("GET", "/mcp/voices", id="voices", scope="read", query=VoicesQuery, answer=VoicesView)
async def voices(call: Call, query: VoicesQuery) -> Reply:
    """The voices that can be used here, and with `all=true` how to get the others."""
    services = call.services
    language = (query.language or "").casefold()
    shown = (
        one
        for one in services.voices
        if (one.usable or query.all == "true")
        and (not language or f"{one.voice.language.casefold()}-".startswith(f"{language}-"))
        and query.engine in (None, one.voice.engine)
    )
    return Reply(view=voices_view(shown, services.defaults.voice, call.base_url))


@operations.raw(
    "GET", "/mcp/voices/{name}/sample", id="voice_sample", scope="read", answer=(Media(content_type="audio/wav"),),
    headers=READS_PARTS, also={206: "A part of the file.", 304: "The file is the one that the client has."},
    as_status={UnknownVoice: 404, **dict.fromkeys(_FAILURES, 503)},
    errors=(
        NotFound, AssetDamaged, VoiceBusy, VoiceUnavailable, Draining, BadRequest, ResultExpired, PreconditionFailed,
        RangeNotSatisfiable,
    ),
)  # fmt: skip
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
