"""What there is to choose from: voices and styles."""

from __future__ import annotations

from aiohttp import web

from vidgend.http.answers import json_answer
from vidgend.http.services import SERVICES
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.styles import STYLES

routes = web.RouteTableDef()


@routes.get("/mcp/voices")
async def voices(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
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
            ],
            "default": services.defaults.voice,
        }
    )


@routes.get("/mcp/styles")
async def styles(request: web.Request) -> web.Response:
    return json_answer(
        {
            "styles": [
                {"name": style.name, "description": style.description, "mood": style.mood} for style in STYLES.values()
            ],
            "default": GenerateBody.model_fields["style"].default,
        }
    )
