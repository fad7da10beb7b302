"""The sound of a video, measured in what was encoded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from studio import Studio, open_studio

sys.path.insert(0, str(Path(__file__).parent / "music"))
from ready_database import ready
from tunes import levels_db, tune, write_wav

from vidgend.models import Brief, Clip, Credit, MusicOptions, Scene, Speech
from vidgend.pipeline import video_to_report
from vidgend.pipeline.executor.local import LocalExecutor
from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool
from vidgend.pipeline.mood_to_tracks import TRACK, TrackStep
from vidgend.pipeline.music.fake import FakeMusic
from vidgend.pipeline.music.folder import FolderMusic
from vidgend.pipeline.music.port import MusicLibrary
from vidgend.pipeline.peak_memory import PeakMemory, tree_bytes
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.sound_args import LOUDNESS_LUFS, TRUE_PEAK_DB, mix_args
from vidgend.pipeline.speech_and_music_to_sound import KIND, Sound, SoundStep, make_sound
from vidgend.pipeline.timeline import speech_start_sample
from vidgend.pipeline.track_to_parts import KIND as PARTS
from vidgend.pipeline.track_to_parts import PartsStep
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.assets.store import AssetStore
from vidgend.store.database import Database
from vidgend.store.steps import StepStore
from vidgend.timebase import SAMPLE_RATE_HZ as HZ

LONG = os.environ.get("LONG_TESTS") == "1"


@pytest.fixture
async def studio(ffmpeg: Ffmpeg, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(ffmpeg, tmp_path) as opened:
        yield opened


def words(seconds: float, *, hertz: float = 300.0, level: float = 0.2, seed: int = 0) -> np.ndarray:
    """Something with the ups and downs of speech, that begins at once."""
    at = np.arange(round(seconds * HZ)) / HZ
    voiced = np.sign(np.sin(2 * np.pi * hertz * at)) + np.random.default_rng(seed).standard_normal(len(at)) * 0.3
    return (voiced * level * (0.25 + np.square(np.sin(np.pi * (3.1 * at + 0.3))))).astype(np.float32)


async def spoken(studio: Studio, at_sample: int, sound: np.ndarray, *, voice: str = "a") -> dict[str, Any]:
    path = write_wav(studio.work.parent / f"said-{at_sample}.wav", sound)
    return {"digest": await studio.assets.put(path), "at_sample": at_sample, "voice": voice}


async def laid(studio: Studio, sound: np.ndarray, seconds: float, *, gain_db: float = 0.0) -> dict[str, Any]:
    """Music that is one piece."""
    digest = await studio.assets.put(write_wav(studio.work.parent / "music.wav", sound))
    piece = {"track": 0, "start": 0, "samples": round(seconds * HZ), "at": 0, "fade": 0}
    return {"tracks": [{"digest": digest, "gain_db": gain_db}], "pieces": [piece]}


async def heard(studio: Studio, output: dict[str, Any]) -> np.ndarray:
    return media.pcm(studio.ffmpeg.path, await studio.assets.local(output["digest"]))


def check_level(output: dict[str, Any]) -> None:
    assert abs(output["measure"]["loudness_lufs"] - LOUDNESS_LUFS) <= 0.5
    assert output["measure"]["true_peak_db"] <= TRUE_PEAK_DB


# --- the timeline ----------------------------------------------------------------------------------------------------


async def test_the_finished_sound_is_copied_into_the_video_and_not_encoded_again(
    studio: Studio, tmp_path: Path
) -> None:
    source = media.clip(studio.ffmpeg.path, tmp_path / "clip", seconds=1.0, size="160x90")
    segment = await studio.segment(source, 30, encoding=studio.encoding("30", 160, 90))
    speech = [await spoken(studio, 2_000, words(0.5))]
    alone = await heard(studio, await studio.sound(HZ, speech=speech))
    assert np.array_equal(alone, media.pcm(studio.ffmpeg.path, await studio.join([segment], speech=speech)))


async def test_the_check_takes_what_was_measured_of_the_sound_only_for_that_sound(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = media.clip(studio.ffmpeg.path, tmp_path / "clip", seconds=4.0, size="160x90")
    segment = await studio.segment(source, 110, encoding=studio.encoding("30", 160, 90))
    speech = [await spoken(studio, 2_000, words(0.5))]
    measure = (await studio.sound(110 * HZ // 30, speech=speech))["measure"]
    video = await studio.assets.put(shutil.copyfile(await studio.join([segment], speech=speech), tmp_path / "video"))
    anew = await studio.look(video, sound={**measure, "packets": "of another", "loudness_lufs": -3.0})
    assert len(anew["silent"]) == 1 and anew["silent"] == measure["silent"]
    assert anew["loudness_lufs"] == measure["loudness_lufs"]

    async def never(*_: object) -> None:
        raise AssertionError("it is measured a second time")

    monkeypatch.setattr(video_to_report, "measure_sound", never)
    assert await studio.look(video, sound=measure) == anew


# --- levels ----------------------------------------------------------------------------------------------------------


async def test_voice_and_music_music_alone_and_a_video_of_one_second_reach_their_loudness(studio: Studio) -> None:
    tune_4s = await laid(studio, tune(5, level=0.05), 4.0)
    said = await spoken(studio, HZ // 2, words(2.5))
    short = [await spoken(studio, 5_000, words(0.7, level=0.04))]
    for output in (
        await studio.sound(4 * HZ, speech=[said], music=tune_4s),
        await studio.sound(4 * HZ, music=tune_4s),
        await studio.sound(HZ, speech=short),
    ):
        check_level(output)


async def test_sound_that_is_all_peaks_does_not_clip(studio: Studio) -> None:
    """AAC overshoots most on clicks; no limiter makes them as loud as the rest."""
    clicks = np.zeros(3 * HZ, np.float32)
    chance = np.random.default_rng(1)
    for start in range(1000, len(clicks) - 500, HZ // 12):
        clicks[start : start + 400] = chance.standard_normal(400) * np.exp(-np.arange(400) / 60) * 0.4
    output = await studio.sound(3 * HZ, speech=[await spoken(studio, 0, clicks)])
    assert output["measure"]["true_peak_db"] <= TRUE_PEAK_DB
    assert -30 < output["measure"]["loudness_lufs"] < LOUDNESS_LUFS


async def test_what_is_nearly_silent_is_not_made_into_noise(studio: Studio) -> None:
    hum = await laid(studio, tune(3, bpm=None, level=0.003), 2.0)
    output = await studio.sound(2 * HZ, music=hum)
    assert -45 < output["measure"]["loudness_lufs"] < LOUDNESS_LUFS - 1  # the report tells it


async def test_a_video_without_any_sound_has_a_silent_track_of_its_length(studio: Studio) -> None:
    output = await studio.sound(HZ + 7)
    sound = await heard(studio, output)
    assert len(sound) == HZ + 7 and not sound.any()
    assert output["measure"]["loudness_lufs"] is None


async def test_two_voices_are_equally_loud_however_their_engines_speak(studio: Studio) -> None:
    loud = await spoken(studio, 10_000, words(1.5, level=0.5), voice="loud")
    soft = await spoken(studio, 100_000, words(1.5, level=0.05), voice="soft")
    output = await studio.sound(4 * HZ, speech=[loud, soft])
    check_level(output)
    levels = levels_db(await heard(studio, output), 1.0, 0.1)
    assert abs(levels[: len(levels) // 2].max() - levels[len(levels) // 2 :].max()) < 1.5


# --- voice and music -------------------------------------------------------------------------------------------------


async def test_music_gives_way_before_the_first_word_comes_back_slowly_and_fades_at_the_end(studio: Studio) -> None:
    at = np.arange(10 * HZ) / HZ
    music = await laid(studio, (np.sin(2 * np.pi * 220 * at) * 0.2).astype(np.float32), 9.0)
    said = await spoken(studio, 2 * HZ, words(3.0, hertz=1500.0))
    sound = await heard(studio, await studio.sound(9 * HZ, speech=[said], music=music))

    def level_db(start_s: float, end_s: float) -> float:
        """Of the music alone."""
        part = sound[round(start_s * HZ) : round(end_s * HZ)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        near = np.abs(np.fft.rfftfreq(len(part), 1 / HZ) - 220) < 20
        return float(20 * np.log10(np.sqrt((spectrum[near] ** 2).sum()) / len(part) + 1e-12))

    free = level_db(1.0, 1.7)
    assert level_db(1.93, 2.0) < free - 3
    assert -14 < level_db(2.5, 4.5) - free < -7
    assert level_db(5.05, 5.25) < free - 4  # a breath does not bring it back
    assert abs(level_db(6.8, 7.4) - free) < 1
    assert level_db(8.85, 9.0) < free - 12
    assert level_db(0.0, 0.1) < free - 6


async def test_music_is_ten_units_below_the_voice_while_nobody_speaks(studio: Studio) -> None:
    """A track at the level to which all tracks are brought: -23 LUFS."""
    music = await laid(studio, tune(5, bpm=None, level=0.1), 5.0, gain_db=-3.0)
    said = await spoken(studio, 2 * HZ, words(2.5))
    levels = levels_db(await heard(studio, await studio.sound(5 * HZ, speech=[said], music=music)), 0.4, 0.1)
    assert 7 < levels.max() - levels[8:14].mean() < 13


def test_three_hundred_scenes_open_no_more_files_than_three() -> None:
    args = mix_args((0.0,), samples=1800 * HZ, bed_gain_db=-10.0, ducking=True)
    assert args.count("-i") == 2


@pytest.mark.skipif(not LONG, reason="a minute; LONG_TESTS=1 runs it")
async def test_three_hundred_scenes_and_ten_minutes_of_music_take_little_memory(studio: Studio) -> None:
    said = await spoken(studio, 0, words(1.2))
    speech = [{**said, "at_sample": number * 2 * HZ + HZ // 2} for number in range(300)]
    music = await laid(studio, tune(60), 60.0)
    music["pieces"] = [{**music["pieces"][0], "at": number * 60 * HZ} for number in range(10)]
    before = tree_bytes(os.getpid())
    async with PeakMemory(0.2) as memory:
        output = await studio.sound(600 * HZ, speech=speech, music=music)
    check_level(output)
    assert before is not None and memory.peak_bytes is not None
    assert memory.peak_bytes - before < 200_000_000
    assert len(await heard(studio, output)) == 600 * HZ


# --- which music -----------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """A job that has come to its sound."""

    assets: AssetStore
    database: Database
    executor: LocalExecutor
    run: JobRun
    music: MusicLibrary
    seen: list[dict[str, Any]]
    """The arguments of the sound steps that ran."""

    async def sound(self, seconds: float = 3.0, **brief: Any) -> Sound:
        """Of one scene without words."""
        scene = Scene(index=0, narration="", queries=("x",), frames=round(seconds * 30))
        return await make_sound(self.run, Brief(prompt="p", **brief), [scene], music=self.music, mood="calm")


@asynccontextmanager
async def open_desk(folder: Path, music: MusicLibrary) -> AsyncIterator[Desk]:
    async def nothing(*_: Any) -> None:
        return None

    database = await Database.open(ready(folder / "desk.db"))
    assets = await open_filesystem_assets(database, folder / "desk-assets")
    seen: list[dict[str, Any]] = []
    tool = FfmpegTool()

    async def sound(args: dict[str, Any], run: Any) -> Any:
        seen.append(args)
        return await SoundStep(tool, assets)(args, run)

    executor = LocalExecutor(
        slots={"io": 4, "ffmpeg": 1},
        registry={TRACK: TrackStep(music, assets), PARTS: PartsStep(tool, assets), KIND: sound},
        steps=StepStore(database, assets, boot_id="test"), work=folder / "desk-work",
    )  # fmt: skip
    run = JobRun(executor, job_id="", salt="", announce=nothing, note=nothing, progress=Progress())
    try:
        yield Desk(assets=assets, database=database, executor=executor, run=run, music=music, seen=seen)
    finally:
        await executor.aclose()
        await assets.aclose()
        await database.close()


async def test_a_long_video_goes_on_with_other_tracks_of_its_mood_brought_to_one_loudness(tmp_path: Path) -> None:
    for number, level in enumerate((0.02, 0.2, 0.1)):
        write_wav(tmp_path / f"calm {number}.wav", tune(8, level=level, bpm=None, seed=number, rate=16_000), 16_000)
    async with open_desk(tmp_path, FolderMusic(tmp_path)) as desk:
        made = await desk.sound(10.0)
        assert made.music is not None
        titles = [track["title"] for track in made.music["tracks"]]
        assert len(set(titles)) == 2  # not all three: two are long enough
        assert made.music["title"] == titles[0]
        assert [piece["track"] for piece in desk.seen[0]["music"]["pieces"]] == [0, 1]
        assert await desk.database.read("SELECT count(*) FROM steps WHERE kind = 'track'", ()) == [(2,)]
        assert not desk.run.substitutions
        sound = media.pcm((await FfmpegTool().get()).path, await desk.assets.local(made.digest))
        assert np.ptp(levels_db(sound, 1.0)[30:130]) < 2.0  # without the fades at both ends


async def test_a_track_that_cannot_be_read_is_replaced_and_told(tmp_path: Path) -> None:
    good = tmp_path / "calm b.wav"
    write_wav(good, tune(5))
    (tmp_path / "calm a.wav").write_bytes(good.read_bytes()[:44] + b"\0" * 100)
    music = FolderMusic(tmp_path)
    seed = next(seed for seed in range(99) if music.tracks("calm", seed=seed)[0].title == "calm a")
    async with open_desk(tmp_path, music) as desk:
        made = await desk.sound(1.0, seed=seed)
        assert made.music is not None and made.music["title"] == "calm b"
        assert [entry.wanted for entry in desk.run.substitutions] == ["the track calm a"]


async def test_without_a_readable_track_there_is_silence_and_a_reason(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FakeMusic()) as desk:
        assert (await desk.sound(1.0)).music is None
        assert [(entry.used, entry.stage) for entry in desk.run.substitutions] == [("no music", "publishing")]


async def test_own_music_is_played_and_no_library_is_asked(tmp_path: Path) -> None:
    library = FakeMusic()
    async with open_desk(tmp_path, library) as desk:
        digest = await desk.assets.put(write_wav(tmp_path / "own.wav", tune(3)))
        made = await desk.sound(5.0, music=MusicOptions(asset=digest, title="Our jingle"))
        assert made.music == {
            "title": "Our jingle", "mood": "", "licence": "", "tracks": [{"title": "Our jingle", "licence": ""}],
        }  # fmt: skip
        assert {track["digest"] for track in desk.seen[0]["music"]["tracks"]} == {digest}
        assert library.asked == []
        silent = await desk.assets.put(write_wav(tmp_path / "silent.wav", np.zeros(3 * HZ)))
        assert (await desk.sound(1.0, music=MusicOptions(asset=silent))).music is None
        assert [entry.reason for entry in desk.run.substitutions] == ["the music is silent"]


async def test_the_sound_is_found_done_when_only_the_picture_or_the_captions_change(tmp_path: Path) -> None:
    write_wav(tmp_path / "calm.wav", tune(4))
    async with open_desk(tmp_path, FolderMusic(tmp_path)) as desk:
        said = await desk.assets.put(write_wav(tmp_path / "said.wav", words(1.0)))
        scene = Scene(
            index=0, narration="Hello", queries=("x",), frames=60,
            speech=Speech(digest=said, samples=HZ, engine="e", voice="v"),
        )  # fmt: skip
        other = replace(
            scene, queries=("y",),
            clip=Clip(provider="p", id="1", kind="video", description="", query="y", credit=Credit(provider="p")),
        )  # fmt: skip
        brief = Brief(prompt="p")
        made = [
            await make_sound(desk.run, one, [shown], music=desk.music, mood="calm")
            for one, shown in ((brief, scene), (replace(brief, width_px=64, style="noir"), other))
        ]
        assert made[0] == made[1] and len(desk.seen) == 1
        assert desk.seen[0]["speech"][0]["at_sample"] == speech_start_sample(0, 0, brief.frame_rate)
