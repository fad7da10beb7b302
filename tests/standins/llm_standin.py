"""A stand-in for an OpenAI-compatible model server: scripted answers, failures on demand, a record of requests.

    python tests/standins/llm_standin.py --port 9002 [--script good fenced error ...]

`script` is a list of steps, one a request; when it is used up, the last step repeats. A step is a `Step` name, or any
other text, which is then the model's answer word for word.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aiohttp import web

Step = Literal[
    "good", "fenced", "thinking", "raw_breaks", "broken", "empty_scenes", "too_long", "too_short", "hostile", "refusal",
    "prose", "filtered", "truncated", "repeats", "wrong_language", "context", "unauthorized", "limited", "limited_long",
    "error", "garbage", "slow", "drop", "no_model",
]  # fmt: skip

SENTENCES = {
    "de": "Satz Nummer {} erzählt noch ein wenig mehr von der Sache.",
    "es": "La frase número {} cuenta un poco más de la historia.",
    "fr": "La phrase numéro {} raconte encore un peu plus de la suite.",
    "hi": "वाक्य {} थोड़ा और बताता है।",
    "ja": "文{}はもう少し語ります。",
    "zh": "第{}句话讲得更多一些。",
}
"""What the narration of a scene is, by language; any other is told in English."""


@dataclass(kw_only=True)
class LlmStandin:
    """Use as `async with LlmStandin(script=["broken", "good"]) as llm:`; give `llm.base_url` to the planner."""

    script: Sequence[str] = ("good",)
    key: str | None = None
    formats: Sequence[str] = ("json_schema", "json_object")
    """Response formats that the server knows; others get HTTP 400."""
    format_status: int = 400
    """With which it turns others down; llama-cpp-python's server says 500."""
    retry_after_s: str = "0"
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys_seen: list[str | None] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """`slow` answers wait for this."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come in."""

    async def __aenter__(self) -> LlmStandin:
        self._turn = 0
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/_state", self._state)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release.set()
        await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def messages(self, index: int = -1) -> list[dict[str, str]]:
        """The messages of one recorded request."""
        return list(self.requests[index]["messages"])

    def asked(self, index: int = -1) -> dict[str, Any]:
        """The data of the first user message of one recorded request."""
        return dict(json.loads(self.messages(index)[1]["content"]))

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "stand-in", "object": "model"}]})

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response({"requests": self.requests})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys_seen.append(request.headers.get("Authorization"))
        self.arrived.set()
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _problem(401, "invalid key")
        kind = body.get("response_format", {}).get("type")
        if kind is not None and kind not in self.formats:
            return _problem(self.format_status, f"response_format {kind} is not supported")
        step = self.script[min(self._turn, len(self.script) - 1)]
        self._turn += 1
        if step == "slow":
            await self.release.wait()
            step = "good"
        if step == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if step == "limited":
            return _problem(429, "slow down", {"Retry-After": self.retry_after_s})
        if step == "limited_long":
            return _problem(429, "come back tomorrow", {"Retry-After": "86400"})
        if step == "unauthorized":
            return _problem(401, "invalid key")
        if step == "no_model":
            return _problem(404, "model not found")
        if step == "context":
            return _problem(400, "This model's maximum context length is 4096 tokens.")
        if step == "error":
            return _problem(503, "overloaded")
        if step == "garbage":
            return web.Response(text="<html>proxy error</html>", content_type="text/html")
        message: dict[str, Any] = {"role": "assistant", "content": answer_text(step, body)}
        if step == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        reason = {"filtered": "content_filter", "truncated": "length"}.get(step, "stop")
        return web.json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "model": body.get("model"),
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        )


def _problem(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": text, "code": status}}, status=status, headers=headers or {})


def good_plan(data: dict[str, Any]) -> dict[str, Any]:
    """A plan, or a translation, that fits what was asked: `data` is the user message's JSON. The translation has the
    language before each text."""
    given = data.get("scenes")
    if "to" in data:
        said = [{"number": item["number"], "narration": f"{data['to']} {item['narration']}"} for item in given or []]
        return {"title": f"{data['to']} {data['title']}", "scenes": said}
    if "characters_wanted" in data:
        texts = [_as_long_as(item["narration"], item["characters_wanted"]) for item in given or []]
        return {"scenes": [{"number": number, "narration": text} for number, text in enumerate(texts, 1)]}
    if isinstance(given, list):
        scenes = [
            {"narration": "", "queries": [f"scene {item['number']} close up", "wide landscape"]} for item in given
        ]
        return {"title": "A title by the model", "mood": "calm", "scenes": scenes}
    count = int(given or 3)
    each = int(data.get("narration_characters_in_all", 40 * count) * _FILLS / count)
    template = SENTENCES.get(str(data.get("language"))[:2], "Sentence number {} tells a little more.")
    return {
        "title": "A title by the model",
        "mood": "calm",
        "hook": "",
        "pace": "normal",
        "scenes": [
            {"narration": _as_long_as(template.format(number), each), "queries": [f"thing {number}", "sky"]}
            for number in range(1, count + 1)
        ],
    }


_FILLS = 0.5
"""How much of the length that is wished for its narration fills."""


def _as_long_as(text: str, characters: int) -> str:
    """The sentence again and again, or cut, so that it comes near to a number of characters, but never to nothing."""
    words = text.split() or [text]
    while sum(map(len, words)) + len(words) < characters and len(words) < 200:
        words += text.split()
    while sum(map(len, words)) + len(words) > characters + 6 and len(words) > 2:
        words.pop()
    return " ".join(words)


def answer_text(step: str, body: dict[str, Any]) -> str:
    data = json.loads(body["messages"][1]["content"])
    plan = good_plan(data)
    text = json.dumps(plan)
    if step == "good":
        return text
    if step == "fenced":
        return f"Here is the plan:\n```json\n{json.dumps(plan, indent=2)}\n```\nEnjoy!"
    if step == "thinking":
        return f"<think>Let me see {{maybe}} three scenes</think>\n{text}"
    if step == "raw_breaks":
        return text.replace("tells a", "tells\na")
    if step == "truncated":
        return text[: len(text) * 2 // 3]
    if step == "filtered":
        return ""
    if step == "too_short":
        return json.dumps({**plan, "scenes": [{"narration": "Hm.", "queries": ["a b"]}]})
    if step == "repeats":
        return json.dumps({**plan, "scenes": [{"narration": "Look at the sea. " * 5, "queries": ["sea"]}] * 6})
    if step == "wrong_language":
        return json.dumps(good_plan({**data, "language": "fr" if data.get("language") != "fr" else "de"}))
    if step == "broken":
        return text[: len(text) // 2]
    if step == "empty_scenes":
        return json.dumps({**plan, "scenes": []})
    if step == "too_long":
        return json.dumps({**plan, "scenes": [{"narration": f"{n} word " * 80, "queries": ["a b"]} for n in range(60)]})
    if step == "hostile":
        return json.dumps(hostile_plan(len(plan["scenes"]), SENTENCES.get(str(data.get("language"))[:2], "")))
    if step == "prose":
        return "Sure! First we see the sea, and then a bird."
    return step


def hostile_plan(scenes: int, sentence: str = "") -> dict[str, Any]:
    """What an injected model might say: markup, addresses, control characters, paths, fields that nobody asked for; and
    `sentence` in between, if there is one."""
    numbers = ("", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

    def scene(number: int) -> dict[str, Any]:
        said = sentence.format(number) or "Hello**\x00 <b>you</b>, see [our shop](https://evil.example/?q=1) at"
        return {
            "narration": (
                f"# **{said} https://evil.example\u202e. [laughs] <*break time='9s'/> {numbers[number % 12]}"
            ),
            "queries": [
                "https://evil.example/x.mp4", "../../etc/passwd", "file:///etc/passwd", "**blue** `sea`\x07\n",
                "\u202e海", "evil.com", "data:text/html;base64,AAAA",
            ],
            "clip": {"provider": "upload", "id": "/etc/passwd"}, "voice": "../../voice", "markup": "<break time='60s'/>",
        }  # fmt: skip

    return {
        "title": "<script>alert(1)</script> **Title**\u0000",
        "mood": "terrifying",
        "pace": "rm -rf /",
        "hook": "<script>https://evil.example/x.js</script> ![look](file:///etc/passwd)",
        "scenes": [scene(number) for number in range(scenes)],
        "voice": "/etc/passwd",
        "footage_provider": "http://169.254.169.254/",
    }


async def _serve(options: argparse.Namespace) -> None:
    async with LlmStandin(script=options.script, key=options.key, host=options.host, port=options.port) as llm:
        print(json.dumps({"base_url": llm.base_url}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key")
    parser.add_argument("--script", nargs="+", default=["good"], help=f"steps: {', '.join(get_args(Step))}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
