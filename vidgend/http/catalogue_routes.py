"""What there is to choose from besides voices: styles."""

from __future__ import annotations

from aiohttp import web

from vidgend.http.answers import json_answer
from vidgend.http.body import parameters
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.styles import STYLES

routes = web.RouteTableDef()


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
