"""Talking with a language model until its answer is of use: any server with OpenAI's `/chat/completions` (Ollama,
llama.cpp, a cloud)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

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
"""Statuses with which servers turn down a `response_format` that they do not know. llama-cpp-python's does it with 500
and names it."""
_NAMES_FORMAT = re.compile(rb"response_format|json_schema|json_object|grammar", re.IGNORECASE)
_TOO_LONG = re.compile(rb"context.{0,20}(?:length|size|window)|maximum context|too many tokens", re.IGNORECASE)
_REFUSAL_BYTES = 4096
_SENT_BACK_CHARS = 1500
_FORMATS = ("json_schema", "schema", "json_object", "")
"""The response formats from the strictest one to none. `schema` is what servers with grammars alone know
(llama-cpp-python, older llama.cpp): json_object with a schema beside it."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wanted of the model: `name` says it in a word, `schema` is the JSON schema of the answer, `counted` the
    same with the least and most of each list, for servers that write by it word for word."""

    name: str
    system: str
    schema: dict[str, Any]
    counted: dict[str, Any] | None = None


class _Message(BaseModel):
    content: str | list[Any] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


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

    @property
    def response_format(self) -> str:
        """The strictest one that the server has not turned down."""
        return {"schema": "json_object with a schema", "": "as plain text"}.get(self._formats[0], self._formats[0])

    async def ask(self, wish: Wish, message: str, read: Callable[[str], Answer]) -> Answer:
        """What `read` makes of the model's answer. One that it refuses (BadAnswer) is sent back with what is wrong,
        TRIES times in all.

        Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout.
        """
        until_s = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(until_s):
                return await self._ask(wish, message, read, until_s)
        except TimeoutError:
            raise StepTimeout(f"{NAME} did not answer within {self._timeout_s:g} s") from None

    async def _ask(self, wish: Wish, message: str, read: Callable[[str], Answer], until_s: float) -> Answer:
        messages = [{"role": "system", "content": wish.system}, {"role": "user", "content": message}]
        wrong = ""
        for _ in range(TRIES):
            reply = await self._complete(wish, messages, until_s)
            try:
                if reply.wrong:
                    raise BadAnswer(reply.wrong)
                return await asyncio.to_thread(read, reply.text)  # up to 1 MB from a stranger
            except BadAnswer as error:
                wrong = f"The answer was cut off; it must be shorter. {error}" if reply.cut_off else str(error)
                again = f"{wrong} Answer again with the whole JSON object, mended."
                said = [{"role": "assistant", "content": reply.text[:_SENT_BACK_CHARS]}] if reply.text else []
                messages = [*messages[:2], *said, {"role": "user", "content": again}]
        raise ProviderGarbage(f"{NAME} gave no usable {wish.name} in {TRIES} tries. {wrong[:300]}")

    async def _complete(self, wish: Wish, messages: list[dict[str, str]], until_s: float) -> _Reply:
        """One answer, asked for in the strictest format that the server takes, until that time of the event loop."""
        while True:
            asked = self._formats[0]
            body: dict[str, Any] = {"model": self._model, "messages": messages, "stream": False}
            if asked == "json_schema":
                schema = {"name": wish.name, "strict": True, "schema": wish.schema}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            elif asked == "schema":
                body["response_format"] = {"type": "json_object", "schema": wish.counted or wish.schema}
            elif asked:
                body["response_format"] = {"type": asked}
            try:
                return await asyncio.to_thread(_reply, await self._post(body, wish.name, until_s))
            except _FormatRefused:
                if self._formats[0] == asked:  # else another question has found that out meanwhile
                    self._formats = self._formats[1:]

    async def _post(self, body: dict[str, Any], what: str, until_s: float) -> bytes:
        return await persevere(
            lambda: self._try_post(body, what, until_s), timeout_s=self._timeout_s, wait_s=self._retry_wait_s
        )

    async def _try_post(self, body: dict[str, Any], what: str, until_s: float) -> bytes:
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
                    tokens_in, tokens_out = await asyncio.to_thread(tokens_used, answer)
                    call.answered(200, tokens_in=tokens_in, tokens_out=tokens_out)
                    return answer
                start, left_s = await _start_of(response), until_s - asyncio.get_running_loop().time()
                raise self._refusal(response, start, left_s=left_s, formatted="response_format" in body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(transport_error(error, name=NAME)) from error

    def _refusal(self, response: httpx.Response, start: bytes, *, left_s: float, formatted: bool) -> Exception:
        """What an answer that is not a success means; `start` is the beginning of its body, `left_s` the time that is
        left to wait in."""
        found = refusal(response, name=NAME, now_s=self._clock(), timeout_s=left_s)
        if _TOO_LONG.search(start) and response.status_code < 500:
            error = ProviderError(f"{NAME}'s context is too short for this (HTTP {response.status_code})")
            error.retryable, error.max_retries = False, 0
            return error
        refuses = response.status_code in _REFUSES_FORMAT or (
            response.status_code == 500 and _NAMES_FORMAT.search(start) is not None
        )
        if refuses and not formatted:  # so the formats were not what was wrong: there may be no such model yet
            self._formats = _FORMATS
        return _FormatRefused() if refuses and formatted else found


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
    """The server may just not know the response format."""


@dataclass(frozen=True, kw_only=True)
class _Reply:
    """What the model said. `wrong` says why it cannot be read, `cut_off` that it ended at a limit."""

    text: str = ""
    wrong: str = ""
    cut_off: bool = False


async def _start_of(response: httpx.Response) -> bytes:
    start = b""
    async for chunk in response.aiter_bytes():
        start += chunk
        if len(start) >= _REFUSAL_BYTES:
            break
    return start[:_REFUSAL_BYTES]


def _reply(body: bytes) -> _Reply:
    """The first choice. What is no chat completion, or a refusal, is as good a reason to ask again as a bad answer."""
    try:
        choice = _Choice.model_validate(json.loads(body)["choices"][0])
    except (ValueError, RecursionError, ValidationError, LookupError, TypeError):
        return _Reply(wrong="That was no chat completion.")
    message = choice.message
    if message.refusal or choice.finish_reason == "content_filter":
        return _Reply(wrong="You refused to write this; nothing but a plain JSON object is wanted.")
    text = message.content or ""
    if isinstance(text, list):
        parts = [part.get("text", "") for part in text if isinstance(part, dict)]
        text = "".join(part for part in parts if isinstance(part, str))
    text = text.encode("utf-8", "replace").decode()  # half an emoji could not be sent back
    return _Reply(text=text, cut_off=choice.finish_reason == "length")
