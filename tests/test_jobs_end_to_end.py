"""Whole jobs through the real store, steps and ffmpeg."""

import asyncio
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import pytest
from workshop import candidate, clips, encodes, fake_footage, finished, make, result, settings_for, workshop

from vidgend.errors import ProviderRateLimited, ProviderUnauthorized, StorageFull, UnknownVoice
from vidgend.http.wire import GenerateBody, PrefetchBody
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.footage.generated import GeneratedFootage
from vidgend.pipeline.footage.offline import OfflineFootage
from vidgend.pipeline.planner.fake import FakePlanner
from vidgend.pipeline.probe import packets
from vidgend.pipeline.speech.fake import FakeSpeech
from vidgend.store.retention import Rules, collect
from vidgend.worker import worker

SCRIPT = "The sea is calm today. A boat comes in from the bay. Gulls follow it all the way to the harbour wall."


async def test_a_script_becomes_a_video_with_its_own_words(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    music = media.tone(tmp_path / "music.wav", seconds=2)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), music=music) as runtime:
        job = await make(runtime, script=SCRIPT)
        made = result(job)
        video = await runtime.assets.local(made.files["video"].digest)
        tracks = await packets(ffmpeg, video)
        assert tracks["video"].packets == made.report["frames"]
        assert abs(tracks["video"].duration_s - tracks["audio"].duration_s) * 30 < 1
        assert (tracks["video"].width_px, tracks["video"].height_px) == (320, 180)
        assert abs(made.report["loudness_lufs"] - -14) < 0.7
        srt = (await runtime.assets.local(made.files["srt"].digest)).read_text()
        said = " ".join(line for line in srt.splitlines() if line and "-->" not in line and not line.isdigit())
        assert said == SCRIPT
        assert made.report["words_source"] == ["engine"]
        assert made.degraded == ()
        assert {credit.author for credit in made.credits} == {"Ada", "tone"}
        found = await runtime.storyboards.being_made(job.id)
        assert found is not None
        shown = [scene.clip.id for scene in found[1].scenes if scene.clip]
        assert len(shown) == len(set(shown)) == len(found[1].scenes)
        left = {path.name for path in (tmp_path / "data" / "work").rglob("*")}
        assert left <= {"ends"}, "only the place for the ends of shots stays, with nothing in it"


async def test_a_second_identical_job_does_no_work_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 12)
    speech = FakeSpeech()
    script = f"{SCRIPT} {SCRIPT} {SCRIPT}"  # more scenes than are encoded at once
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=(speech,)) as runtime:
        first = result(await make(runtime, script=script))
        spoken = speech.requests
        second = result(await make(runtime, script=script))
        assert second.files["video"].digest == first.files["video"].digest
        assert speech.requests == spoken
        assert second.report["steps"]["run"] == 0 and second.report["steps"]["reused"] > 5
        assert first.report["passed"] and second.report["passed"]
        assert first.report["encodes_per_frame"] == 1.0 and second.report["encodes_per_frame"] == 0.0
        assert first.report["video_generations"] == second.report["video_generations"] == 1
        assert first.report["real_time_factor"] == pytest.approx(first.report["wall_s"] / first.duration_s, abs=0.01)
        assert first.report["stage_s"]["rendering"] > 0 and first.report["slot_wait_s"]["ffmpeg"] > 0
        assert sys.platform != "linux" or 30e6 < first.report["peak_memory_bytes"] < 8e9


async def test_without_the_cache_every_job_does_its_own_work(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    settings = settings_for(tmp_path / "data", ASSET_CACHE_ENABLED="false")
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        first, second = [
            result(await make(runtime, prompt="The calm sea", duration_target=4)).report["steps"] for _ in range(2)
        ]
        assert first["run"] == second["run"] > 5


TEXTS = ("The sea is calm.", "A boat comes in.", "Gulls follow.", "Night falls.", "All is still.")


@pytest.mark.parametrize(("changed", "neighbours"), [(0, 1), (2, 2), (4, 1)])
async def test_changing_one_scene_encodes_that_scene_and_its_transitions(
    ffmpeg: Ffmpeg, tmp_path: Path, changed: int, neighbours: int
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 5)
    scenes = [{"narration": text, "query": "sea"} for text in TEXTS]
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        result(await make(runtime, scenes=scenes, transitions="dissolve"))
        first = await encodes(runtime)
        assert first == {"segment": 5, "transition": 4}
        scenes[changed] = {**scenes[changed], "narration": "A ship comes in slowly, very slowly."}
        again = result(await make(runtime, scenes=scenes, transitions="dissolve"))
        assert await encodes(runtime) - first == {"segment": 1, "transition": neighbours}
        # plan, speech, narration, words, the encodes, and join, thumbnail and check of the new whole
        assert again.report["steps"]["run"] <= 8 + neighbours


@pytest.mark.parametrize("kind", ["cut", "fade", "slide"])
async def test_transitions_change_neither_length_nor_words(ffmpeg: Ffmpeg, tmp_path: Path, kind: str) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    scenes = [{"narration": text, "query": "sea"} for text in TEXTS[:3]]
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        plain = result(await make(runtime, scenes=scenes, transitions="cut"))
        made = result(await make(runtime, scenes=scenes, transitions={"kind": kind, "duration": 0.3}))
        assert made.report["frames"] == plain.report["frames"]
        assert made.files["words"].digest == plain.files["words"].digest
        assert made.files["srt"].digest == plain.files["srt"].digest
        assert made.report["transitions"] == {"kind": kind, "frames": [] if kind == "cut" else [9, 9]}


async def test_a_transition_that_was_asked_for_too_long_is_shortened_and_that_is_said(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    scenes = [{"narration": text, "query": "sea"} for text in ("Sea.", "Sky.")]
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=scenes, transitions={"kind": "wipe", "duration": 2.0})
        (frames,) = result(job).report["transitions"]["frames"]
        assert 4 <= frames < 60
        lines = [line for _, line in await runtime.jobs.logs(job.id)]
        assert any(f"transition 1 is shortened to {frames} frames" in line for line in lines)


async def test_transitions_survive_a_clip_that_is_replaced_while_they_are_made(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3, seconds=6.0)
    cut = media.make(
        ffmpeg.path, ["-i", str(files["clip0"]), "-c", "copy", "-movflags", "+faststart", "-f", "mp4"], tmp_path / "c"
    )
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    scenes = [{"narration": text, "query": "sea", "duration": 4} for text in TEXTS[:2]]
    async with workshop(tmp_path / "data", providers=(fake_footage({"cut": cut, **files}),)) as runtime:
        made = result(await make(runtime, scenes=scenes, transitions="dissolve"))
        assert any("cut" in entry.reason for entry in made.degraded)
        video = await runtime.assets.local(made.files["video"].digest)
        assert (await packets(ffmpeg, video))["video"].packets == made.report["frames"]
        assert (await encodes(runtime))["segment"] == 2


async def test_a_short_idea_is_carried_to_its_length_by_pictures(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 8)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        made = result(await make(runtime, prompt="A calm sea at dawn", duration_target=14))
        assert made.report["frames"] == 14 * 30


@pytest.mark.parametrize("fps", ["24", "30000/1001"])
async def test_other_frame_rates_and_shapes_are_exact_too(ffmpeg: Ffmpeg, tmp_path: Path, fps: str) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        made = result(await make(runtime, script="The sea is calm. Gulls cry.", fps=fps, aspect_ratio="9:16"))
        track = (await packets(ffmpeg, await runtime.assets.local(made.files["video"].digest)))["video"]
        assert track.packets == made.report["frames"]
        assert abs(track.duration_s - made.report["frames"] / Fraction(fps)) < Fraction(1, 1000)
        assert track.width_px < track.height_px


async def test_a_provider_that_refuses_its_key_falls_through_with_the_reason(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    down = FakeFootage(name="stock", error=ProviderUnauthorized("stock refused the key"))
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    async with workshop(tmp_path / "data", providers=(down, fake_footage(files, name="own"))) as runtime:
        made = result(await make(runtime, script=SCRIPT))
        (entry,) = {replace(e, used="") for e in made.degraded if e.stage == "retrieving"}
        assert "refused the key" in entry.reason
        assert len(down.queries) <= 3  # asked once for each scene at the very start, never again


async def test_a_used_up_quota_falls_through_as_well(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    down = FakeFootage(name="stock", error=ProviderRateLimited("stock allows no more this hour", retry_after_s=3000))
    providers = (down, GeneratedFootage())
    async with workshop(tmp_path / "data", providers=providers) as runtime:
        made = result(await make(runtime, prompt="the sea", duration_target=3))
        assert any("no more this hour" in entry.reason for entry in made.degraded)


async def test_a_corrupt_clip_is_replaced_by_the_next_candidate(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3, seconds=6.0)
    whole = files["clip0"].read_bytes()
    (tmp_path / "clips" / "junk").write_bytes(b"this is not a video at all")
    (tmp_path / "clips" / "list").write_bytes(b"#EXTM3U\n#EXTINF:1.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    cut = media.make(
        ffmpeg.path, ["-i", str(files["clip0"]), "-c", "copy", "-movflags", "+faststart", "-f", "mp4"], tmp_path / "c"
    )
    cut.write_bytes(cut.read_bytes()[: len(whole) // 3])
    everything = {"junk": tmp_path / "clips" / "junk", "list": tmp_path / "clips" / "list", "cut": cut, **files}
    async with workshop(tmp_path / "data", providers=(fake_footage(everything),)) as runtime:
        made = result(await make(runtime, scenes=[{"narration": "The sea is calm.", "query": "sea", "duration": 4}]))
        reasons = " ".join(entry.reason for entry in made.degraded)
        assert "junk" in reasons and "cut" in reasons


async def test_a_scene_with_no_picture_anywhere_fails_the_job_and_says_which(tmp_path: Path) -> None:
    async with workshop(tmp_path / "data", providers=(FakeFootage({}, {}),)) as runtime:
        job = await make(runtime, prompt="the sea")
        assert job.state == "failed" and job.error is not None
        assert job.error.code == "footage_missing" and "scene 1" in job.error.detail and job.error.hint


async def test_when_there_are_too_few_clips_one_is_shown_again_and_that_is_said(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        scenes = [
            {"narration": "The sea is calm.", "query": "sea"},
            {"narration": "The boat comes in.", "query": "sea"},
        ]
        made = result(await make(runtime, scenes=scenes))
        assert [entry.scene for entry in made.degraded if "again" in entry.used] == [2]  # told once
        assert made.report["repaired"] == []  # and no other clip is looked for once more
        assert [check["scene"] for check in made.report["checks"] if not check["passed"]] == [2]


async def test_the_next_engine_speaks_when_the_best_one_fails(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    class Second(FakeSpeech):
        name = "second"

    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    engines = (FakeSpeech(fail="out of memory"), Second())
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=engines) as runtime:
        made = result(await make(runtime, prompt="the sea"))
        (entry,) = [entry for entry in made.degraded if entry.stage == "narrating"]
        assert entry.used.startswith("second") and "out of memory" in entry.reason


async def test_a_voice_without_word_times_still_gets_captions(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    engines = (FakeSpeech(gives_words=False),)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), engines=engines) as runtime:
        made = result(await make(runtime, script=SCRIPT))
        assert made.report["words_source"] == ["proportional"]


async def test_when_the_model_fails_the_built_in_planner_takes_over(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    from vidgend.errors import ProviderGarbage
    from vidgend.pipeline.planner.builtin import BuiltinPlanner

    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    planners = (FakePlanner(error=ProviderGarbage("the model wrote no JSON")), BuiltinPlanner())
    async with workshop(tmp_path / "data", providers=(fake_footage(files),), planners=planners) as runtime:
        made = result(await make(runtime, prompt="the sea"))
        (entry,) = [entry for entry in made.degraded if entry.stage == "planning"]
        assert entry.used == "builtin" and "no JSON" in entry.reason


async def test_an_unknown_voice_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    async with workshop(tmp_path / "data", providers=(FakeFootage({}, {}),)) as runtime:
        with pytest.raises(UnknownVoice):
            await runtime.submit_generate(GenerateBody(prompt="x", voice="nobody-at-all"))
        assert await runtime.jobs.page() == []


async def until(condition: Any, within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.02)


def ffmpegs(folder: Path) -> list[int]:
    """Processes that work below `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                inside = str((entry / "cwd").readlink()).startswith(str(folder))
            except OSError:
                continue
            if inside:
                found.append(int(entry.name))
    return found


async def test_cancel_stops_ffmpeg_within_a_second_and_leaves_nothing_behind(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = settings_for(folder, VIDGEND_RENDER__RESOLUTION="1920x1080", VIDGEND_RENDER__PRESET="slower")
    files = clips(ffmpeg.path, tmp_path / "clips", 2, seconds=20)
    async with workshop(folder, settings=settings, providers=(fake_footage(files),)) as runtime:
        body = GenerateBody(scenes=[{"narration": "The sea.", "query": "sea", "duration": 19}])
        job_id = await runtime.submit_generate(body)

        async def encoding() -> bool:
            return (await runtime.jobs.get(job_id)).state == "rendering" and bool(ffmpegs(folder / "work"))

        await until(encoding)
        began = time.monotonic()
        assert await runtime.worker.cancel(job_id) == "cancelled"
        assert time.monotonic() - began < 1.0
        assert ffmpegs(folder / "work") == []
        assert not list((folder / "work").iterdir())
        assert await runtime.worker.cancel(job_id) == "cancelled"


async def test_a_clean_stop_puts_the_job_back_and_the_next_start_finishes_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3, seconds=20)
    folder = tmp_path / "data"
    parts: dict[str, Any] = {"providers": (fake_footage(files),)}
    body = GenerateBody(script=SCRIPT)
    async with workshop(folder, **parts) as runtime:
        job_id = await runtime.submit_generate(body)

        async def started() -> bool:
            return (await runtime.jobs.get(job_id)).state == "rendering"

        await until(started)
    async with workshop(folder, **parts) as runtime:
        job = await finished(runtime, job_id)
        assert job.attempt == 1 and job.crashes == 0
        result(job)


async def test_no_more_jobs_run_at_once_than_are_allowed(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    settings = settings_for(tmp_path / "data", MAX_CONCURRENT_JOBS="1")
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        ids = [await runtime.submit_generate(GenerateBody(prompt=f"the sea {n}", duration_target=3)) for n in range(3)]
        most = 0
        while (counts := await runtime.jobs.counts()).get("completed", 0) < len(ids):
            assert "failed" not in counts
            most = max(most, sum(n for state, n in counts.items() if state not in ("queued", "completed")))
            await asyncio.sleep(0.02)
        assert most == 1


async def test_a_job_that_takes_too_long_fails_with_its_reason(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 1, seconds=20)
    settings = settings_for(
        tmp_path / "data", JOB_TIMEOUT="1", VIDGEND_RENDER__RESOLUTION="1920x1080", VIDGEND_RENDER__PRESET="slower"
    )
    async with workshop(tmp_path / "data", settings=settings, providers=(fake_footage(files),)) as runtime:
        job = await make(runtime, scenes=[{"narration": "The sea.", "query": "sea", "duration": 19}])
        assert job.state == "failed" and job.error is not None and job.error.code == "timeout"
        assert ffmpegs(tmp_path / "data" / "work") == []


async def test_prefetched_clips_are_not_fetched_again_by_the_job(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    footage = fake_footage(files)
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        job = await finished(runtime, await runtime.submit_prefetch(PrefetchBody(queries=("sea",), per_query=2)))
        assert job.state == "completed" and isinstance(job.result, dict) and len(job.result["clips"]) == 2
        assert len(footage.fetched) == 2
        result(await make(runtime, scenes=[{"narration": "The sea.", "query": "sea"}]))
        assert len(footage.fetched) == 2


async def test_what_was_prefetched_for_a_video_makes_it_without_a_network(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """Planned, searched and fetched ahead; then the providers are gone and weeks have passed."""
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    footage = fake_footage(files)
    request = {"prompt": "the sea, the waves, the beach", "duration_target": 6}
    async with workshop(tmp_path / "data", providers=(footage,)) as runtime:
        wanted = PrefetchBody(video=GenerateBody(**request))
        job = await finished(runtime, await runtime.submit_prefetch(wanted))
        assert job.state == "completed" and isinstance(job.result, dict)
        fetched = [clip["id"] for clip in job.result["clips"]]
        assert fetched and not job.result["failed"]
    asked = len(footage.queries), len(footage.fetched)
    async with workshop(tmp_path / "data", providers=(OfflineFootage(footage),)) as runtime:
        clock = runtime.database.clock
        runtime.database.clock = lambda: clock() + 30 * 86_400
        nothing_stays = Rules(ttl_s=1.0, cache_max_bytes=0, results_max_age_s=1.0, results_max_bytes=1)
        gone = await collect(
            runtime.database, runtime.assets, nothing_stays, used_since=runtime.database.clock(), lacking_bytes=2**60
        )
        assert not gone.bytes
        made = result(await make(runtime, **request))
        assert [clip["id"] for clip in made.report["footage"]] == fetched
        assert not [entry for entry in made.degraded if entry.stage == "retrieving"]
    assert (len(footage.queries), len(footage.fetched)) == asked


async def test_a_scene_may_ask_for_a_clip_that_only_the_second_provider_has(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    first = FakeFootage({"sea": (candidate("clip0", provider="first"),)}, files, name="first")
    second = FakeFootage({"boat": (candidate("clip1", provider="second"),)}, files, name="second")
    async with workshop(tmp_path / "data", providers=(first, second)) as runtime:
        scenes = [{"narration": "The sea.", "query": "sea"}, {"narration": "The boat.", "query": "boat"}]
        job = await make(runtime, scenes=scenes)
        assert [one["provider"] for one in result(job).report["footage"]] == ["first", "second"]
        assert not [entry for entry in result(job).degraded if entry.stage == "retrieving"]


async def test_fall_backs_are_still_told_after_a_restart(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3, seconds=8)
    folder = tmp_path / "data"
    down = FakeFootage(name="stock", error=ProviderUnauthorized("stock refused the key"))
    parts: dict[str, Any] = {"providers": (down, fake_footage(files, name="own"))}
    async with workshop(folder, **parts) as runtime:
        job_id = await runtime.submit_generate(GenerateBody(script=SCRIPT, quality="high"))

        async def started() -> bool:
            return (await runtime.jobs.get(job_id)).state == "rendering"

        await until(started)
    async with workshop(folder, **parts) as runtime:
        made = result(await finished(runtime, job_id))
        assert any("refused the key" in entry.reason for entry in made.degraded)


async def test_a_resumed_job_finds_another_clip_when_its_file_is_gone(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    folder = tmp_path / "data"
    parts: dict[str, Any] = {"providers": (fake_footage(files),)}
    async with workshop(folder, **parts) as runtime:
        first = await make(runtime, script=SCRIPT)
        found = await runtime.storyboards.being_made(first.id)
        assert found is not None and found[1].scenes[0].clip is not None
        job_id, _ = await runtime.jobs.submit(first.brief, owner="")
        await runtime.storyboards.save(job_id, found[1])
        for blob in (folder / "assets" / "blobs").glob("??/*"):
            blob.unlink()
        runtime.worker.wake()
        result(await finished(runtime, job_id))


async def test_a_cancel_at_any_moment_ends_the_job(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        for number in range(25):
            job_id = await runtime.submit_generate(GenerateBody(prompt=f"the sea {number}"))
            for _ in range(number):
                await asyncio.sleep(0.001 if number % 2 else 0)
            assert await runtime.worker.cancel(job_id) == "cancelled"
            assert (await runtime.jobs.get(job_id)).state == "cancelled"


async def test_the_worker_outlives_a_database_that_fails_for_a_while(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CLAIM_EVERY_S", 0.05)
    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    async with workshop(tmp_path / "data", providers=(fake_footage(files),)) as runtime:
        claim, complete, failures = runtime.jobs.claim, runtime.jobs.complete, iter(range(4))

        async def failing(real: Any, *args: Any, **more: Any) -> Any:
            if next(failures, None) is not None:
                raise StorageFull("no space")
            return await real(*args, **more)

        monkeypatch.setattr(runtime.jobs, "claim", lambda *a, **k: failing(claim, *a, **k))
        monkeypatch.setattr(runtime.jobs, "complete", lambda *a, **k: failing(complete, *a, **k))
        job = await make(runtime, prompt="the sea", duration_target=3)
        failures = iter(range(2))
        again = await make(runtime, prompt="the sea again", duration_target=3)
        assert (job.state, again.state) == ("completed", "completed")


async def test_music_that_comes_later_is_heard_in_the_next_video(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    from vidgend.pipeline.music.folder import FolderMusic

    files = clips(ffmpeg.path, tmp_path / "clips", 1)
    (tmp_path / "music").mkdir()
    async with workshop(
        tmp_path / "data", providers=(fake_footage(files),), library=FolderMusic(tmp_path / "music")
    ) as runtime:
        silent = result(await make(runtime, prompt="the sea", duration_target=3))
        assert silent.report["music"] is None
        assert [entry.used for entry in silent.degraded if entry.stage == "publishing"] == ["no music"]
        media.tone(tmp_path / "music" / "calm waves.wav", seconds=2)
        assert result(await make(runtime, prompt="the sea", duration_target=3)).report["music"] is not None


async def test_a_full_disk_cannot_keep_cancelled_work_going(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CLAIM_EVERY_S", 0.05)
    folder = tmp_path / "data"
    settings = settings_for(folder, VIDGEND_RENDER__RESOLUTION="1920x1080", VIDGEND_RENDER__PRESET="slower")
    files = clips(ffmpeg.path, tmp_path / "clips", 1, seconds=20)
    async with workshop(folder, settings=settings, providers=(fake_footage(files),)) as runtime:
        scenes = [{"narration": "The sea.", "query": "sea", "duration": 19}]
        job_id = await runtime.submit_generate(GenerateBody(scenes=scenes))

        async def encoding() -> bool:
            return bool(ffmpegs(folder / "work"))

        await until(encoding)

        async def full(*_: Any, **__: Any) -> Any:
            raise StorageFull("no space")

        with monkeypatch.context() as disk:
            disk.setattr(runtime.jobs, "request_cancel", full)
            disk.setattr(runtime.jobs, "finish_cancel", full)
            with pytest.raises(StorageFull, match="has been stopped"):
                await runtime.worker.cancel(job_id)
            assert ffmpegs(folder / "work") == []
        runtime.worker.wake()
        assert (await finished(runtime, job_id)).state == "cancelled"
