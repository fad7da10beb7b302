"""The planner that asks a language model: any server with OpenAI's `/chat/completions` (Ollama, llama.cpp, a cloud).

The model writes scenes for an idea. A script, or scenes that the caller wrote, stay word for word: then it only
adds searches, a title and a mood. Falling back to the builtin planner is the caller's business.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from vidgend.errors import ProviderError, ProviderGarbage, StepTimeout
from vidgend.models import Brief, Plan, PlannedScene
from vidgend.pipeline.planner.builtin import (
    LONGEST_PICTURE_S,
    brief_language,
    brief_narrations,
    fill_with_pictures,
    plan_brief,
    title_of,
)
from vidgend.pipeline.planner.llm_wire import (
    MAX_SCENES,
    SYSTEM,
    BadAnswer,
    PlanAnswer,
    answer_schema,
    check_idea,
    check_searches,
    idea_message,
    parse_answer,
    searches_message,
)
from vidgend.pipeline.provider_http import (
    Clock,
    Transient,
    read_answer,
    retries,
    retry_after_s,
    status_error,
    transport_error,
)

NAME = "the language model"
TRIES = 3
"""How often the model may mend its answer."""
MAX_ANSWER_BYTES = 1024 * 1024
_REFUSES_FORMAT = (400, 404, 415, 422, 501)
"""Statuses with which servers turn down a `response_format` that they do not know."""


class _Message(BaseModel):
    content: str | list[Any] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class LlmPlanner:
    """`base_url` ends before `/chat/completions`, such as `http://localhost:11434/v1`. `api_key` may be None.

    `timeout_s` bounds the whole of `plan`, all tries together. `client` is used and not closed.
    """

    name = "llm"

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        client: httpx.AsyncClient,
        api_key: str | None = None,
        timeout_s: float = 120.0,
        clock: Clock = time.time,
        retry_wait_s: float = 1.0,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = api_key
        self._client = client
        self._timeout_s = timeout_s
        self._clock = clock
        self._retry_wait_s = retry_wait_s
        self._formats = _formats()
        self.identity = f"llm:{base_url.rstrip('/')}:{model}"

    async def plan(self, brief: Brief) -> Plan:
        """Raises: ProviderUnauthorized, ProviderRateLimited, ProviderError, ProviderGarbage, StepTimeout."""
        language = brief_language(brief)
        narrations, fixed = await asyncio.to_thread(brief_narrations, brief, language=language)
        try:
            async with asyncio.timeout(self._timeout_s):
                if fixed:
                    return await self._add_searches(brief, narrations, language)
                return await self._write(brief, language)
        except TimeoutError:
            raise StepTimeout(f"{NAME} did not answer within {self._timeout_s:g} s") from None

    async def _write(self, brief: Brief, language: str) -> Plan:
        answer = await self._ask(
            idea_message(brief, language=language),
            lambda given: check_idea(given, brief=brief, language=language),
        )
        scenes = [PlannedScene(narration=item.narration, queries=tuple(item.queries)) for item in answer.scenes]
        if not scenes[0].narration:
            scenes.sort(key=lambda scene: not scene.narration)
        scenes = fill_with_pictures(scenes, duration_s=brief.duration_s, longest_s=LONGEST_PICTURE_S)
        return Plan(
            title=title_of(answer.title or brief.prompt),
            language=language,
            scenes=tuple(scenes),
            stretch=True,
            mood=answer.mood,
            planner=self.name,
        )

    async def _add_searches(self, brief: Brief, narrations: list[str], language: str) -> Plan:
        """The builtin plan with the model's searches. Scenes past MAX_SCENES keep the builtin ones."""
        plan = await asyncio.to_thread(plan_brief, brief)
        asked = [text for text in narrations if text][:MAX_SCENES]
        if not asked:
            return replace(plan, planner=self.name)
        answer = await self._ask(searches_message(asked, language=language), lambda given: check_searches(given, asked))
        better = dict(zip(asked, (tuple(item.queries) for item in answer.scenes), strict=True))
        queries: tuple[str, ...] = ()
        scenes = []
        for index, scene in enumerate(plan.scenes):
            own = brief.scenes[index].query if brief.scenes else None
            queries = better.get(scene.narration, ()) if scene.narration else queries[1:] + queries[:1]
            merged = tuple(dict.fromkeys([*([own] if own else []), *queries]))[:3]
            scenes.append(replace(scene, queries=merged or scene.queries))
        return replace(
            plan,
            title=title_of(answer.title) if answer.title else plan.title,
            mood=answer.mood or plan.mood,
            scenes=tuple(scenes),
            planner=self.name,
        )

    async def _ask(self, message: str, check: Callable[[PlanAnswer], None]) -> PlanAnswer:
        """The model's answer once it passes `check`; a bad one is sent back with what is wrong, TRIES times in all."""
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": message}]
        wrong = ""
        for _ in range(TRIES):
            text = await self._complete(messages)
            try:
                answer = parse_answer(text)
                check(answer)
                return answer
            except BadAnswer as error:
                wrong = str(error)
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": text[:4000]},
                    {"role": "user", "content": f"{wrong} Answer again with the whole JSON object, mended."},
                ]
        raise ProviderGarbage(f"{NAME} gave no usable plan in {TRIES} tries. {wrong[:300]}")

    async def _complete(self, messages: list[dict[str, str]]) -> str:
        """One answer's text, asked for in the strictest format that the server takes."""
        while True:
            body: dict[str, Any] = {"model": self._model, "messages": messages, "stream": False, **self._formats[0]}
            try:
                return _text(await self._post(body))
            except _FormatRefused as refused:
                if len(self._formats) == 1:
                    raise refused.error from None
                self._formats = self._formats[1:]

    async def _post(self, body: dict[str, Any]) -> bytes:
        try:
            async for attempt in retries(timeout_s=self._timeout_s, wait_s=self._retry_wait_s):
                with attempt:
                    return await self._try_post(body)
        except Transient as last:
            raise last.error from None
        raise AssertionError("unreachable")

    async def _try_post(self, body: dict[str, Any]) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        timeout = httpx.Timeout(self._timeout_s, connect=10.0)
        try:
            async with self._client.stream(
                "POST", self._url, json=body, headers=headers, timeout=timeout, follow_redirects=False
            ) as response:
                if response.status_code == 200:
                    return await read_answer(response, name=NAME, max_bytes=MAX_ANSWER_BYTES)
                raise self._refusal(response, formatted="response_format" in body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(transport_error(error, name=NAME)) from error

    def _refusal(self, response: httpx.Response, *, formatted: bool) -> Exception:
        status = response.status_code
        wait_s = retry_after_s(response.headers, now_s=self._clock())
        error = status_error(status, name=NAME, wait_s=wait_s)
        if formatted and status in _REFUSES_FORMAT:
            return _FormatRefused(error)
        if status == 429 or status >= 500:
            patient = wait_s is None or wait_s < self._timeout_s
            return Transient(error, wait_s=wait_s) if patient else error
        return error


class _FormatRefused(Exception):
    """The server may just not know the response format. `error` is what it is otherwise."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__()
        self.error = error


def _formats() -> list[dict[str, Any]]:
    schema = {"name": "plan", "strict": True, "schema": answer_schema()}
    return [
        {"response_format": {"type": "json_schema", "json_schema": schema}},
        {"response_format": {"type": "json_object"}},
        {},
    ]


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
