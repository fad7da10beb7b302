"""An ffmpeg that gets no further: a stand-in that reports some frames and then hangs."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import media
import pytest
import workshop
from studio import open_studio
from workshop import clips, fake_footage, finished, settings_for

from vidgend import parts
from vidgend.errors import StepStalled
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.timeline import shot_of
from vidgend.store.jobs import Job

SAYS = (
    "echo 'the disk hums' >&2; echo frame=7; echo out_time=00:00:00.28; echo out_time_us=280000; echo progress=continue"
)
STOPS = "kill -STOP $$"
REPEATS = "while true; do echo frame=7; echo out_time_us=280000; echo progress=continue; sleep 0.1; done"


def stand_in(folder: Path, real: str, hangs: str, *, once: bool = False) -> Path:
    """An ffmpeg whose encodes of a segment hang, or only the first of them. Their process ids are in `pids`."""
    path, pids = folder / "ffmpeg", folder / "pids"
    always = "true" if not once else f"[ $(wc -l < {pids}) = 1 ]"
    path.write_text(
        "#!/bin/sh\n"
        'case " $* " in *" segment.mp4 "*)\n'
        f"echo $$ >> {pids}\n"
        f"if {always}; then {SAYS}; {hangs}; fi;;\n"
        "esac\n"
        f'exec {real} "$@"\n'
    )
    path.chmod(0o755)
    return path


def left(folder: Path) -> tuple[int, list[int]]:
    """How often a segment was begun, and which of these processes are there still."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    return len(pids), [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def job_with(folder: Path, tool: Path, monkeypatch: pytest.MonkeyPatch, *, real: str) -> tuple[Job, str]:
    """A video of one scene, made with that ffmpeg: it may get no further for a second. And what its log says."""
    monkeypatch.setattr(parts, "FFMPEG_STALL_SHARE", 0.05)
    settings = settings_for(
        folder / "data", VIDGEND_RENDER__FFMPEG=str(tool), VIDGEND_QUEUE__STALL_TIMEOUT_S="20"
    )  # fmt: skip
    footage = fake_footage(clips(real, folder / "clips", 1))
    async with workshop.workshop(folder / "data", settings=settings, providers=(footage,)) as runtime:
        body = GenerateBody.model_validate({"scenes": [{"narration": "The sea."}], "quality": "draft", "music": "none"})
        job = await finished(runtime, await runtime.submit_generate(body))
        rows = await runtime.database.read("SELECT attempt, failures, error FROM steps WHERE kind = 'segment'")
        return job, str(rows)


@pytest.mark.parametrize("hangs", [STOPS, REPEATS], ids=["stopped", "same frame again and again"])
async def test_a_run_that_gets_no_further_is_killed_and_has_its_last_lines(
    ffmpeg: Ffmpeg, tmp_path: Path, hangs: str
) -> None:
    tool = Ffmpeg(path=str(stand_in(tmp_path, ffmpeg.path, hangs)), version="", origin="setting", stall_s=0.4)
    with pytest.raises(StepStalled, match="got no further") as caught:
        await tool.run(["segment.mp4"], cwd=tmp_path, timeout_s=20)
    assert caught.value.tail == "the disk hums\nlast report: frame=7 out_time=00:00:00.28"
    assert left(tmp_path) == (1, [])


async def test_a_run_without_a_picture_is_alive_while_its_sound_grows(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    tool = Ffmpeg(path=ffmpeg.path, version="", origin="setting", stall_s=0.7)
    slow = ["-re", "-f", "lavfi", "-i", "sine=duration=1.5", "-f", "null", "-"]
    assert await tool.run(slow, cwd=tmp_path, timeout_s=20) == 0


async def test_a_segment_that_hangs_is_tried_once_more_and_then_fails_its_job(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = stand_in(tmp_path, ffmpeg.path, STOPS)
    job, steps = await job_with(tmp_path, tool, monkeypatch, real=ffmpeg.path)
    assert (job.state, job.failures) == ("failed", 0) and job.error is not None
    assert job.error.code == "stalled" and "queue.stall_timeout_s" in job.error.hint
    assert job.error.tail == "the disk hums\nlast report: frame=7 out_time=00:00:00.28"
    assert left(tmp_path) == (2, []), steps


async def test_a_segment_that_hung_once_is_rendered_at_the_second_try(
    ffmpeg: Ffmpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = stand_in(tmp_path, ffmpeg.path, REPEATS, once=True)
    job, steps = await job_with(tmp_path, tool, monkeypatch, real=ffmpeg.path)
    assert job.state == "completed", job.error
    assert left(tmp_path) == (2, []), steps


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 12), (12, 12)])
async def test_a_segment_says_from_its_beginning_how_far_it_is(
    ffmpeg: Ffmpeg, tmp_path: Path, before: int, after: int
) -> None:
    """ffmpeg is silent until each of its outputs has had a frame; a long one would be taken for stuck."""
    source = media.clip(ffmpeg.path, tmp_path / "clip", seconds=6.0, size="640x360")
    shares: list[float] = []
    async with open_studio(ffmpeg, tmp_path) as studio:
        encoding = {**studio.encoding("30", 960, 540), "preset": "slower"}
        clip = await studio.clip(source, encoding, 170)
        run = replace(studio.run(), progress=shares.append)
        args = {"clip": clip, "shot": asdict(shot_of(170, before=before, after=after)), "encoding": encoding}
        await studio.body(args, run)
    assert len(shares) >= 3, "the encode takes a second or two"
    assert shares[0] < 0.5 and shares == sorted(shares)
