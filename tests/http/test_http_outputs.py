"""`outputs` of a request and of a result, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from standins.services_standin import World

from vidgend.http.views.base import dump
from vidgend.http.views.results import result_view
from vidgend.http.wire import Defaults, GenerateBody, to_brief
from vidgend.models import Brief, OutputResult, Substitution

Client = TestClient[Any, Any]
DEFAULTS = Defaults(width_px=1920, height_px=1080, fps="30", voice="en-US-female")


def brief(**body: Any) -> Brief:
    return to_brief(GenerateBody.model_validate(body), DEFAULTS)


def names(outputs: list[dict[str, Any]], **body: Any) -> list[str]:
    made = brief(prompt="the sea", outputs=outputs, **body)
    return [made.output_name, *(output.name for output in made.outputs)]


def test_the_first_output_is_the_main_video_and_the_others_differ_from_the_request() -> None:
    made = brief(
        prompt="the sea", voice="af_heart", resolution="1280x720", style="noir",
        outputs=[{"aspect_ratio": "9:16"}, {"aspect_ratio": "1:1", "resolution": "1920x1080"}, {"voice": "af_bella"}],
    )  # fmt: skip
    assert (made.width_px, made.height_px, made.voice, made.style) == (720, 1280, "af_heart", "noir")
    assert [(one.width_px, one.height_px, one.voice, one.language) for one in made.outputs] == [
        (1080, 1080, None, None), (1280, 720, "af_bella", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{}], ["main"]),
        ([{}, {"aspect_ratio": "9:16"}, {"aspect_ratio": "4:5"}], ["16x9", "9x16", "4x5"]),
        ([{}, {"resolution": "1280x720"}], ["1920x1080", "1280x720"]),
        ([{"language": "en"}, {"language": "pt-BR"}], ["en", "pt-BR"]),
        ([{}, {"voice": "bm_george"}], ["en-US-female", "bm_george"]),
        ([{}, {"aspect_ratio": "9:16"}, {"aspect_ratio": "9:16", "language": "de"}], ["16x9-en", "9x16-en", "9x16-de"]),
        ([{"name": "Main"}, {}, {}], ["Main", "main-2", "main-3"]),
    ],
)
def test_what_has_no_name_is_called_by_what_differs(outputs: list[dict[str, Any]], expected: list[str]) -> None:
    assert names(outputs) == expected


def test_another_language_gets_a_voice_of_the_same_kind_unless_one_is_named() -> None:
    made = brief(
        prompt="the sea",
        outputs=[{}, {"language": "de"}, {"language": "fr", "voice": "ff_siwis"}, {"language": "en-GB"}],
    )
    assert [one.voice for one in made.outputs] == ["de-female", "ff_siwis", None]
    named = brief(prompt="the sea", voice="am_michael", outputs=[{}, {"language": "de-AT"}])
    assert named.outputs[0].voice == "de-AT-male"


def test_words_are_given_once_for_each_language() -> None:
    scenes = [{"narration": "The sea."}, {"narration": "Night."}]
    german = ["Das Meer.", "Nacht."]
    made = brief(
        scenes=scenes, language="en",
        outputs=[{"language": "de", "narrations": german}, {"language": "de", "aspect_ratio": "9:16"}, {}],
    )  # fmt: skip
    assert [scene.narration for scene in made.scenes] == german and made.language == "de"
    assert [(one.language, one.narrations) for one in made.outputs] == [(None, ()), ("en", ("The sea.", "Night."))]
    assert made.voice == "de-female" and made.outputs[1].voice == "en-US-female"


async def test_another_language_is_taken_when_somebody_can_translate(world: World, connect: Any) -> None:
    def speaks(voice: str, language: str | None) -> None:
        asked.append((voice, language))

    asked: list[tuple[str, str | None]] = []
    client = await connect(world.with_services(can_translate=True, check_voice=speaks))
    answer = await client.post("/mcp/generate", json={"prompt": "the sea", "outputs": [{}, {"language": "de"}]})
    assert answer.status == 202
    assert asked == [("en-US-neutral", None), ("de-neutral", "de")], "every voice is looked for"
    refused = await client.post(
        "/mcp/generate", json={"script": "Das Meer.", "language": "de", "outputs": [{"language": "en"}, {}]}
    )
    assert refused.status == 422 and "come first" in (await refused.json())["errors"][0]["detail"]


async def test_the_result_lists_every_video_with_its_own_links_and_fall_backs(world: World) -> None:
    job, found = await world.completed()
    files = found.files | {f"{role}:tall": file for role, file in found.files.items()}
    other = Substitution(stage="narrating", wanted="a", used="b", reason="c", output="tall")
    several = replace(
        found,
        files=files,
        degraded=(*found.degraded, other),
        outputs=(
            OutputResult(name="wide", language="en", width_px=1920, height_px=1080, duration_s=12.5),
            OutputResult(name="tall", language="de", width_px=1080, height_px=1920, duration_s=13.0, report={"a": 1}),
        ),
    )
    view = dump(result_view(replace(job, result=several), {role: f"url of {role}" for role in files}))
    wide, tall = view["outputs"]
    assert (wide["name"], wide["language"], wide["video_url"]) == ("wide", "en", "url of video")
    assert wide["video_url"] == view["video_url"] and wide["degraded"] == view["degraded"][:1]
    assert (tall["name"], tall["language"], tall["width"], tall["duration"]) == ("tall", "de", 1080, 13.0)
    assert tall["video_url"] == "url of video:tall" and tall["subtitles"]["srt"] == "url of srt:tall"
    assert len(tall["degraded"]) == 2 and tall["report"] == {"a": 1}
    # A result of the time before outputs has its one video.
    (only,) = dump(result_view(job, {"video": "url"}))["outputs"]
    assert (only["name"], only["video_url"], only["width"], only["language"]) == ("main", "url", 1920, None)
