"""`narration_audio` over real HTTP: what is taken, and what is refused before there is a job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.models import Brief, VoiceOver
from vidgend.pipeline.aligner.select import recogniser_hint
from vidgend.pipeline.transcriber.fake import FakeTranscriber
from vidgend.store.uploads import UploadKind

Connect = Callable[..., Awaitable[TestClient[Any, Any]]]
POINTER = "/narration_audio"


async def keep(
    world: World, name: str, *, kind: UploadKind = "audio", seconds: float | None = 40.0, sound_s: float | None = None
) -> str:
    """An upload as it is known after it was looked at; its bytes do not matter here. `sound_s` is that of a video."""
    path = world.folder / name
    path.write_bytes(name.encode())
    facts = {"demuxer": "mov", "duration_s": seconds, "width_px": 160, "height_px": 90, "kind": kind}
    if sound_s is not None:
        facts["sound_s"] = sound_s
    upload, _ = await world.services.uploads.add(path, kind=kind, name=name, content_type="x/y", facts=facts)
    return upload.digest


async def send(client: TestClient[Any, Any], **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await client.post("/mcp/generate", json=body)
    return answer.status, await answer.json(content_type=None)


async def brief_of(world: World, told: dict[str, Any]) -> Brief:
    brief = (await world.jobs.get(told["job_id"])).brief
    assert isinstance(brief, Brief)
    return brief


@pytest.fixture
def hearing(world: World) -> World:
    """One with a recogniser for English."""
    return world.with_services(transcriber=FakeTranscriber(languages=("en",)))


async def test_an_id_alone_or_an_object_names_the_recording_and_nothing_else_is_needed(
    hearing: World, connect: Connect
) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "my talk.m4a")
    status, told = await send(client, narration_audio=asset)
    assert status == 202, told
    brief = await brief_of(hearing, told)
    assert brief.narration_audio == VoiceOver(asset=asset, title="my talk", duration_s=40.0)
    assert brief.language is None, "the recording tells"
    status, told = await send(
        client, narration_audio={"asset": asset, "keep_background": True}, script="Das ist es nicht."
    )
    assert status == 202, told
    given = (await brief_of(hearing, told)).narration_audio
    assert given is not None and given.keep_background
    in_use = await client.delete(f"/mcp/assets/{asset}")
    assert (in_use.status, (await in_use.json())["code"]) == (409, "upload_in_use")


async def test_a_video_with_sound_may_speak_in_several_shapes(hearing: World, connect: Connect) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "loud.mp4", kind="video", sound_s=39.5)
    status, told = await send(client, narration_audio=asset, prompt="p", outputs=[{}, {"aspect_ratio": "9:16"}])
    assert status == 202, told
    given = (await brief_of(hearing, told)).narration_audio
    assert given is not None and given.duration_s == 39.5, "its sound counts"


async def test_of_a_video_from_before_its_sound_was_looked_for_the_job_finds_out(
    hearing: World, connect: Connect
) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "old.mp4", kind="video")
    (await hearing.assets.local(asset)).unlink()
    status, told = await send(client, narration_audio=asset)
    assert status == 202, told


@pytest.mark.parametrize(
    ("name", "kind", "seconds", "sound_s", "detail"),
    [
        ("mute.mp4", "video", 5.0, 0.0, "'mute.mp4': there is no readable sound in the file"),
        ("photo.png", "photo", None, None, "the upload 'photo.png' is a photo, which belongs into image"),
        ("short.mp4", "video", 5.0, 0.3, "'short.mp4' is 0.3 s long; a recording may have 0.5 to 3600 s"),
        ("book.mp3", "audio", 3600.5, None, "'book.mp3' is 3600.5 s long; a recording may have 0.5 to 3600 s"),
        ("click.wav", "audio", 0.0, None, "'click.wav' is 0.0 s long; a recording may have 0.5 to 3600 s"),
    ],
)
async def test_what_cannot_be_a_voice_over_is_refused(
    hearing: World,
    connect: Connect,
    name: str,
    kind: UploadKind,
    seconds: float | None,
    sound_s: float | None,
    detail: str,
) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, name, kind=kind, seconds=seconds, sound_s=sound_s)
    status, told = await send(client, narration_audio=asset)
    assert (status, told["errors"]) == (422, [{"pointer": POINTER, "detail": detail}])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"narration_audio": "a" * 64}, POINTER),
        ({"narration_audio": "A" * 64}, POINTER),
        ({"narration_audio": 5}, POINTER),
        ({"narration_audio": {}}, f"{POINTER}/asset"),
        ({"narration_audio": {"asset": "GIVEN", "gate": True}}, f"{POINTER}/gate"),
        ({"narration_audio": {"asset": "GIVEN", "keep_background": "maybe"}}, f"{POINTER}/keep_background"),
        ({"narration_audio": "GIVEN", "outputs": [{}, {"language": "de"}]}, "/outputs/1/language"),
        ({"narration_audio": "GIVEN", "outputs": [{"voice": "af_heart"}]}, "/outputs/0/voice"),
        ({"narration_audio": "GIVEN", "scenes": [{"narration": "a"}, {"narration": "..."}]}, "/scenes/1/narration"),
        (
            {"narration_audio": "GIVEN", "scenes": [{"narration": "a"}, {"narration": "<break/>"}]},
            "/scenes/1/narration",
        ),
    ],
)
async def test_what_does_not_fit_is_refused_at_its_place(
    hearing: World, connect: Connect, body: dict[str, Any], pointer: str
) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "talk.mp3")

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return asset if value == "GIVEN" else value

    status, told = await send(client, **filled(body))
    assert (status, told["code"]) == (422, "invalid_request"), told
    assert [one["pointer"] for one in told["errors"]] == [pointer]


async def test_without_a_recogniser_the_text_has_to_be_given(world: World, connect: Connect) -> None:
    client = await connect(world)
    asset = await keep(world, "talk.mp3")
    status, told = await send(client, narration_audio=asset, prompt="About the sea.")
    assert (status, told["code"]) == (422, "not_available") and "`script`" in told["hint"]
    assert told["hint"].startswith("Install one")
    off = await connect(world.with_services(recogniser_hint=recogniser_hint("proportional")))
    _, told = await send(off, narration_audio=asset)
    assert told["hint"].startswith("Set aligner.engine = auto") and "`script`" in told["hint"]
    assert (await send(client, narration_audio=asset, script="The sea."))[0] == 202
    assert (await send(client, narration_audio=asset, scenes=[{"narration": "The sea."}]))[0] == 202


async def test_a_text_of_markup_alone_is_no_text(hearing: World, connect: Connect) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "talk.mp3")
    for text in ({"script": "<break time='1s'/>"}, {"scenes": [{"narration": "<break/>"}]}):
        status, told = await send(client, narration_audio=asset, **text)
        assert (status, told["code"]) == (422, "prompt_empty"), told


async def test_a_prompt_that_is_not_spoken_may_be_in_any_letters(hearing: World, connect: Connect) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "talk.mp3")
    body = {"narration_audio": asset, "language": "en"}
    assert (await send(client, **body, prompt="夜晚的大海"))[0] == 202
    status, told = await send(client, **body, script="夜晚的大海")
    assert (status, told["code"]) == (422, "language_unsupported")


async def test_a_recogniser_for_english_takes_nothing_else(hearing: World, connect: Connect) -> None:
    client = await connect(hearing)
    asset = await keep(hearing, "talk.mp3")
    status, told = await send(client, narration_audio=asset, language="de")
    assert (status, told["code"]) == (422, "language_unsupported"), told
    assert "hears en only" in told["detail"] and "models/" in told["hint"]
    assert (await send(client, narration_audio=asset, language="en-GB"))[0] == 202
    # No voice speaks German here, and none has to.
    assert (await send(client, narration_audio=asset, language="de", script="Das Meer."))[0] == 202
    status, told = await send(client, narration_audio=asset, voice="hal")
    assert (status, told["code"]) == (422, "voice_unknown")
    many = await connect(hearing.with_services(transcriber=FakeTranscriber()))
    assert (await send(many, narration_audio=asset, language="de"))[0] == 202
    unknown = await connect(hearing.with_services(transcriber=FakeTranscriber(unknown=("ga",))))
    status, told = await send(unknown, narration_audio=asset, language="ga-IE")
    assert (status, told["code"]) == (422, "language_unsupported") and "does not know" in told["detail"]
