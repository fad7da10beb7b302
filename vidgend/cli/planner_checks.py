"""What `vidgend doctor` finds out about the planner's language model: whether it answers as a plan needs it, and, where
none is set up, which one runs on this machine already."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import TYPE_CHECKING

from vidgend.cli.finding import Finding
from vidgend.errors import VidgendError

if TYPE_CHECKING:
    from vidgend.settings import Settings

LOCAL_SERVERS = (
    ("Ollama", "http://127.0.0.1:11434/v1"),
    ("llama.cpp", "http://127.0.0.1:8080/v1"),
    ("LM Studio", "http://127.0.0.1:1234/v1"),
)
"""Where they listen by default. Sources: https://docs.ollama.com/api/openai-compatibility,
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, https://lmstudio.ai/docs/developer"""
LOOK_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 30.0
"""A local model is loaded by the first question."""
_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string"}},
    "required": ["colour"],
    "additionalProperties": False,
}


def local_servers(section: str, servers: tuple[tuple[str, str], ...] = LOCAL_SERVERS) -> Iterator[Finding]:
    """The model servers that run here with nobody using them."""
    for name, base_url in servers:
        models = _models(base_url)
        if models:
            yield Finding(
                section=section,
                mark="note",
                text=f"{name} runs at {base_url} with {', '.join(models[:3])}, and is not used",
                fix=f'To have it write: planner.base_url = "{base_url}" and planner.model = "{models[0]}".',
            )


def _models(base_url: str) -> list[str]:
    """The names of its models; [] for anything that is no such server."""
    try:
        with urllib.request.urlopen(f"{base_url}/models", timeout=LOOK_TIMEOUT_S) as answer:
            listed = json.loads(answer.read(1_000_000))["data"]
        names = [str(entry["id"])[:80] for entry in listed if isinstance(entry, dict) and entry.get("id")]
        return [name for name in names if name.isprintable()]
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return []


def own_port(settings: Settings, section: str) -> Iterator[Finding]:
    """llama.cpp's server listens by default where vidgend does."""
    base_url, port = settings.planner.base_url, settings.http.port
    if any(base_url.startswith(f"http://{host}:{port}/") for host in ("127.0.0.1", "localhost")):
        yield Finding(
            section=section,
            mark="note",
            text=f"planner.base_url names port {port}, which is vidgend's own: only one of the two can have it",
            fix="Start the model's server on another port (llama-server --port 8081), or set http.port.",
        )


def answers_in_json(settings: Settings, section: str) -> Finding:
    """Ask the model one short question the way plans are asked for. Costs some 100 tokens."""
    began = time.monotonic()
    try:
        answered_in = asyncio.run(_ask(settings))
    except VidgendError as error:
        fix = error.hint or "docs/planner.md tells which servers and models are known to do."
        return Finding(section=section, mark="note", text=f"it was asked for JSON: {error.detail}", fix=fix)
    took_s = time.monotonic() - began
    return Finding(section=section, mark="ok", text=f"it answers in JSON ({answered_in}), within {took_s:.1f} s")


async def _ask(settings: Settings) -> str:
    """The response format in which it answered. Raises: ProviderError and its kin, StepTimeout."""
    import httpx

    from vidgend.pipeline.planner.llm_chat import LlmChat, Wish
    from vidgend.pipeline.planner.llm_wire import BadAnswer, json_object_in

    def read(text: str) -> None:
        if not isinstance(json_object_in(text).get("colour"), str):
            raise BadAnswer("The answer has no text under `colour`.")

    planner = settings.planner
    async with httpx.AsyncClient(trust_env=True) as client:
        chat = LlmChat(
            base_url=planner.base_url,
            model=planner.model,
            api_key=planner.api_key.get_secret_value(),
            client=client,
            timeout_s=min(planner.timeout_s, ANSWER_TIMEOUT_S),
        )
        wish = Wish(name="colour", system="Answer with one JSON object and nothing else.", schema=_SCHEMA)
        await chat.ask(wish, 'What colour is the sky? Answer as {"colour": "..."}.', read)
        return chat.response_format
