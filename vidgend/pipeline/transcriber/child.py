"""The process that transcribes: `python -m vidgend.pipeline.transcriber.child --model FOLDER [options]`.

A request is `{"path", "start_s", "end_s", "language"}` (null: to be told by the sound); the answer is `{"words": [[text
with the space before it, start_s, end_s, probability], ...], "language"}`, with times that count from the request's
start. The model is loaded by the first request.
"""

from __future__ import annotations

import argparse
import io
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


def part_of(path: str, start_s: float, end_s: float) -> io.BytesIO:
    """A part of a WAV, as one. Raises: ValueError, OSError."""
    part = io.BytesIO()
    try:
        with wave.open(path, "rb") as whole, wave.open(part, "wb") as cut:
            cut.setparams(whole.getparams())
            first, last = (min(round(at * whole.getframerate()), whole.getnframes()) for at in (start_s, end_s))
            whole.setpos(first)
            cut.writeframes(whole.readframes(last - first))
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the recording is not a PCM WAV file: {error}") from error
    part.seek(0)
    return part


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.transcriber.child")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    loaded: list[Any] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        part = part_of(request["path"], request["start_s"], request["end_s"])
        if not loaded:
            loaded.append(_load(options))
        # Here its spelling is shown, so it searches with a beam. Silence and noise are taken out before: Whisper hears
        # words in them ("Thank you."). Without the text before it, a mistake in one window does not spoil the next.
        segments, info = loaded[0].transcribe(
            part,
            language=request["language"],
            beam_size=5,
            word_timestamps=True,
            vad_filter=True,
            condition_on_previous_text=False,
        )
        words = [
            [word.word, float(word.start), float(word.end), float(word.probability)]
            for segment in segments
            for word in segment.words or ()
        ]
        return {"words": words, "language": info.language}

    serve(handle)


if __name__ == "__main__":
    main()
