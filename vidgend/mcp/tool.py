"""How a function becomes a tool of the SDK: one arguments model in, one view out, errors as tool errors."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Resolve, build_resolver_plans
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from vidgend.errors import VidgendError
from vidgend.http.body import parse_json
from vidgend.http.problems import BadJson, InvalidFields, from_pydantic
from vidgend.http.views.problem import ProblemView
from vidgend.mcp.answers import failed
from vidgend.mcp.arguments import Arguments, Metadata, no_texts, schema_of, untitled

Client = Context[Any, Any]
_REF = "#/$defs/{model}"


Run = Callable[..., Awaitable[CallToolResult]]
"""What a tool does. It gets `arguments`, `client` if it has such a parameter, and what was found out beforehand."""


def make_tool(
    run: Run,
    *,
    title: str,
    arguments: type[Arguments],
    answers: tuple[type[BaseModel], ...],
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    beforehand: Mapping[str, tuple[Resolve, bool]] | None = None,
) -> Tool:
    """The tool called as the function is, and described by its docstring. structuredContent is one of `answers`.

    `beforehand`: what is found out or asked of the client's user before it runs, by the parameter that gets it; whether
    that gets the whole answer of the user, no included."""
    name, schema = run.__name__, schema_of(arguments)
    resolved = {**(beforehand or {})}
    return Tool(
        fn=run,
        name=name,
        title=title,
        description=" ".join((run.__doc__ or "").split()),
        parameters=schema,
        fn_metadata=Metadata(arg_model=arguments, output_schema=answers_schema(answers), no_texts=no_texts(schema)),
        is_async=True,
        context_kwarg="client" if "client" in inspect.signature(run).parameters else None,
        resolved_params=resolved,
        resolver_plans=build_resolver_plans(resolved, {"arguments"}),
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent or read_only,
            open_world_hint=open_world,
        ),
    )


def answers_schema(answers: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """Of a view or a problem: clients check what a failed tool answers as well."""
    models: tuple[type[BaseModel], ...] = (*answers, ProblemView)
    _, schema = models_json_schema([(one, "serialization") for one in models], ref_template=_REF)
    named = [{"$ref": _REF.format(model=one.__name__)} for one in models]
    return {"type": "object", "anyOf": named, "$defs": untitled(schema["$defs"])}


class ToolServer(MCPServer[Any]):
    """Every error of a tool as a tool error with code, detail and hint. What a client gets wrong is no crash."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Client | None = None
    ) -> CallToolResult | InputRequiredResult:
        try:
            _check(arguments)
            return await super().call_tool(name, arguments, context)
        except VidgendError as error:
            return failed(error)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                return failed(from_pydantic(cause, arguments))
            # A bug of ours is for the log; one that a daemon far away has logged comes with the id of the request.
            if isinstance(cause, VidgendError) and (cause.code != VidgendError.code or cause.members):
                return failed(cause)
            raise

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Client | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Raises: MCPError for a prompt or arguments that there are not."""
        found = next((prompt for prompt in await self.list_prompts() if prompt.name == name), None)
        if found is None:
            raise MCPError(code=INVALID_PARAMS, message="there is no such prompt")
        known = {one.name: one.required for one in found.arguments or ()}
        wrong = sorted(set(arguments or ()) - set(known))
        wrong += [one for one, required in known.items() if required and one not in (arguments or {})]
        if wrong:
            raise MCPError(code=INVALID_PARAMS, message=f"missing, or no argument of this prompt: {', '.join(wrong)}")
        return await super().get_prompt(name, arguments, context)


def _check(arguments: dict[str, Any]) -> None:
    """What the body of a request is checked for before its fields are. Raises: InvalidFields, BadJson."""
    try:
        raw = json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidFields([{"pointer": "", "detail": "a text holds half of a surrogate pair"}]) from None
    except RecursionError:
        raise BadJson("the arguments are nested too deeply") from None
    parse_json(raw)
