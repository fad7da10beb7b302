"""Whole jobs with the user's own voice-over, through the real store, steps and ffmpeg; the recogniser is a fake."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from workshop import clips, encodes, fake_footage, finished, finished_steps, make, result, workshop

from vidgend.errors import FeatureUnavailable, UploadInUse
from vidgend.http.edit_wire import PatchBody, RenderBody
from vidgend.http.own_media import EditMedia
from vidgend.http.problems import InvalidFields
from vidgend.http.revise import edit_storyboard, render_storyboard
from vidgend.models import Storyboard, Word
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech import sound
from vidgend.pipeline.transcriber.fake import FakeTranscriber
from vidgend.runtime import Runtime
from vidgend.timebase import SAMPLE_RATE_HZ

SENTENCES = [
    "The sea outside the harbour is wonderfully calm tonight.",
    "A battered wooden boat comes slowly back into the harbour.",
    "Hungry gulls are following it all the way to the shore.",
]
TEXT = " ".join(SENTENCES)
WORD_S, LENGTH_S = 0.2, 13.0
STARTS_S = [
    round(begin_s + at * 0.3, 1)
    for begin_s, sentence in zip((1.0, 4.5, 8.3), SENTENCES, strict=True)
    for at in range(len(sentence.split()))
]
LAST_OF = [8, 18]
"""The last words of the first two sentences."""
FIRST_S = 0.7
"""Where the speech of a video begins."""
BEFORE_S = 0.15
"""What is left of the silence before the first word."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A beep for each word, three sentences with pauses between them, silence around."""
    samples = np.zeros(round(LENGTH_S * SAMPLE_RATE_HZ), np.float32)
    for start_s in STARTS_S:
        first = round(start_s * SAMPLE_RATE_HZ)
        time_s = np.arange(round(WORD_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        samples[first : first + len(time_s)] = 0.3 * np.sin(2 * np.pi * 440 * time_s)
    path = tmp_path_factory.mktemp("recording") / "my talk.wav"
    sound.write_wav(path, samples, SAMPLE_RATE_HZ)
    return path


@pytest.fixture
def hears() -> FakeTranscriber:
    """One that hears the beeps, a little late, and knows what they say."""
    times = zip(TEXT.split(), STARTS_S, strict=True)
    return FakeTranscriber([Word(text=word, start_s=at + 0.03, end_s=at + WORD_S + 0.08) for word, at in times])


async def give(runtime: Runtime, path: Path) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield path.read_bytes()

    return (await runtime.intake.take(pieces(), name=path.name, owner=""))[0].digest


async def board(runtime: Runtime, job_id: str) -> Storyboard:
    found = await runtime.storyboards.get(job_id)
    assert found is not None
    return found.storyboard


def beeps_s(samples: np.ndarray) -> list[float]:
    """Where the beeps begin."""
    loud = np.abs(samples) > 0.1 * np.abs(samples).max()
    places = np.flatnonzero(loud)
    first = np.concatenate([[True], np.diff(places) > 0.05 * SAMPLE_RATE_HZ])
    return [float(at) for at in places[first] / SAMPLE_RATE_HZ]


async def test_a_recording_is_heard_as_it_was_spoken_and_cut_in_its_pauses(
    ffmpeg: Ffmpeg, tmp_path: Path, recording: Path, hears: FakeTranscriber
) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 3))
    async with workshop(tmp_path / "data", providers=(footage,), transcriber=hears) as runtime:
        asset = await give(runtime, recording)
        body: dict[str, Any] = {
            "narration_audio": {"asset": asset, "keep_background": False}, "fps": "30000/1001", "music": "none",
            "transitions": "dissolve", "duration_target": 90,
        }  # fmt: skip
        job = await make(runtime, **body)
        made = result(job)
        video = await runtime.assets.local(made.files["video"].digest)
        wanted = [at - STARTS_S[0] + FIRST_S + BEFORE_S for at in STARTS_S]
        assert beeps_s(media.pcm(ffmpeg.path, video)) == pytest.approx(wanted, abs=0.004), "its own pace, to the end"
        words = json.loads((await runtime.assets.local(made.files["words"].digest)).read_bytes())
        assert [one["word"] for one in words["words"]] == TEXT.split() and words["language"] == "en"
        assert [one["start"] for one in words["words"]] == pytest.approx(wanted, abs=0.05)
        shown = await board(runtime, job.id)
        assert [scene.narration for scene in shown.scenes] == SENTENCES
        cuts_s = [float((scene.start_frame or 0) / job.brief.frame_rate) for scene in shown.scenes[1:]]
        pauses_s = [(wanted[at] + WORD_S + wanted[at + 1]) / 2 for at in LAST_OF]
        assert cuts_s == pytest.approx(pauses_s, abs=0.02), "in the middle of the pause, to the frame"
        assert all(scene.queries for scene in shown.scenes) and "boat" in " ".join(shown.scenes[1].queries)
        report = made.report
        assert (report["words_source"], report["voice"]) == (["whisper"], ["recording my talk"])
        assert report["passed"] and made.duration_s == pytest.approx(wanted[-1] + WORD_S + 0.3 + 1.6, abs=0.1)
        assert [(one.stage, one.wanted) for one in made.degraded] == [("planning", "the duration_target")]

        again = result(await make(runtime, **body))
        assert again.files["video"].digest == made.files["video"].digest and again.report["steps"]["run"] == 0
        assert hears.requests == [None], "the same file is listened to once"


async def test_a_script_gives_the_spelling_and_a_changed_text_is_spoken_by_the_voice(
    ffmpeg: Ffmpeg, tmp_path: Path, recording: Path, hears: FakeTranscriber
) -> None:
    video = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=25:duration={LENGTH_S}", "-i", str(recording), "-c:v",
         "libx264", "-preset", "ultrafast", "-c:a", "flac", "-strict", "-2", "-f", "matroska"],
        tmp_path / "talk.mkv",
    )  # fmt: skip
    script = TEXT.replace("sea", "SEA").replace("harbour", "harbor").replace("wooden boat", "wooden - boat")
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 3))
    async with workshop(tmp_path / "data", providers=(footage,), transcriber=hears) as runtime:
        asset = await give(runtime, video)
        waiting = await make(
            runtime, narration_audio=asset, script=script, language="en-GB", review=True, music="none",
            captions=False, quality="draft",
        )  # fmt: skip
        assert waiting.state == "awaiting_review", waiting.error
        shown = await board(runtime, waiting.id)
        assert " ".join(scene.narration for scene in shown.scenes) == " ".join(script.split())
        with pytest.raises(UploadInUse):
            await runtime.uploads.remove(asset, owner="")

        await render_storyboard(runtime, waiting.id, RenderBody())
        runtime.worker.wake()
        first = result(await finished(runtime, waiting.id))
        assert first.report["voice"] == ["recording talk"]
        assert hears.requests == ["en"], "once for the storyboard and its video"
        before = await encodes(runtime)
        patch = PatchBody.model_validate({"scenes": [{"index": 1, "narration": "Quiet."}]})
        await edit_storyboard(runtime, waiting.id, patch, if_match=None, media=EditMedia())
        # What was made of the recording may have to be made again.
        (row,) = await runtime.database.read("SELECT output FROM steps WHERE kind = 'recording'")
        (await runtime.assets.local(json.loads(row[0])["digest"])).unlink()
        accepted = await render_storyboard(runtime, waiting.id, RenderBody())
        assert [(one.kind, one.scene) for one in accepted.reuse.rebuilt] == [("scene", 1), ("transition", 1)]
        runtime.worker.wake()
        made = result(await finished(runtime, waiting.id))
        assert (await encodes(runtime)) - before == {"segment": 1, "transition": 1}, "as was foretold"
        told = [(one.scene, one.wanted, one.used) for one in made.degraded if one.stage == "narrating"]
        assert told == [(1, "the voice-over", "fake fake_a")]
        assert made.report["voice"] == ["fake fake_a", "recording talk"] and made.report["passed"]
        path = await runtime.assets.local(made.files["video"].digest)
        assert len([at for at in beeps_s(media.pcm(ffmpeg.path, path)) if at > 1.5]) == len(STARTS_S) - 9, (
            "the rest as it was recorded"
        )


async def test_without_a_recogniser_a_script_is_laid_over_the_whole_recording(
    ffmpeg: Ffmpeg, tmp_path: Path, recording: Path
) -> None:
    footage = fake_footage(clips(ffmpeg.path, tmp_path / "clips", 3))
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        asset = await give(runtime, recording)
        with pytest.raises(FeatureUnavailable, match="no recogniser here") as refused:
            await make(runtime, narration_audio=asset)
        assert "script" in refused.value.hint
        scenes = [{"narration": text, "query": "sea"} for text in SENTENCES]
        job = await make(runtime, narration_audio=asset, scenes=scenes, review=True)
        assert job.state == "awaiting_review", job.error
        shown = await board(runtime, job.id)
        assert [scene.words.source for scene in shown.scenes if scene.words] == ["proportional"] * 3
        starts_s = [float((scene.start_frame or 0) / job.brief.frame_rate) for scene in shown.scenes[1:]]
        pauses_s = [(STARTS_S[at] + WORD_S + STARTS_S[at + 1]) / 2 for at in LAST_OF]
        offset_s = FIRST_S + BEFORE_S - STARTS_S[0]
        assert starts_s == pytest.approx([at + offset_s for at in pauses_s], abs=0.02)
        (told,) = [one for one in shown.degraded if one.stage == "planning"]
        assert (told.wanted, told.used, told.reason) == ("whisper", "proportional", "there is no recogniser here")


@pytest.mark.parametrize(
    ("level", "hears", "detail"),
    [
        (0.0, FakeTranscriber([Word(text="you", start_s=0, end_s=1)]), "the recording is silent"),
        (0.3, FakeTranscriber([Word(text="...", start_s=0, end_s=1)]), "hears no words"),
        (0.3, FakeTranscriber(fail="out of memory"), "out of memory"),
    ],
)
async def test_a_recording_without_words_fails_clearly(
    tmp_path: Path, level: float, hears: FakeTranscriber, detail: str
) -> None:
    async with workshop(tmp_path / "data", providers=(), transcriber=hears) as runtime:
        asset = await give(runtime, media.tone(tmp_path / "tone.wav", seconds=2, level=level))
        job = await make(runtime, narration_audio=asset)
        assert job.state == "failed" and job.error is not None and detail in job.error.detail
        assert job.error.code == ("step_failed" if "memory" in detail else "nothing_said")
        assert (await finished_steps(runtime))["plan"] == 0


async def test_who_gives_the_text_need_not_be_heard(tmp_path: Path, recording: Path) -> None:
    async with workshop(tmp_path / "data", providers=(), transcriber=FakeTranscriber()) as runtime:
        job = await make(runtime, narration_audio=await give(runtime, recording), script=TEXT)
        shown = await board(runtime, job.id)
        assert [scene.words.source for scene in shown.scenes if scene.words] == ["proportional"] * 3
        (told,) = shown.degraded
        assert (told.wanted, told.used) == ("fake", "proportional") and "hears no words" in told.reason


async def test_who_hears_english_only_writes_it_down_once(
    tmp_path: Path, recording: Path, hears: FakeTranscriber
) -> None:
    hears.languages = ("en",)
    async with workshop(tmp_path / "data", providers=(), transcriber=hears) as runtime:
        asset = await give(runtime, recording)
        for language in (None, "en", "en-GB"):
            job = await make(runtime, narration_audio=asset, language=language)
            assert (await board(runtime, job.id)).language == (language or "en")
    assert hears.requests == ["en"]


async def test_whether_a_video_speaks_is_found_out_when_it_is_uploaded(
    ffmpeg: Ffmpeg, tmp_path: Path, recording: Path, hears: FakeTranscriber
) -> None:
    mute = media.clip(ffmpeg.path, tmp_path / "mute.mp4", seconds=1)
    talk = media.clip(ffmpeg.path, tmp_path / "talk.mp4", seconds=15, extra=("-an",))
    args = ["-i", str(talk), "-i", str(recording), "-c:v", "copy", "-c:a", "aac"]
    talk = media.make(ffmpeg.path, args, tmp_path / "both.mp4")
    async with workshop(tmp_path / "data", providers=(), transcriber=hears) as runtime:
        spoken = await runtime.uploads.find([await give(runtime, talk)], owner="")
        (upload,) = spoken.values()
        assert upload.sound_s == pytest.approx(LENGTH_S, abs=0.1) and upload.duration_s == pytest.approx(15)
        assert upload.clip().duration_s == upload.duration_s
        silent = await give(runtime, mute)
        with pytest.raises(InvalidFields) as refused:
            await make(runtime, narration_audio=silent)
        assert refused.value.errors[0]["detail"] == "'mute.mp4': there is no readable sound in the file"
        # One that was uploaded before that was looked for.
        await runtime.database.write(
            lambda connection: connection.execute("UPDATE uploads SET facts = json_remove(facts, '$.sound_s')")
        )
        job = await make(runtime, narration_audio=silent)
        assert job.state == "failed" and job.error is not None
        assert job.error.detail == "the voice-over 'mute': there is no readable sound in the file"
        job = await make(runtime, narration_audio=upload.digest)
        assert [scene.narration for scene in (await board(runtime, job.id)).scenes] == SENTENCES


async def test_a_recording_that_is_gone_is_asked_for_again(
    tmp_path: Path, recording: Path, hears: FakeTranscriber
) -> None:
    async with workshop(tmp_path / "data", providers=(), transcriber=hears) as runtime:
        asset = await give(runtime, recording)
        (await runtime.assets.local(asset)).unlink()
        job = await make(runtime, narration_audio=asset)
        assert job.state == "failed" and job.error is not None and job.error.code == "upload_lost"
        assert "my talk" in job.error.detail
