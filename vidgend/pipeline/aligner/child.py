"""The process that holds Whisper: `python -m vidgend.pipeline.aligner.child --model FOLDER [options]`.

A request is `{"path", "language"}`; the answer is `{"words": [[text, start_s, end_s, probability], ...], "length_s"}`.
The model is loaded by the first request.
"""

from __future__ import annotations

import argparse
import os
import wave
from pathlib import Path
from typing import Any

from vidgend.cores import cores
from vidgend.pipeline.speech.json_lines import serve


def _load(options: argparse.Namespace) -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"  # the folder is complete; nothing is fetched behind our back
    from faster_whisper import WhisperModel

    return WhisperModel(
        str(options.model),
        device=options.device,
        compute_type="float16" if options.device == "cuda" else "int8",
        cpu_threads=options.threads or cores(),
        local_files_only=True,
    )


def _length_s(path: str) -> float:
    try:
        with wave.open(path, "rb") as file:
            return file.getnframes() / file.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the speech to align is not a PCM WAV file: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.aligner.child")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    loaded: list[Any] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        length_s = _length_s(request["path"])
        if not loaded:
            loaded.append(_load(options))
        # One clean voice: the greedy search hears it as well as a beam does and takes half the time. Without the text
        # before it, a mistake in one window does not spoil the next.
        segments, _ = loaded[0].transcribe(
            request["path"],
            language=request["language"],
            beam_size=1,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        words = [
            [word.word.strip(), float(word.start), float(word.end), float(word.probability)]
            for segment in segments
            for word in segment.words or ()
        ]
        return {"words": words, "length_s": length_s}

    serve(handle)


if __name__ == "__main__":
    main()
