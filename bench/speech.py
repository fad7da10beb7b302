"""Speech engines: how fast, how much memory, how well understood, and what vidgend adds to the bare library."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import word_times
from bench.measure import below, own_cpu_s
from bench.options import Options
from bench.speech_texts import as_said, paragraphs, plain_words, sentences, word_errors
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.speech.port import SpeechEngine, Utterance
from vidgend.pipeline.speech.select import build_engines, probe
from vidgend.pipeline.speech.voice_files import kokoro_voice_files

RATIO = 1.05
VOICES = {"kokoro-onnx": "af_heart", "kokoro": "af_heart", "espeak-ng": "en-us"}
BY_HAND = ("kokoro-onnx", "piper", "espeak-ng")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(kw_only=True)
class Made:
    """What an engine made of the sentences. `pairs` are (wall, CPU) of vidgend over the bare library for the same
    sentence, one right after the other."""

    cold: float = 0.0
    warm: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    pairs: list[tuple[float, float]] = field(default_factory=list)
    added_s: list[float] = field(default_factory=list)
    """CPU seconds that it takes more than the bare library, a sentence."""
    files: list[Path] = field(default_factory=list)


async def bench(ffmpeg: Ffmpeg, options: Options) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = folder / "models"
        spoken: list[word_times.Spoken] = []
        whispers = word_times.models(folder)
        hears = word_times.recogniser(whispers)
        print("  engine       real-time factor        memory   heard wrong     over the bare library")
        print(f"               first      warm          MB       words           wall   CPU (bound {RATIO})")
        for found in probe(models_dir=models, hub_dir=default_hub_dir()):
            if found.name == "server":
                continue
            if not found.available:
                print(f"  {found.name:12} is not measured: {found.reason}", flush=True)
                continue
            (engine,) = build_engines(found.name, models_dir=models, hub_dir=default_hub_dir())
            try:
                made = await _measure(engine, folder, options)
                spoken += await _paragraphs(ffmpeg, engine, folder, options)
            finally:
                await engine.aclose()
            wrong = await asyncio.to_thread(_heard_wrong, hears, made.files, options) if hears else "not measured"
            print(
                f"  {found.name:12} {made.cold:<10.3f} {statistics.median(made.warm):<13.3f} {made.peak_mb:<8.0f} "
                f"{wrong:15} {_ratio(made)}",
                flush=True,
            )
        await word_times.bench(spoken, whispers)


async def _measure(engine: SpeechEngine, folder: Path, options: Options) -> Made:
    made, number = Made(), 0
    hand = _hand(engine.name, folder)
    try:
        for text in [as_said(one) for one in _texts(options)]:
            path, number = folder / f"{engine.name}-{number}.wav", number + 1
            theirs = await asyncio.to_thread(_by_hand, hand, text) if number % 2 else None
            wall_s, cpu_s = time.perf_counter(), _cpu_s(hand)
            said = await _say(engine, text, path)
            wall_s, cpu_s = time.perf_counter() - wall_s, _cpu_s(hand) - cpu_s
            theirs = theirs or await asyncio.to_thread(_by_hand, hand, text)
            sound_s = said.samples / said.rate_hz
            made.files.append(path)
            if number == 1:
                made.cold = wall_s / sound_s
                continue
            made.warm.append(wall_s / sound_s)
            if theirs:
                made.pairs.append((wall_s / theirs[0], cpu_s / theirs[1]))
                made.added_s.append(cpu_s - theirs[1])
        made.peak_mb = max(
            (_peak_mb(pid) for pid in below(os.getpid()) if "speech.child" in _read(pid, "cmdline")), default=0
        )
    finally:
        if hand is not None:
            hand.terminate()
            hand.wait()
    return made


def _hand(engine: str, folder: Path) -> subprocess.Popen[str] | None:
    if engine not in BY_HAND:
        return None
    argv = (
        sys.executable,
        "-m",
        "bench.speech_by_hand",
        engine,
        str(folder / "hand.wav"),
        str(kokoro_voice_files()[0]),
    )
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _texts(options: Options) -> list[str]:
    return sentences()[:6] if options.quick else sentences()


async def _say(engine: SpeechEngine, text: str, path: Path) -> Utterance:
    voice = VOICES.get(engine.name, engine.voices()[0].id)
    return await engine.synthesize(text, voice=voice, language="en-US", speed=1.0, path=path, timeout_s=300)


def _by_hand(hand: subprocess.Popen[str] | None, text: str) -> tuple[float, float] | None:
    """Wall and CPU seconds."""
    if hand is None or hand.stdin is None or hand.stdout is None:
        return None
    hand.stdin.write(text + "\n")
    hand.stdin.flush()
    wall_s, cpu_s = json.loads(hand.stdout.readline())
    return wall_s, cpu_s


def _cpu_s(apart: subprocess.Popen[str] | None) -> float:
    """CPU seconds of this process and its children, ended ones too, but not of `apart`."""
    total = own_cpu_s()
    for pid in below(os.getpid())[1:]:
        if apart is None or pid != apart.pid:
            fields = _read(pid, "stat").rpartition(")")[2].split()
            total += sum(int(ticks) for ticks in fields[11:13]) / TICKS
    return total


def _peak_mb(pid: int) -> float:
    """The most that a process ever had in memory; 0 if it has ended meanwhile."""
    peaks = [line.split()[1] for line in _read(pid, "status").splitlines() if line.startswith("VmHWM:")]
    return max((int(peak) * 1024 / 1e6 for peak in peaks), default=0)


def _read(pid: int, name: str) -> str:
    """A file of /proc, or "" if the process has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _ratio(made: Made) -> str:
    if not made.pairs:
        return "-"
    wall, cpu = (statistics.median(pair[which] for pair in made.pairs) for which in (0, 1))
    verdict = "ok" if cpu <= RATIO else "ABOVE"
    return f"{wall:.3f}  {cpu:.3f}  {verdict} ({1000 * statistics.median(made.added_s):+.0f} ms CPU a sentence)"


def _heard_wrong(hears: Any, files: list[Path], options: Options) -> str:
    model, name = hears
    wrong = count = 0
    for path, text in zip(files, _texts(options), strict=True):
        segments, _ = model.transcribe(str(path), language="en", beam_size=5)
        said = plain_words(text)
        wrong += word_errors(said, plain_words(" ".join(segment.text for segment in segments)))
        count += len(said)
    return f"{wrong / count:.1%} ({name})"


async def _paragraphs(ffmpeg: Ffmpeg, engine: SpeechEngine, folder: Path, options: Options) -> list[word_times.Spoken]:
    """The paragraphs at 48 kHz, as aligners get them, with the engine's times."""
    found = []
    for number, text in enumerate(paragraphs()[-2:] if options.quick else paragraphs()):
        raw, path = folder / "raw.wav", folder / f"{engine.name}-paragraph-{number}.wav"
        said = await _say(engine, text, raw)
        argv = [ffmpeg.path, "-v", "error", "-y", "-i", str(raw), "-ac", "1", "-ar", "48000", str(path)]
        await asyncio.to_thread(subprocess.run, argv, check=True)
        found.append(word_times.Spoken(engine=engine.name, path=path, text=text, words=said.words))
    return found
