"""Whisper for whoever needs it: one process with one model, that times known words and writes down what is said."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from vidgend.children import JsonService
from vidgend.errors import StepError
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.model_ladder import ModelLadder, Rung
from vidgend.pipeline.whisper.model_files import LocalModel


@dataclass(frozen=True, kw_only=True)
class HeardSound:
    """`words` are (text with the space before it, start_s, end_s, probability), times from the start of what was asked
    for; `length_s` is the whole file's. `reason`: why it was not heard as well as it could be, or ""."""

    words: list[tuple[str, float, float, float]]
    language: str
    length_s: float
    reason: str


class WhisperService:
    """`model` is a folder that is already here (see `find_model`); nothing is downloaded. `device` is `cpu` (8-bit) or
    `cuda` (16-bit floats; 8-bit, then the CPU, if they do not fit); `threads` counts on the CPU, 0 means all cores."""

    def __init__(self, *, model: LocalModel, device: str = "cpu", threads: int = 0) -> None:
        self.model = model
        self.identity = f"whisper:{model.name}:{model.size_bytes}:{model.fingerprint}:{device}:{_version()}"
        self.label: Label = "gpu" if device == "cuda" else "cpu"
        ways = [("cpu", "int8", "")]
        if device == "cuda":
            full = "the memory of the GPU was full: with 8-bit weights", "the memory of the GPU was full: on the CPU"
            ways = [("cuda", "float16", ""), ("cuda", "int8_float16", full[0]), ("cpu", "int8", full[1])]
        self._model = ModelLadder([self._rung(*way, threads) for way in ways])

    def _rung(self, device: str, compute_type: str, reason: str, threads: int) -> Rung:
        argv = (
            *(sys.executable, "-m", "vidgend.pipeline.whisper.child"),
            *("--model", str(self.model.folder.absolute())),
            *("--device", device),
            *("--compute-type", compute_type),
            *("--threads", str(threads)),
        )
        return Rung(service=JsonService(argv, name="whisper", failure=StepError), reason=reason)

    async def hear(
        self,
        wav: Path,
        *,
        language: str | None,
        careful: bool,
        timeout_s: float,
        start_s: float = 0.0,
        end_s: float | None = None,
    ) -> HeardSound:
        """The words of a PCM WAV, or of its part from `start_s` to `end_s`. `language` is a primary subtag; None: to be
        told by the sound. `careful` where their spelling counts and not only their time.

        Raises: StepError, OutOfMemory, StepTimeout.
        """
        message: dict[str, Any] = {
            "path": str(wav.absolute()), "start_s": start_s, "end_s": end_s, "language": language, "careful": careful,
        }  # fmt: skip
        answer, reason = await self._model.request(message, timeout_s=timeout_s)
        reasons = "; ".join(filter(None, (self.model.reason, reason)))
        words = [(text, start, end, probability) for text, start, end, probability in answer["words"]]
        return HeardSound(words=words, language=answer["language"], length_s=answer["length_s"], reason=reasons)

    async def aclose(self) -> None:
        """End the process. It may be asked again."""
        await self._model.aclose()


def _version() -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("faster-whisper")
    return ""
