"""Prompts: what a person can begin a conversation with."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp_types import EmbeddedResource, TextResourceContents
from pydantic import Field

from vidgend.errors import VidgendError
from vidgend.mcp.answers import protocol_error, text_of
from vidgend.mcp.backend import backend
from vidgend.mcp.tool import Client, ToolServer

WORDS_PER_MINUTE = 150
USUAL_S, LONGEST_S = 60.0, 3600.0
_JobId = Annotated[str, Field(description="The job_id of the video.")]


async def write_script(
    topic: Annotated[str, Field(description="What the video is about.")],
    length: Annotated[str, Field(description="How long it should be, in seconds.")] = "60",
    language: Annotated[str, Field(description="Language of the narration, such as en.")] = "en",
    style: Annotated[str, Field(description="A style of vidgend://styles.")] = "cinematic",
) -> str:
    """Write the narration of a video, scene by scene, and make it."""
    seconds = _seconds(length)
    words = max(10, round(seconds * WORDS_PER_MINUTE / 60))
    scenes = max(2, round(seconds / 8))
    return (
        f"Write the narration of a video about: {topic}\n\n"
        f"Language: {language}. Spoken length: {seconds:g} seconds, which is about {words} words. "
        f"Cut it into about {scenes} scenes of one to three sentences.\n"
        "- The first sentence makes people stay; the last one ends the thought.\n"
        "- Short sentences, as they are spoken. Numbers only where they matter. No stage directions.\n"
        "- For each scene give a search query of two to five English words for what a camera could film: things, "
        "places, people, weather; nothing abstract.\n\n"
        "Show me the scenes in a table of narration and query. When I agree, call generate_video with `scenes` "
        f"(a list of narration and query), `language` {language!r} and `style` {style!r}."
    )


def _seconds(length: str) -> float:
    """What a person wrote, or what is usual where that is no length that a video may have."""
    try:
        seconds = float(length)
    except ValueError:
        return USUAL_S
    return seconds if 1 <= seconds <= LONGEST_S else USUAL_S


async def storyboard_review(job_id: _JobId, client: Client) -> list[Message]:
    """Look through a storyboard before it is rendered: does each picture fit its words?"""
    try:
        board = await backend().call("storyboard", path={"job_id": job_id})
    except VidgendError as error:
        raise protocol_error(error) from None
    uri = f"vidgend://videos/{job_id}/storyboard"
    content = TextResourceContents(uri=uri, mime_type="application/json", text=text_of(board).text)
    return [
        UserMessage(
            f"Review the storyboard of video {job_id} (version {board['version']}). For each scene say whether the "
            "chosen picture fits what is said, whether one of the candidates fits better, and whether two scenes look "
            "alike; then whether the narration flows and where it drags. Call get_storyboard with `pictures` to see "
            "them. Propose the changes as a list. When I agree, make them with one call of edit_storyboard, and render "
            "with render_video once I approve."
        ),
        UserMessage(EmbeddedResource(resource=content)),
    ]


async def describe_video(
    job_id: _JobId,
    client: Client,
    platform: Annotated[str, Field(description="Where it is to be published, such as YouTube.")] = "YouTube",
) -> list[Message]:
    """Write title, description and tags for publishing a finished video."""
    try:
        board = await backend().call("storyboard", path={"job_id": job_id})
        result = await backend().call("result", path={"job_id": job_id})
    except VidgendError as error:
        raise protocol_error(error) from None
    said = " ".join(scene["narration"] for scene in board["scenes"])
    credits = sorted({f"{one.get('author') or 'unknown'} ({one['provider']})" for one in result.get("credits") or ()})
    return [
        UserMessage(
            f"Write a title (60 characters at most), a description of two short paragraphs and ten tags for publishing "
            f"this video on {platform}, in the language of its narration. It is {result['duration']:g} seconds "
            "long.\n\n"
            f"Narration: {said}\n\nEnd the description with the credits: {', '.join(credits) or 'none are needed'}."
        )
    ]


def add_prompts(server: ToolServer) -> None:
    server.prompt(title="Write a script")(write_script)
    server.prompt(title="Review a storyboard")(storyboard_review)
    server.prompt(title="Describe a video for publishing")(describe_video)
