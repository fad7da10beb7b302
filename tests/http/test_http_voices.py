"""The voices and their samples: each is made once, by whoever asks first, and is no way around videos."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import KEY, World

from vidgend.errors import NotFound, SpeechFailed, ToolMissing
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.ffmpeg import FfmpegTool
from vidgend.pipeline.scene_to_speech import KIND as NARRATION
from vidgend.pipeline.scene_to_speech import NarrationStep
from vidgend.pipeline.sentence_to_speech import KIND as SPEECH
from vidgend.pipeline.sentence_to_speech import SpeechStep
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Utterance, Voice
from vidgend.pipeline.voice_to_sample import MOST_WAITING, VoiceSamples
from vidgend.store.steps import StepStore

Client = TestClient[Any, Any]
Connect = Callable[..., Any]


class Speaker(FakeSpeech):
    """Blends, and waits before it speaks until `go` is set. `cancelled` counts what was stopped meanwhile."""

    blends = True

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.go = asyncio.Event()
        self.go.set()
        self.begun = asyncio.Event()
        self.cancelled = 0
        self.blended: list[str] = []

    async def synthesize(self, text: str, *, voice: str, **more: Any) -> Utterance:
        self.begun.set()
        if "+" in voice:
            self.blended.append(voice)
            voice = self.voices()[0].id
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().synthesize(text, voice=voice, **more)


@asynccontextmanager
async def speaking(world: World, *, deadline_s: float = 20.0, **engine: Any) -> AsyncIterator[tuple[World, Speaker]]:
    """A world whose samples are spoken, by one engine, and that engine."""
    speaker = Speaker(**engine)
    steps = StepStore(world.database, world.assets, boot_id="boot")
    executor = LocalExecutor(
        slots={"net": 1, "gpu": 1, "cpu": 1, "ffmpeg": 1, "io": 2},
        registry={SPEECH: SpeechStep([speaker], world.assets), NARRATION: NarrationStep(FfmpegTool(), world.assets)},
        steps=steps,
        work=world.folder / "work",
    )
    samples = VoiceSamples(
        engines=[speaker], executor=executor, is_done=steps.is_done, speed=1.0, deadline_s=deadline_s
    )
    try:
        yield world.with_services(sample=samples.make), speaker
    finally:
        await samples.aclose()
        await executor.aclose()


def path_of(name: str) -> str:
    return f"/mcp/voices/{quote(name, safe='')}/sample"


async def problem_of(answer: Any) -> tuple[int, str]:
    body = await answer.json(content_type="application/problem+json")
    assert body["status"] == answer.status
    return answer.status, body["code"]


async def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/mcp/voices{query}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    assert body["default"] == "en-US-neutral"
    return list(body["voices"])


async def test_voices_are_listed_with_where_their_samples_are(client: Client) -> None:
    heart = {
        "id": "af_heart", "engine": "kokoro", "language": "en-US", "gender": "female", "tags": ["en-US-neutral"],
        "usable": True, "reason": None, "get": None,
        "sample_url": "http://videos.example:8080/mcp/voices/af_heart/sample",
    }  # fmt: skip
    assert await listed(client) == [heart]
    assert await listed(client, "?all=false") == [heart]
    assert await listed(client, "?all=true") == [
        heart,
        {
            "id": "jf_alpha", "engine": "kokoro", "language": "ja-JP", "gender": "female", "tags": [], "usable": False,
            "reason": "what reads ja-JP is not installed", "get": "pip install it", "sample_url": None,
        },
    ]  # fmt: skip


async def test_voices_are_chosen_by_language_region_and_engine(client: Client) -> None:
    for query, found in (
        ("language=en", 1), ("language=EN-us", 1), ("language=e", 0), ("language=en-GB", 0), ("language=fr", 0),
        ("language=", 1), ("engine=kokoro", 1), ("engine=piper", 0), ("engine=kokoro&language=en", 1),
        ("all=true&language=ja", 1),
    ):  # fmt: skip
        assert len(await listed(client, f"?{query}")) == found, query


@pytest.mark.parametrize(
    "query", ["lang=en", "engine=festival", "engine=", "all=yes", "language=en_US", "language=%00", "engine=a&engine=b"]
)
async def test_wrong_parameters_are_named(client: Client, query: str) -> None:
    answer = await client.get(f"/mcp/voices?{query}")
    body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (422, "invalid_request")
    assert body["errors"][0]["parameter"] == query.partition("=")[0]


async def test_a_sample_is_a_wav_that_is_made_once_and_served_in_parts(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        answer = await client.get(path_of("fake_a"))
        content = await answer.read()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
        assert answer.headers["Content-Disposition"] == 'inline; filename="fake_a.wav"'
        with wave.open(BytesIO(content)) as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (48_000, 1)
            assert 3 <= sound.getnframes() / 48_000 <= 6
        etag = answer.headers["ETag"]
        head = await client.head(path_of("fake_a"))
        assert (head.status, head.headers["Content-Length"], head.headers["ETag"]) == (200, str(len(content)), etag)
        part = await client.get(path_of("fake_a"), headers={"Range": "bytes=4-7"})
        assert (part.status, await part.read()) == (206, content[4:8])
        assert part.headers["Content-Range"] == f"bytes 4-7/{len(content)}"
        beyond = await client.get(path_of("fake_a"), headers={"Range": f"bytes={len(content)}-"})
        assert await problem_of(beyond) == (416, "range_not_satisfiable")
        assert (await client.get(path_of("fake_a"), headers={"If-None-Match": etag})).status == 304
        # Names of one voice are one sample.
        for name in ("en-US-neutral", "en-us_NEUTRAL", "en-US", "en"):
            assert (await client.head(path_of(name))).headers["ETag"] == etag, name
        assert speaker.requests == 1
        other = await client.get(path_of("fake_b"))
        assert (other.status, other.headers["ETag"] != etag, speaker.requests) == (200, True, 2)


async def test_a_blend_is_spoken_once_however_it_is_written(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        for name in ("fake_a:0.6+fake_b:0.4", "fake_b:2+fake_a:3"):
            assert (await client.get(path_of(name))).status == 200
        assert (await client.get("/mcp/voices/fake_a:0.6+fake_b:0.4/sample")).status == 200
        assert speaker.blended == ["fake_a:0.6+fake_b:0.4"]
        assert await problem_of(await client.get(path_of("fake_a+fake_a"))) == (404, "voice_unknown")
        assert await problem_of(await client.get(path_of("fake_a+nobody"))) == (404, "voice_unknown")


async def test_two_requests_at_once_make_it_once(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        answers = await asyncio.gather(*(client.get(path_of("fake_a")) for _ in range(6)))
        assert [answer.status for answer in answers] == [200] * 6
        assert speaker.requests == 1


@pytest.mark.parametrize(
    "name",
    [
        "nobody", "../../etc/passwd", "fake_a/..", "/", "\x00", "fake_a\x00", " ", "+", "fake_a:x+fake_b", "-",
        "en-US-nobody", "en-AU-male", "a" * 5000, "+".join(["fake_a"] * 600), "\u202e", "🌊", "%2e%2e", "xx",
        "fake_a+" * 9 + "fake_b",
    ],
)  # fmt: skip
async def test_names_of_nobody_are_unknown_however_odd(world: World, connect: Connect, name: str) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        answer = await client.get(path_of(name))
        assert await problem_of(answer) == (404, "voice_unknown")
        assert len(await answer.text()) < 2000
        assert speaker.requests == 0


async def test_a_name_that_no_request_line_holds_is_refused(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, _):
        client: Client = await connect(world)
        assert (await client.get(path_of("a" * 10_000))).status in (400, 414)


async def test_what_nobody_here_can_speak_is_told_and_nobody_speaks_in_its_stead(
    world: World, connect: Connect
) -> None:
    french = Voice(id="fr", engine="fake", language="xx-XX", gender="male")
    async with speaking(world, voices=(french,)) as (world, speaker):
        client: Client = await connect(world)
        for name in ("af_heart", "ff_siwis", "en-GB-male", "af_heart+af_bella", "fr"):  # `fr` has no sentence
            answer = await client.get(path_of(name))
            assert await problem_of(answer) == (503, "voice_unavailable"), name
        assert (await client.get(f"{path_of('fr')}?text=hello")).status == 422
        assert speaker.requests == 0


async def test_an_engine_that_fails_is_told_and_asked_again_the_next_time(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        speaker._fail = "the model is broken"
        assert await problem_of(await client.get(path_of("fake_a"))) == (503, SpeechFailed.code)
        speaker._fail = ""
        assert (await client.get(path_of("fake_a"))).status == 200


async def test_who_asks_while_too_many_wait_is_told_when_to_come_back(world: World, connect: Connect) -> None:
    many = [f"v{number}" for number in range(MOST_WAITING + 2)]
    voices = tuple(Voice(id=name, engine="fake", language="en-US", gender="male") for name in many)
    async with speaking(world, deadline_s=2, voices=voices) as (world, speaker):
        client: Client = await connect(world)
        speaker.go.clear()
        answers = await asyncio.gather(*(client.get(path_of(name)) for name in many))
        details = []
        for answer in answers:
            assert await problem_of(answer) == (503, "voice_busy")
            assert answer.headers["Retry-After"] == "10"
            details.append((await answer.json(content_type=None))["detail"])
        assert sum("others are asked for" in detail for detail in details) == 1
        assert sum("not made within 2 s" in detail for detail in details) == MOST_WAITING + 1
        speaker.go.set()
        assert (await client.get(path_of("v0"))).status == 200, "those that gave up hold nothing"


async def test_what_was_begun_is_spoken_to_its_end_though_the_client_went_away(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        client: Client = await connect(world)
        speaker.go.clear()
        request = asyncio.create_task(client.get(path_of("fake_a")))
        await speaker.begun.wait()
        request.cancel()
        await asyncio.sleep(0.6)  # the route looks every quarter of a second
        speaker.go.set()
        assert (await client.get(path_of("fake_a"))).status == 200
        assert (speaker.requests, speaker.cancelled) == (1, 0)


async def test_without_ffmpeg_or_with_a_store_that_loses_files_there_is_no_sample_now(
    world: World, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_ffmpeg(_: FfmpegTool) -> None:
        raise ToolMissing("no usable ffmpeg")

    async def lost(digest: str) -> None:
        raise NotFound("no asset")

    async with speaking(world) as (world, _):
        client: Client = await connect(world)
        with monkeypatch.context() as patch:
            patch.setattr(FfmpegTool, "get", no_ffmpeg)
            assert await problem_of(await client.get(path_of("fake_a"))) == (503, "voice_unavailable")
        with monkeypatch.context() as patch:
            patch.setattr(world.assets, "local", lost)
            assert await problem_of(await client.get(path_of("fake_a"))) == (503, "voice_busy")
        assert (await client.get(path_of("fake_a"))).status == 200


async def test_samples_need_the_key_and_a_daemon_that_is_not_stopping(world: World, connect: Connect) -> None:
    async with speaking(world) as (world, speaker):
        world = world.with_api_key()
        client: Client = await connect(world)
        assert await problem_of(await client.get(path_of("fake_a"))) == (401, "unauthorized")
        assert await problem_of(await client.get(f"{path_of('fake_a')}?exp=99999999999&sig=0")) == (401, "unauthorized")
        assert speaker.requests == 0
        key = {"Authorization": f"Bearer {KEY}"}
        answer = await client.get(path_of("fake_a"), headers=key)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, max-age=86400")
        world.worker.draining = True
        assert await problem_of(await client.get(path_of("fake_a"), headers=key)) == (503, "draining")
