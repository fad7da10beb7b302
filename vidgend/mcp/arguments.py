"""What tools take: the bodies of the REST routes, flattened, with what else a tool needs beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from pydantic import ConfigDict, Field

from vidgend.http.edit_wire import PatchBody, RenderBody
from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.models import JobState


class Arguments(ArgModelBase):
    """The arguments of a tool, checked as the route checks them. A tool gets them whole, as `arguments`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    beside: ClassVar[frozenset[str]] = frozenset()
    """What is not a part of the route's body."""

    def model_dump_one_level(self) -> dict[str, Any]:
        return {"arguments": self}

    def body(self) -> dict[str, Any]:
        """What was given of the route's body; what was not is left for the route to decide."""
        return self.model_dump(mode="json", exclude_unset=True, exclude=set(self.beside))


JOB_ID = Field(min_length=1, max_length=100, description="The job_id that generate_video or prefetch_assets answered.")


class GenerateArguments(Arguments, GenerateBody):
    beside = frozenset({"wait"})

    wait: bool = Field(
        False,
        description="Wait for the video, with progress, and answer as get_video_result does. Minutes. The video is "
        "made whether or not the wait is broken off.",
    )


class PrefetchArguments(Arguments, PrefetchBody):
    pass


class JobArguments(Arguments):
    job_id: str = JOB_ID


class GetStoryboardArguments(JobArguments):
    version: int | None = Field(None, ge=1, le=999_999_999, description="An older version; unset: the newest.")
    pictures: bool = Field(
        False, description="Show the pictures that were chosen, one for each scene, as images (8 at most)."
    )


class EditArguments(Arguments, PatchBody):
    beside = frozenset({"job_id", "if_version"})

    job_id: str = JOB_ID
    if_version: int | None = Field(
        None, ge=1, le=999_999_999, description="Refuse the edit unless this is still the newest version."
    )


class RenderArguments(Arguments, RenderBody):
    beside = frozenset({"job_id", "approve"})

    job_id: str = JOB_ID
    approve: bool = Field(
        False,
        description="Only for a video that awaits review: the user has seen the storyboard and approves it. Where the "
        "client can ask the user itself, it does.",
    )


class ListVideosArguments(Arguments):
    state: JobState | None = Field(None, description="Only jobs in this state.")
    limit: int = Field(20, ge=1, le=200, description="How many, the newest first.")
    cursor: str | None = Field(None, max_length=200, description="The next_cursor of the page before.")


class ListVoicesArguments(Arguments):
    language: str | None = Field(None, max_length=35, description="Only voices of this language, such as en or pt-BR.")
    engine: str | None = Field(None, max_length=40, description="Only voices of this speech engine.")


SAID: dict[str, str] = {
    "prompt": "What the video is about, in plain words; vidgend writes the script. Leave it out where `script` or "
    "`scenes` say everything.",
    "style": "The look: cinematic, documentary, minimal, news, noir, social, vintage or vivid; the resource "
    "vidgend://styles describes them.",
    "voice": "A voice id of list_voices, or a tag such as en-US-neutral; unset: the server's.",
    "callback_url": "An address that is told when the job ends (a webhook).",
    "script": "The narration word for word; it is cut into scenes and nothing is changed in it.",
    "scenes": "The scenes one by one: what is said, and what is to be seen.",
    "language": "Language of the narration, such as en or pt-BR; unset: as the text is.",
    "aspect_ratio": "16:9 for screens, 9:16 for phones, 1:1 or 4:5 for feeds; unset: the server's.",
    "resolution": "Unset: the server's.",
    "fps": "Frames a second, such as 25 or 29.97; unset: the server's.",
    "captions": "false for none, or how they look.",
    "music": 'The music under the voice; "none" for none.',
    "quality": "draft is fast and coarse.",
    "priority": "Higher goes first; 0 is usual.",
    "seed": "The same seed makes the same choices again.",
    "metadata": "Anything of your own; it is given back with the job.",
    "queries": "What to look for, in a few words each, such as 'waves at night'.",
    "orientation": "Of the clips that are fetched for queries or a prompt.",
    "order": "All scenes that are left, in their new order.",
    "add": "New scenes.",
    "title": "The video's title.",
    "transitions": "Between scenes: cut, dissolve, fade, wipe, slide or zoom; unset: as the style has it.",
    "credits_card": "Whether a card at the end names the authors.",
    "author": "Who is said to have made the change.",
    "version": "The version of the storyboard; unset: the newest.",
    "video": "A request as for generate_video, whose clips are to be fetched.",
}
"""What an argument means, where the model of the route does not say."""


def schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    schema: dict[str, Any] = untitled(arguments.model_json_schema())
    schema.pop("description", None)
    schema = _without_references(schema, schema.pop("$defs", {}))
    for name, argument in schema["properties"].items():
        argument.setdefault("description", SAID.get(name, ""))
    return schema


def untitled(schema: Any) -> Any:
    """Without pydantic's titles, which say the names once more: a model reads all of it."""
    if isinstance(schema, dict):
        return {name: untitled(one) for name, one in schema.items() if name != "title" or not isinstance(one, str)}
    return [untitled(one) for one in schema] if isinstance(schema, list) else schema


def _without_references(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """With everything in its place: some hosts hand the schema to models that cannot follow a reference."""
    if isinstance(schema, list):
        return [_without_references(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _without_references(one, definitions) for name, one in schema.items() if name != "$ref"}
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        return _without_references(named, definitions) | found
    return found


class Metadata(FuncMetadata):
    """Some hosts send objects and lists as JSON in a text. The SDK reads every text as JSON that is not typed as text
    alone; a script that happens to be JSON has to stay as it is."""

    no_texts: frozenset[str] = frozenset()
    """The arguments that no free text can be given for."""

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return {name: _parsed(value) if name in self.no_texts else value for name, value in data.items()}


def no_texts(schema: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, argument in schema.get("properties", {}).items() if not _takes_text(argument))


def _takes_text(argument: Mapping[str, Any]) -> bool:
    forms = argument.get("anyOf", [argument])
    return any(form.get("type") == "string" and "const" not in form and "enum" not in form for form in forms)


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value  # not JSON: the check says so
