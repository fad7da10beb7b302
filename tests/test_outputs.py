"""Several videos of one plan, through the real store, steps and ffmpeg: what is equal is made once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from standins.llm_standin import LlmStandin
from workshop import candidate, clips, fake_footage, finished, finished_steps, make, result, settings_for, workshop

from vidgend.errors import FeatureUnavailable
from vidgend.http.edit_wire import PatchBody, RenderBody
from vidgend.http.own_media import EditMedia
from vidgend.http.revise import edit_storyboard, render_storyboard
from vidgend.http.wire import GenerateBody
from vidgend.models import Result
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.planner.llm_chat import LlmChat
from vidgend.pipeline.planner.translator import LlmTranslator
from vidgend.pipeline.probe import packets
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.pipeline.speech.port import Voice
from vidgend.runtime import Runtime

TEXTS = ("The sea.", "A boat.")
SCENES = [{"narration": text, "query": "sea"} for text in TEXTS]
GERMAN = ("Das ist das Meer.", "Ein Boot.")


def voices() -> FakeSpeech:
    """A voice for English and one for German."""
    return FakeSpeech(
        voices=(
            Voice(id="fake_a", engine="fake", language="en-US", gender="female", tags=("en-US-neutral",)),
            Voice(id="fake_de", engine="fake", language="de-DE", gender="male", tags=("de-DE-male",)),
        )
    )


def translator(llm: LlmStandin, client: httpx.AsyncClient) -> LlmTranslator:
    return LlmTranslator(LlmChat(base_url=llm.base_url, model="stand-in", client=client, retry_wait_s=0.0))


async def text(runtime: Runtime, found: Result, role: str) -> str:
    return (await runtime.assets.local(found.files[role].digest)).read_text()


def shop(folder: Path, **parts: Any) -> Any:
    settings = settings_for(folder, VIDGEND_RENDER__RESOLUTION="256x144")
    return workshop(folder, settings=settings, **parts)


async def test_what_two_videos_have_in_common_is_made_once(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    sizes: list[tuple[int, int]] = []

    class Watched(FakeFootage):
        async def fetch(self, *args: Any, width_px: int, height_px: int, path: Path) -> None:
            sizes.append((width_px, height_px))
            await super().fetch(*args, width_px=width_px, height_px=height_px, path=path)

    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    footage = Watched({"*": tuple(candidate(clip) for clip in files)}, files)
    speech = voices()
    outputs = [{}, {"aspect_ratio": "9:16"}, {"aspect_ratio": "16:9"}]
    async with shop(tmp_path / "data", providers=(footage,), engines=(speech,)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="cut", outputs=outputs)
        found = result(job)
        assert [one.name for one in found.outputs] == ["16x9", "9x16", "16x9-2"]
        for role, size, name in (("video", (256, 144), "output.mp4"), ("video:9x16", (144, 256), "output-9x16.mp4")):
            track = (await packets(ffmpeg, await runtime.assets.local(found.files[role].digest)))["video"]
            assert (track.width_px, track.height_px, track.packets) == (*size, found.report["frames"])
            assert found.files[role].name == name
        assert found.files["video:16x9-2"].digest == found.files["video"].digest
        assert found.files["words:9x16"].digest == found.files["words"].digest
        assert sizes == [(256, 256)] * 2, "each clip is fetched once, large enough for every shape"
        assert speech.requests == 2
        count = await finished_steps(runtime)
        assert (count["segment"], count["join"], count["sound"], count["plan"]) == (4, 2, 1, 1)
        assert job.scenes_total == 6, "the scenes of all videos count"
        published = await runtime.database.read("SELECT role, name FROM published WHERE job_id = ?", (job.id,))
        assert len(published) == len(found.files) == 21 and len({name for _, name in published}) == 21


async def test_given_words_of_another_language_are_spoken_by_a_voice_of_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2, seconds=5))
    speech = voices()
    outputs = [{}, {"language": "de", "narrations": GERMAN}, {"language": "de", "aspect_ratio": "9:16"}]
    async with shop(tmp_path / "data", providers=(footage,), engines=(speech,)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="cut", outputs=outputs)
        found = result(job)
        assert [(one.name, one.language) for one in found.outputs] == [
            ("16x9-en", "en"), ("16x9-de", "de"), ("9x16-de", "de"),
        ]  # fmt: skip
        assert found.report["voice"] == ["fake fake_a"]
        assert [one.report["voice"] for one in found.outputs[1:]] == [["fake fake_de"], ["fake fake_de"]]
        for role in ("srt:16x9-de", "srt:9x16-de"):
            said = await text(runtime, found, role)
            assert " ".join(said.split()).count("Das ist das Meer.") == 1 and "sea" not in said
        assert speech.requests == 4 and len(footage.fetched) == 2, (
            "each language is spoken once, each clip fetched once"
        )
        assert found.outputs[1].duration_s > found.outputs[0].duration_s, "scenes are as long as their words"
        assert found.outputs[1].duration_s == found.outputs[2].duration_s
        assert [(one.used, one.output) for one in found.degraded] == [("no music", None)], "said once for all"

        patch = PatchBody.model_validate({"scenes": [{"index": 1, "narration": "A ship."}]})
        await edit_storyboard(runtime, job.id, patch, if_match=None, media=EditMedia())
        with pytest.raises(
            FeatureUnavailable, match="output 16x9-de: no words in de were given for scene 1 as it is now"
        ):
            await render_storyboard(runtime, job.id, RenderBody())


async def test_a_narration_is_translated_once_for_all_outputs_of_a_language(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2))
    outputs = [{}, {"language": "de"}, {"language": "de", "aspect_ratio": "9:16"}]
    async with LlmStandin(script=["prose", "good"]) as llm, httpx.AsyncClient() as client:
        parts: dict[str, Any] = {"providers": (footage,), "engines": (voices(),), "translator": translator(llm, client)}
        async with shop(tmp_path / "data", **parts) as runtime:
            found = result(await make(runtime, scenes=SCENES, transitions="cut", outputs=outputs))
            assert len(llm.requests) == 2, "asked once, and once more to mend a bad answer"
            asked = llm.asked()
            assert (asked["from"], asked["to"]) == ("en", "de")
            assert [scene["narration"] for scene in asked["scenes"]] == list(TEXTS)
            assert "de The sea." in " ".join((await text(runtime, found, "srt:16x9-de")).split())
            assert "de " not in await text(runtime, found, "srt")
            count = await finished_steps(runtime)
            assert count["translate"] == 1 and count["speech"] == 4


async def test_without_a_translation_there_is_no_video_in_the_wrong_language(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2))
    async with LlmStandin(script=["refusal"]) as llm, httpx.AsyncClient() as client:
        parts: dict[str, Any] = {"providers": (footage,), "engines": (voices(),), "translator": translator(llm, client)}
        async with shop(tmp_path / "data", **parts) as runtime:
            job = await make(runtime, scenes=SCENES, outputs=[{}, {"language": "de"}])
            assert job.state == "failed" and job.error is not None
            assert job.error.code == "provider_garbage" and job.error.detail.startswith("translating into de: ")


async def test_a_restart_in_the_middle_of_the_second_video_makes_only_what_is_missing(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 2))
    parts: dict[str, Any] = {"providers": (footage,)}
    body = {"scenes": SCENES, "transitions": "cut", "outputs": [{}, {"aspect_ratio": "9:16"}]}
    async with shop(tmp_path / "data", **parts) as runtime:
        job_id = await runtime.submit_generate(GenerateBody.model_validate(body))
        async with asyncio.timeout(60):
            while (await finished_steps(runtime))["check"] < 1:
                await asyncio.sleep(0.01)
        before = await finished_steps(runtime)
    async with shop(tmp_path / "data", **parts) as runtime:
        found, count = result(await finished(runtime, job_id)), await finished_steps(runtime)
        assert (count["segment"], count["join"]) == (4, 2) and before["segment"] < 4
        assert found.report["steps"]["reused"] >= before["segment"] + before["join"]
        assert "video:9x16" in found.files


async def test_what_was_substituted_says_in_which_video(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 1))
    outputs = [{"name": "first"}, {"name": "other", "voice": "af_bella"}]
    async with shop(tmp_path / "data", providers=(footage,), engines=(voices(),)) as runtime:
        body = {"scenes": SCENES, "outputs": outputs, "captions": False, "transitions": "cut", "review": True}
        waiting = await make(runtime, **body)
        assert waiting.state == "awaiting_review" and not (await finished_steps(runtime))["segment"]
        await render_storyboard(runtime, waiting.id, RenderBody())
        runtime.worker.wake()
        found = result(await finished(runtime, waiting.id))
        told = Counter((entry.stage, entry.output) for entry in found.degraded)
        assert told["narrating", "other"] == 1 and not told["narrating", "first"] and not told["narrating", None]
        assert told["retrieving", None] == 1, "the one clip there is, shown again in both"
