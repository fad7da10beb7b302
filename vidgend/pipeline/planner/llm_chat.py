"""Talking with a language model until its answer is of use: any server with OpenAI's `/chat/completions` (Ollama,
llama.cpp, a cloud)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from vidgend.errors import ProviderError, ProviderGarbage, StepTimeout
from vidgend.pipeline.budget.port import Budget, Unlimited
from vidgend.pipeline.planner.llm_wire import BadAnswer
from vidgend.pipeline.provider_http import (
    Clock,
    Transient,
    persevere,
    read_answer,
    refusal,
    retry_after_s,
    transport_error,
)

NAME = "the language model"
TRIES = 3
"""How often the model may mend its answer."""
MAX_ANSWER_BYTES = 1024 * 1024
_REFUSES_FORMAT = (400, 404, 415, 422, 501)
"""Statuses with which servers turn down a `response_format` that they do not know."""
_FORMATS = ("json_schema", "json_object", "")
"""The response formats from the strictest one to none."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wanted of the model: `name` says it in a word, `schema` is the JSON schema of the answer."""

    name: str
    system: str
    schema: dict[str, Any]


class _Message(BaseModel):
    content: str | list[Any] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class LlmChat:
    """`base_url` ends before `/chat/completions`, such as `http://localhost:11434/v1`. `api_key` may be None.

    `timeout_s` bounds the whole of `ask`, all tries together. `client` is used and not closed.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        client: httpx.AsyncClient,
        api_key: str | None = None,
        budget: Budget | None = None,
        timeout_s: float = 120.0,
        clock: Clock = time.time,
        retry_wait_s: float = 1.0,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = api_key
        self._client = client
        self._budget = budget or Unlimited()
        self._timeout_s = timeout_s
        self._clock = clock
        self._retry_wait_s = retry_wait_s
        self._formats: tuple[str, ...] = _FORMATS
        self.identity = f"llm:{base_url.rstrip('/')}:{model}"

    async def ask(self, wish: Wish, message: str, read: Callable[[str], Answer]) -> Answer:
        """What `read` makes of the model's answer. One that it refuses (BadAnswer) is sent back with what is wrong,
        TRIES times in all.

        Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(wish, message, read)
        except TimeoutError:
            raise StepTimeout(f"{NAME} did not answer within {self._timeout_s:g} s") from None

    async def _ask(self, wish: Wish, message: str, read: Callable[[str], Answer]) -> Answer:
        messages = [{"role": "system", "content": wish.system}, {"role": "user", "content": message}]
        wrong = ""
        for _ in range(TRIES):
            text = await self._complete(wish, messages)
            try:
                return read(text)
            except BadAnswer as error:
                wrong = str(error)
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": text[:4000]},
                    {"role": "user", "content": f"{wrong} Answer again with the whole JSON object, mended."},
                ]
        raise ProviderGarbage(f"{NAME} gave no usable {wish.name} in {TRIES} tries. {wrong[:300]}")

    async def _complete(self, wish: Wish, messages: list[dict[str, str]]) -> str:
        """One answer's text, asked for in the strictest format that the server takes."""
        while True:
            body: dict[str, Any] = {"model": self._model, "messages": messages, "stream": False}
            if self._formats[0] == "json_schema":
                schema = {"name": wish.name, "strict": True, "schema": wish.schema}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            elif self._formats[0]:
                body["response_format"] = {"type": self._formats[0]}
            try:
                return _text(await self._post(body, wish.name))
            except _FormatRefused as refused:
                if len(self._formats) == 1:
                    raise refused.error from None
                self._formats = self._formats[1:]

    async def _post(self, body: dict[str, Any], what: str) -> bytes:
        return await persevere(lambda: self._try_post(body, what), timeout_s=self._timeout_s, wait_s=self._retry_wait_s)

    async def _try_post(self, body: dict[str, Any], what: str) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(self._timeout_s, connect=10.0)
        try:
            async with (
                self._budget.call("llm", what, self._model) as call,
                self._client.stream(
                    "POST", self._url, json=body, headers=headers, timeout=timeout, follow_redirects=False
                ) as response,
            ):
                call.answered(response.status_code, retry_after_s=retry_after_s(response.headers, now_s=self._clock()))
                if response.status_code == 200:
                    answer = await read_answer(response, name=NAME, max_bytes=MAX_ANSWER_BYTES)
                    tokens_in, tokens_out = tokens_used(answer)
                    call.answered(200, tokens_in=tokens_in, tokens_out=tokens_out)
                    return answer
                raise self._refusal(response, formatted="response_format" in body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(transport_error(error, name=NAME)) from error

    def _refusal(self, response: httpx.Response, *, formatted: bool) -> Exception:
        found = refusal(response, name=NAME, now_s=self._clock(), timeout_s=self._timeout_s)
        if formatted and response.status_code in _REFUSES_FORMAT:
            return _FormatRefused(found.error if isinstance(found, Transient) else found)
        return found


def tokens_used(body: bytes) -> tuple[int, int]:
    """(read, written), as the answer's `usage` says; 0 where it does not.

    Source: https://platform.openai.com/docs/api-reference/chat/object
    """
    try:
        usage = json.loads(body)["usage"]
        found = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return 0, 0
    tokens_in, tokens_out = (count if type(count) is int and count > 0 else 0 for count in found)
    return tokens_in, tokens_out


class _FormatRefused(Exception):
    """The server may just not know the response format. `error` is what it is otherwise."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__()
        self.error = error


def _text(body: bytes) -> str:
    """The text of the first choice. Raises: ProviderGarbage."""
    try:
        message = _Completion.model_validate(json.loads(body)).choices[0].message
    except (ValueError, RecursionError, ValidationError):
        raise ProviderGarbage(f"{NAME}'s server sent something else than a chat completion") from None
    if message.refusal:
        raise ProviderGarbage(f"{NAME} refused to write this")
    if isinstance(message.content, list):
        parts = [part.get("text", "") for part in message.content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return message.content or ""
