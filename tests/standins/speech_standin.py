"""A stand-in for a speech server with OpenAI's `/audio/speech`: says words as tones, fails on demand.

`script` is a list of steps, one a request; when it is used up, the last one repeats.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from aiohttp import web

Step = Literal[
    "good", "streamed", "stereo", "busy", "limited_long", "unauthorized", "garbage", "mp3", "empty", "slow", "drop"
]
RATE_HZ = 24_000


@dataclass(kw_only=True)
class SpeechStandin:
    """Use as `async with SpeechStandin(script=["busy", "good"]) as server:`; give `server.base_url` to the engine."""

    script: Sequence[Step] = ("good",)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys_seen: list[str | None] = field(default_factory=list)

    async def __aenter__(self) -> SpeechStandin:
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self._speech)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        step = self.script[min(len(self.requests), len(self.script) - 1)]
        self.requests.append(body)
        self.keys_seen.append(request.headers.get("Authorization"))
        if step == "busy":
            return web.Response(status=503, headers={"Retry-After": "0"})
        if step == "limited_long":
            return web.Response(status=429, headers={"Retry-After": "9999"})
        if step == "unauthorized":
            return web.Response(status=401)
        if step == "garbage":
            return web.json_response({"error": "?"})
        if step == "mp3":
            return web.Response(body=b"ID3\x04" + bytes(2000), content_type="audio/mpeg")
        if step == "slow":
            await asyncio.sleep(30)
        if step == "drop":
            assert request.transport is not None
            request.transport.abort()
        sound = said(body["input"], speed=body["speed"], channels=2 if step == "stereo" else 1)
        if step == "empty":
            sound = sound[:44]
        if step == "streamed":
            sound = sound[:4] + b"\xff\xff\xff\xff" + sound[8:40] + b"\xff\xff\xff\xff" + sound[44:]
        return web.Response(body=sound, content_type="audio/wav")


def said(text: str, *, speed: float = 1.0, channels: int = 1) -> bytes:
    """A WAV: a tone for each word, 0.06 s for each of its letters, with gaps."""
    parts = [np.zeros(2400)]
    for word in text.split():
        count = round(0.06 * len(word) / speed * RATE_HZ)
        parts += [0.3 * np.sin(np.arange(count) * 2 * np.pi * 220 / RATE_HZ), np.zeros(2400)]
    pcm = np.repeat((np.concatenate(parts) * 32767).astype("<i2"), channels)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
    return made.getvalue()
