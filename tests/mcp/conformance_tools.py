"""The tools, resources and prompts that the official conformance suite asks every server for.

What they say is fixed by the suite. They are served by our server class, our tasks extension and our bridge.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Annotated, Any

from conformance_questions import (
    QUESTIONS,
    test_input_required_result_prompt,
    test_input_required_result_request_state,
)
from mcp.server.extension import Extension
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp.server.mcpserver.tools import Tool
from mcp_types import (
    AudioContent,
    Completion,
    CreateMessageResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import Field

from vidgend.mcp.tool import ToolServer

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==")
).decode()
WAV = base64.b64encode(
    b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    + b"\1\0\1\0" + (8000).to_bytes(4, "little") + (8000).to_bytes(4, "little") + b"\1\0\x08\0data\0\0\0\0"
).decode()  # fmt: skip
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def test_simple_text() -> str:
    """Text."""
    return "This is a simple text response for testing."


def test_image_content() -> ImageContent:
    """An image."""
    return ImageContent(data=PNG, mime_type="image/png")


def test_audio_content() -> AudioContent:
    """Sound."""
    return AudioContent(data=WAV, mime_type="audio/wav")


def resource(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def test_embedded_resource() -> EmbeddedResource:
    """A resource in the answer."""
    return resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Several kinds of content."""
    return [
        TextContent(text="Multiple content types test:"),
        ImageContent(data=PNG, mime_type="image/png"),
        resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ]


async def test_tool_with_logging(ctx: Context) -> str:
    """Log messages while it runs."""
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(text)
        await asyncio.sleep(0.05)
    return "logged"


async def test_logging_tool(ctx: Context) -> str:
    """A log message, for those who asked for them."""
    await ctx.info("a log message")
    return "logged"


async def test_tool_with_progress(ctx: Context) -> str:
    """Progress while it runs."""
    for percent in (0, 50, 100):
        await ctx.report_progress(percent, 100)
        await asyncio.sleep(0.05)
    return "done"


def test_error_handling() -> str:
    """An error."""
    raise ToolError("This tool intentionally returns an error for testing")


async def _sampled(prompt: str) -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(text=prompt))], max_tokens=100)


async def test_sampling(prompt: str, said: Annotated[CreateMessageResult, Resolve(_sampled)]) -> str:
    """Asks the client's model."""
    text = said.content.text if isinstance(said.content, TextContent) else "?"
    return f"LLM response: {text}"


async def _elicit(ctx: Context, message: str, schema: dict[str, Any]) -> str:
    found = await ctx.session.elicit_form(message, schema, ctx.request_id)
    return f"action={found.action}, content={json.dumps(found.content)}"


async def test_elicitation(message: str, ctx: Context) -> str:
    """Asks the client's user."""
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": {
            "username": text | {"description": "User's response"},
            "email": text | {"description": "User's email address"},
        },
        "required": ["username", "email"],
    }
    return f"User response: {await _elicit(ctx, message, schema)}"


async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    """A form with defaults."""
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return f"Elicitation completed: {await _elicit(ctx, 'Check', {'type': 'object', 'properties': properties})}"


async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    """A form with choices of every kind."""
    titled = [{"const": f"value{one}", "title": f"Option {one}"} for one in (1, 2, 3)]
    plain = ["option1", "option2", "option3"]
    properties = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    return f"Elicitation completed: {await _elicit(ctx, 'Choose', {'type': 'object', 'properties': properties})}"


async def test_reconnection(ctx: Context) -> str:
    """Closes its stream before it answers, where the server keeps events for those who come back."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.1)
    return "Reconnection test completed successfully"


def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "") -> str:
    """An argument that is in a header too."""
    return f"region={region}"


async def test_missing_capability(
    said: Annotated[CreateMessageResult, Resolve(lambda: Sample([], max_tokens=1))],
) -> str:
    """Needs a client that can sample."""
    return "sampled"


async def test_trigger_tool_change(ctx: Context) -> str:
    """Tells those who listen that there are other tools."""
    await ctx.notify_tools_changed()
    return "told"


async def test_trigger_prompt_change(ctx: Context) -> str:
    """Tells those who listen that there are other prompts."""
    await ctx.notify_prompts_changed()
    return "told"


TOOLS = (
    test_simple_text, test_image_content, test_audio_content, test_embedded_resource, test_multiple_content_types,
    test_tool_with_logging, test_logging_tool, test_tool_with_progress, test_error_handling, test_sampling,
    test_elicitation, test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums, test_reconnection,
    test_x_mcp_header, test_missing_capability, test_trigger_tool_change, test_trigger_prompt_change, *QUESTIONS,
)  # fmt: skip


def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    """An image."""
    return base64.b64decode(PNG)


def watched() -> str:
    """One that can be watched."""
    return "nothing has changed"


def template(id: str) -> str:
    """One with a parameter."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def test_simple_prompt() -> str:
    """A text."""
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """With two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:
    """With a resource."""
    embedded = resource(resourceUri, "text/plain", "Embedded resource content for testing.")
    return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]


def test_prompt_with_image() -> list[Message]:
    """With an image."""
    shown = ImageContent(data=PNG, mime_type="image/png")
    return [UserMessage(shown), UserMessage("Please analyze the image above.")]


PROMPTS = (
    test_simple_prompt, test_prompt_with_arguments, test_prompt_with_embedded_resource, test_prompt_with_image,
    test_input_required_result_prompt,
)  # fmt: skip


async def _accept(ctx: Any, params: Any) -> EmptyResult:
    return EmptyResult()


async def _complete(ref: Any, argument: Any, context: Any) -> Completion:
    return Completion(values=[value for value in ("paris", "park", "party") if value.startswith(argument.value)])


def build(*extensions: Extension, tools: tuple[Tool, ...] = ()) -> ToolServer:
    """The server that the suite is run against."""
    server = ToolServer("conformance", version="1", extensions=extensions, tools=list(tools))
    for tool in TOOLS:
        server.add_tool(tool)
    server.add_tool(test_input_required_result_request_state, name="test_input_required_result_tampered_state")
    odd = Tool.from_function(test_simple_text, name="json_schema_2020_12_tool")
    server._tool_manager._tools[odd.name] = odd.model_copy(update={"parameters": SCHEMA_2020_12})
    server.resource("test://static-text", mime_type="text/plain")(static_text)
    server.resource("test://static-binary", mime_type="image/png")(static_binary)
    server.resource("test://watched-resource", mime_type="text/plain")(watched)
    server.resource("test://template/{id}/data", mime_type="application/json")(template)
    for prompt in PROMPTS:
        server.prompt()(prompt)
    server.completion()(_complete)
    low = server._lowlevel_server  # the older revision's methods, which vidgend itself does not have
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, _accept)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, _accept)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, _accept)
    return server
