"""vidgend's render against one hand-written ffmpeg command that does the same in a single pass."""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import tempfile
import time
import wave
from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bench.clips import make_clips
from vidgend.models import Brief, Clip, Credit, Scene, Segment, Speech, Storyboard, Word
from vidgend.parts import build_parts, cores, encode_slots
from vidgend.pipeline.captions.fonts import as_args, fonts_folder, machine_fonts
from vidgend.pipeline.captions.presets import Frame, find_preset
from vidgend.pipeline.captions_ass import CaptionScript, caption_script
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.run import JobRun, Progress
from vidgend.pipeline.scene_to_segment import RenderSettings, render_segment
from vidgend.pipeline.segments_to_video import join_video
from vidgend.pipeline.shot_picture import ShotPicture
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import shot_of
from vidgend.pipeline.video_to_report import check_video
from vidgend.pipeline.words_to_captions import make_captions
from vidgend.settings_sources import load_settings
from vidgend.store.assets.select import open_filesystem_assets
from vidgend.store.database import Database
from vidgend.store.steps import StepStore

PAIRS = 3
SECONDS = 6
WIDTH_PX, HEIGHT_PX = 1920, 1080
PRESET, CRF = "veryfast", 21
TEXT = "A beautiful sunset over the ocean with waves crashing on the beach"


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _script() -> CaptionScript:
    words = tuple(Word(text=w, start_s=i * 0.4 + 0.3, end_s=i * 0.4 + 0.65) for i, w in enumerate(TEXT.split()))
    captions = make_captions(words, end_s=float(SECONDS))
    return caption_script(
        captions,
        frame=Frame(width_px=WIDTH_PX, height_px=HEIGHT_PX),
        preset=find_preset("classic"),
        faces=machine_fonts().preference(None, "en"),
        accent=find_style("cinematic").highlight_colour,
    )


def _voice(path: Path) -> None:
    samples = np.arange(48_000 * (SECONDS - 2))
    sound = np.sin(samples * 2 * np.pi * 180 / 48_000) * (0.2 + 0.1 * np.sin(samples / 9000))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((sound * 32767).astype("<i2").tobytes())


async def _ours(folder: Path, clips: list[Path], voice: Path, music: Path) -> Path:
    """The very functions that a job uses, on an empty cache."""
    settings = load_settings(environ={"VIDGEND_DATA_DIR": str(folder / "data")})
    database = await Database.open(folder / "bench.db")
    assets = await open_filesystem_assets(database, folder / "assets")
    steps = StepStore(database, assets, boot_id="bench")
    parts = build_parts(settings, assets, steps, work=folder / "work")

    async def put(path: Path) -> str:
        copy = folder / f"in-{path.name}"
        copy.write_bytes(path.read_bytes())
        return await assets.put(copy)

    async def nothing(*_: Any) -> None:
        return None

    run = JobRun(parts.executor, job_id="bench", salt="", announce=nothing, note=nothing, progress=Progress())
    brief = Brief(prompt=TEXT, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    frames = SECONDS * 30
    _, threads = encode_slots(settings)
    render = RenderSettings(preset=PRESET, crf=CRF, threads=threads)
    spoken = Speech(digest=await put(voice), samples=48_000 * (SECONDS - 2), engine="bench", voice="sine")
    digests = [await put(path) for path in clips]
    script = _script()
    ffmpeg = await parts.ffmpeg.get()
    segments: list[Segment] = await asyncio.gather(
        *(
            render_segment(
                run, brief,
                ShotPicture(
                    index=number,
                    clip=Clip(
                        provider="bench", id=path.stem, kind="video", description="", query="",
                        credit=Credit(provider="bench"), digest=digest, demuxer="mov", width_px=WIDTH_PX,
                        height_px=HEIGHT_PX, fps=30.0, duration_s=float(SECONDS + 1),
                    ),
                    shot=shot_of(frames, before=0, after=0), ass=script.ass, fonts=as_args(script.faces),
                ),
                settings=render, ffmpeg=ffmpeg, count=len(clips), progress=lambda share: None,
            )
            for number, (path, digest) in enumerate(zip(clips, digests, strict=True))
        )
    )  # fmt: skip
    scenes = tuple(
        Scene(index=i, narration=TEXT, queries=("x",), speech=spoken, start_frame=i * frames, frames=frames)
        for i in range(len(clips))
    )
    board = Storyboard(title="bench", language="en", planner="bench", stretch=False, fps="30", scenes=scenes)
    track = {"digest": await put(music), "title": "bench", "mood": "calm", "licence": ""}
    video = await join_video(run, brief, board, scenes, tuple(segments), track=track, progress=lambda share: None)
    await check_video(run, brief, video, speech_end_s=Fraction(0))
    path = await assets.local(video.digest)
    await parts.aclose()
    await assets.aclose()
    await database.close()
    return path


def _by_hand(ffmpeg: Ffmpeg, folder: Path, clips: list[Path], voice: Path, music: Path) -> Path:
    """One command: every clip through the same filters, concatenated, one x264, the sound mixed beside it."""
    (folder / "captions.ass").write_text(_script().ass)
    if not (folder / "fonts").exists():
        (folder / "fonts").symlink_to(fonts_folder())
    look = find_style("cinematic")
    grade = ",".join(
        f"{name}=" + ":".join(f"{key}='{value}'" for key, value in arguments.items())
        for name, arguments in (*look.grade, *look.finishing(WIDTH_PX, HEIGHT_PX))
    )
    count, total_s = len(clips), len(clips) * SECONDS
    graph = []
    for number in range(count):
        graph.append(
            f"[{number}:v]trim=start=0.25,setpts=PTS-STARTPTS,scale={WIDTH_PX}:{HEIGHT_PX}:flags=bicubic,setsar=1,fps=30,"
            f"trim=end_frame={SECONDS * 30},{grade},format=yuv420p,ass=captions.ass:fontsdir=fonts[v{number}]"
        )
    graph.append("".join(f"[v{n}]" for n in range(count)) + f"concat=n={count}:v=1:a=0[v]")
    for number in range(count):
        graph.append(f"[{count + number}:a]adelay={number * SECONDS * 1000 + 700}:all=1[s{number}]")
    graph.append(
        "".join(f"[s{n}]" for n in range(count))
        + f"amix=inputs={count}:normalize=0,highpass=70,acompressor=threshold=-20dB:ratio=2.5,aformat=channel_layouts=stereo,"
        f"apad=whole_dur={total_s},asplit[voice][key]"
    )
    graph.append(f"[{2 * count}:a]aresample=48000,atrim=end={total_s},volume=-15dB[bed]")
    graph.append("[bed][key]sidechaincompress=threshold=0.02:ratio=6[low]")
    graph.append(
        f"[voice][low]amix=inputs=2:normalize=0:duration=first,loudnorm=I=-14:TP=-1,atrim=end={total_s},aresample=48000[a]"
    )
    inputs: list[str] = []
    for path in [*clips, *([voice] * count)]:
        inputs += ["-i", str(path)]
    subprocess.run(
        [
            ffmpeg.path, "-nostdin", "-v", "error", "-y", *inputs, "-stream_loop", "-1", "-i", str(music),
            "-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", PRESET,
            "-crf", str(CRF), "-profile:v", "high", "-pix_fmt", "yuv420p", "-g", "60", "-threads", str(cores()),
            "-c:a", "aac", "-b:a", "192k", "-t", str(total_s), "-movflags", "+faststart", "hand.mp4",
        ],
        cwd=folder, check=True,
    )  # fmt: skip
    return folder / "hand.mp4"


async def _timed(work: Callable[[], Awaitable[Path]]) -> tuple[float, float, int]:
    cpu, wall = _children_cpu_s(), time.perf_counter()
    path = await work()
    return _children_cpu_s() - cpu, time.perf_counter() - wall, path.stat().st_size


async def bench(ffmpeg: Ffmpeg) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = make_clips(ffmpeg, folder, seconds=SECONDS + 1, width_px=WIDTH_PX, height_px=HEIGHT_PX)
        voice, music = folder / "voice.wav", folder / "music.wav"
        _voice(voice)
        _voice(music)
        rows = []
        for pair in range(PAIRS):
            ours_folder = folder / f"ours-{pair}"
            ours_folder.mkdir()
            ours = await _timed(lambda at=ours_folder: _ours(at, clips, voice, music))  # type: ignore[misc]
            hand = await _timed(lambda: asyncio.to_thread(_by_hand, ffmpeg, folder, clips, voice, music))
            rows.append((ours, hand))
            print(
                f"  pair {pair + 1}: vidgend {ours[0]:.1f} s CPU {ours[1]:.1f} s wall {ours[2] / 1e6:.1f} MB | "
                f"by hand {hand[0]:.1f} s CPU {hand[1]:.1f} s wall {hand[2] / 1e6:.1f} MB",
                flush=True,
            )
        cpu = statistics.median(ours[0] / hand[0] for ours, hand in rows)
        wall = statistics.median(ours[1] / hand[1] for ours, hand in rows)
        length_s = len(clips) * SECONDS
        print(
            f"render: {length_s} s of {WIDTH_PX}x{HEIGHT_PX}: CPU ratio {cpu:.2f} (bound 1.15), wall ratio {wall:.2f}"
        )
