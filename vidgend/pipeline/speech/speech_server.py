"""Any server with OpenAI's `/audio/speech` (Kokoro-FastAPI, LocalAI, a cloud) as an engine. It gives no word times.

Source: OpenAI's API reference, "Create speech". Servers stream their WAV, so the lengths in its head may be anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import httpx

from vidgend.errors import ProviderError, SpeechFailed, StepTimeout
from vidgend.pipeline.provider_http import (
    Clock,
    Transient,
    persevere,
    read_answer,
    refusal,
    transport_error,
)
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.in_child import check_request
from vidgend.pipeline.speech.port import Utterance, Voice
from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.voice_tables import server_voice

NAME = "the speech server"
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Ten minutes of mono at 48 kHz."""
LEAST_PATIENCE_S = 15.0
CHARS_A_SECOND = 10.0
_PCM, _EXTENSIBLE = 1, 0xFFFE


class SpeechServer:
    """`base_url` ends before `/audio/speech`, such as `http://localhost:8880/v1`. `voices` are the server's own names;
    those of Kokoro say their language by themselves, the others speak `language`."""

    name = "server"
    label: Literal["net"] = "net"
    blends = False

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        voices: Sequence[str],
        language: str,
        api_key: str = "",
        clock: Clock = time.time,
        retry_wait_s: float = 1.0,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/audio/speech"
        self._model = model
        self._key = api_key
        self._opened: httpx.AsyncClient | None = None
        self._clock = clock
        self._retry_wait_s = retry_wait_s
        self._voices = tuple(server_voice(voice, language) for voice in voices)
        self.identity = f"server:{base_url.rstrip('/')}:{model}"

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    async def synthesize(
        self, text: str, *, voice: str, language: str, speed: float, path: Path, timeout_s: float
    ) -> Utterance:
        """See SpeechEngine. Raises: SpeechFailed, StepTimeout."""
        check_request(self.name, self._voices, text, voice=voice, speed=speed)
        body = {"model": self._model, "input": text, "voice": voice, "speed": speed, "response_format": "wav"}
        try:
            async with asyncio.timeout(timeout_s):
                answer = await persevere(
                    lambda: self._try_post(body, timeout_s), timeout_s=timeout_s, wait_s=self._retry_wait_s
                )
        except TimeoutError:
            raise StepTimeout(f"{NAME} did not answer within {timeout_s:g} s") from None
        except ProviderError as error:
            raise SpeechFailed(error.detail, hint=error.hint) from error
        samples, rate_hz = await asyncio.to_thread(_write, answer, path)
        return Utterance(path=path, samples=samples, rate_hz=rate_hz, words=())

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            self._opened = httpx.AsyncClient(trust_env=True)
        return self._opened

    async def _try_post(self, body: dict[str, object], timeout_s: float) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        # A server on a small machine speaks about as fast as people do; one that says nothing for longer is stuck.
        patience_s = min(timeout_s, LEAST_PATIENCE_S + len(str(body["input"])) / CHARS_A_SECOND)
        timeout = httpx.Timeout(patience_s, connect=min(timeout_s, 5.0))
        try:
            async with self._client().stream(
                "POST", self._url, json=body, headers=headers, timeout=timeout, follow_redirects=False
            ) as response:
                if response.status_code == 200:
                    return await read_answer(response, name=NAME, max_bytes=MAX_ANSWER_BYTES)
                raise refusal(response, name=NAME, now_s=self._clock(), timeout_s=timeout_s)
        except httpx.TimeoutException as error:  # it is not asked again: the next engine speaks sooner
            raise transport_error(error, name=NAME) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(transport_error(error, name=NAME)) from error


def _write(answer: bytes, path: Path) -> tuple[int, int]:
    """What the server said as a sound WAV file: (samples, rate in hertz). Raises: SpeechFailed."""
    try:
        samples, rate_hz = read_streamed_wav(answer)
    except ValueError as error:
        raise SpeechFailed(f"{NAME} did not send a WAV file: {error}") from None
    if not len(samples):
        raise SpeechFailed(f"{NAME} sent no sound")
    sound.write_wav(path, sound.limit(samples), rate_hz)
    return len(samples), rate_hz


def read_streamed_wav(content: bytes) -> tuple[Samples, int]:
    """Mono samples and the rate in hertz of a 16-bit PCM WAV whose lengths may be 0, 0xFFFFFFFF or too large.

    Raises: ValueError.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("it does not begin like one")
    at, form = 12, b""
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            form = content[at : at + size]
        elif name == b"data":
            break
        at += size + size % 2
    else:
        raise ValueError("there is no sound in it")
    if len(form) < 16:
        raise ValueError("it does not say what its samples are")
    kind, channels, rate_hz, bits = (
        int.from_bytes(form[first:after], "little") for first, after in ((0, 2), (2, 4), (4, 8), (14, 16))
    )
    if kind not in (_PCM, _EXTENSIBLE) or bits != 16 or not 1 <= channels <= 8 or not 8_000 <= rate_hz <= 192_000:
        raise ValueError(f"format {kind}, {bits} bits, {channels} channels, {rate_hz} Hz is not taken")
    data = content[at : at + size] if 0 < size <= len(content) - at else content[at:]
    return sound.from_pcm(data, channels), rate_hz
