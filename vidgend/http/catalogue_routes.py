"""What there is to choose from: voices and styles."""

from __future__ import annotations

from aiohttp import web

from vidgend.http.answers import json_answer
from vidgend.http.body import parameters
from vidgend.http.services import SERVICES
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.styles import STYLES

routes = web.RouteTableDef()


@routes.get("/mcp/voices")
async def voices(request: web.Request) -> web.Response:
    """All voices that can be used here; with `?language=en` those of that language."""
    services = request.app[SERVICES]
    language = parameters(request, "language").get("language", "").casefold()
    return json_answer(
        {
            "voices": [
                {
                    "id": voice.id,
                    "engine": voice.engine,
                    "language": voice.language,
                    "gender": voice.gender,
                    "tags": list(voice.tags),
                }
                for voice in services.voices
                if not language or f"{voice.language.casefold()}-".startswith(f"{language}-")
            ],
            "default": services.defaults.voice,
        }
    )


@routes.get("/mcp/styles")
async def styles(request: web.Request) -> web.Response:
    parameters(request)
    return json_answer(
        {
            "styles": [
                {
                    "name": style.name,
                    "description": style.description,
                    "mood": style.mood,
                    "captions": style.caption_preset,
                    "transition": style.transition.kind,
                }
                for style in STYLES.values()
            ],
            "default": GenerateBody.model_fields["style"].default,
        }
    )
