"""What the conformance suite asks for where a server asks its client back."""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

NAME_FORM: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def form(message: str, schema: dict[str, Any]) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(text: str, most: int = 100) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=most))


def answer(ctx: Context, key: str) -> Any:
    """What the client answered to the question `key`, as JSON; None if it did not accept it."""
    given = (ctx.input_responses or {}).get(key)
    if given is None:
        return None
    told = given.model_dump(mode="json", by_alias=True, exclude_none=True)
    return told if told.get("action", "accept") == "accept" else None


async def test_streaming_elicitation(ctx: Context) -> str | InputRequiredResult:
    """Progress, then a question."""
    await ctx.report_progress(50, 100)
    return await test_input_required_result_elicitation(ctx)


async def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
    """Asks for a name."""
    given = answer(ctx, "user_name")
    name = (given or {}).get("content", {}).get("name") if given else None
    if not isinstance(name, str):
        return InputRequiredResult(input_requests={"user_name": form("What is your name?", NAME_FORM)})
    return f"Hello, {name}!"


async def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
    """Asks the client's model."""
    given = answer(ctx, "capital_question")
    if given is None:
        return InputRequiredResult(input_requests={"capital_question": sample("What is the capital of France?")})
    return f"It said: {given['content']}"


async def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
    """Asks for the client's roots."""
    given = answer(ctx, "client_roots")
    if given is None:
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
    return f"Roots: {', '.join(one['uri'] for one in given['roots'])}"


def _confirm() -> ElicitRequest:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    return form("Please confirm", schema)


async def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
    """Asks, and gets its state back."""
    if answer(ctx, "confirm") is None or ctx.request_state != "asked":
        return InputRequiredResult(input_requests={"confirm": _confirm()}, request_state="asked")
    return "state-ok"


test_input_required_result_tampered_state = test_input_required_result_request_state


async def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
    """Asks three things at once."""
    asked: dict[str, Any] = {
        "user_name": form("What is your name?", NAME_FORM),
        "greeting": sample("Generate a greeting", 50),
        "client_roots": ListRootsRequest(),
    }
    if any(answer(ctx, key) is None for key in asked):
        return InputRequiredResult(input_requests=asked, request_state="asked")
    return "all three were answered"


async def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
    """Asks one thing after the other."""
    state = json.loads(ctx.request_state) if ctx.request_state else {}
    if "name" not in state:
        given = answer(ctx, "step1")
        if given is None:
            return InputRequiredResult(
                input_requests={"step1": form("Step 1: What is your name?", NAME_FORM)}, request_state="{}"
            )
        state["name"] = given["content"]["name"]
    given = answer(ctx, "step2")
    if given is None:
        color = {"type": "object", "properties": {"color": {"type": "string"}}, "required": ["color"]}
        asked = {"step2": form("Step 2: What is your favorite color?", color)}
        return InputRequiredResult(input_requests=asked, request_state=json.dumps(state))
    return f"{state['name']} likes {given['content']['color']}"


async def test_input_required_result_capabilities(ctx: Context) -> str | InputRequiredResult:
    """Asks only what the client can answer."""
    can = ctx.client_capabilities
    asked: dict[str, Any] = {}
    if can is not None and can.sampling is not None:
        asked["greeting"] = sample("Generate a greeting")
    if can is not None and can.elicitation is not None:
        asked["user_name"] = form("What is your name?", NAME_FORM)
    if asked and not ctx.input_responses:
        return InputRequiredResult(input_requests=asked)
    if not asked:
        raise MCPError(code=MISSING_REQUIRED_CLIENT_CAPABILITY, message="sampling or elicitation")
    return "answered"


async def test_input_required_result_prompt(ctx: Context) -> str | InputRequiredResult:
    """Asks first."""
    given = answer(ctx, "user_context")
    if given is None:
        schema = {"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]}
        asked = {"user_context": form("What context should the prompt use?", schema)}
        return InputRequiredResult(input_requests=asked)
    return f"In the context of {given['content']['context']}"


QUESTIONS = (
    test_streaming_elicitation, test_input_required_result_elicitation, test_input_required_result_sampling,
    test_input_required_result_list_roots, test_input_required_result_request_state,
    test_input_required_result_multiple_inputs, test_input_required_result_multi_round,
    test_input_required_result_capabilities,
)  # fmt: skip
