"""The process that holds Whisper: `python -m vidgend.pipeline.whisper.child --model FOLDER [options]`.

A request is `{"path", "start_s", "end_s", "language", "careful"}`: a part of a PCM WAV, or all of it (`end_s` null), in
a language (null: to be told by the sound). The answer is `{"words": [[text with the space before it, start_s, end_s,
probability], ...], "language", "length_s"}`; times count from `start_s`, the length is that of the file. The first
request loads the model.
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

BATCH = 8
"""Parts of up to half a minute that a GPU hears at once."""


class Recogniser:
    def __init__(self, options: argparse.Namespace) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # the folder is complete; nothing is fetched behind our back
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        self._model = WhisperModel(
            str(options.model),
            device=options.device,
            compute_type=options.compute_type,
            cpu_threads=options.threads or cores(),
            local_files_only=True,
        )
        self._batched = BatchedInferencePipeline(model=self._model) if options.device == "cuda" else None

    def hear(self, wav: io.BytesIO, language: str | None, *, careful: bool) -> tuple[list[Any], str]:
        """The words, and the language that they are in.

        Where only times are wanted the greedy search hears one clean voice as well as a beam does, in half the time. A
        careful one searches with a beam, since its spelling is shown, and has silence and noise taken out before:
        Whisper hears words in them ("Thank you."). Without the text before it, a mistake in one window does not spoil
        the next.
        """
        asked: dict[str, Any] = {"language": language, "word_timestamps": True, "condition_on_previous_text": False}
        if not careful:
            segments, info = self._model.transcribe(wav, beam_size=1, temperature=0.0, **asked)
        elif self._batched is not None:
            segments, info = self._batched.transcribe(wav, beam_size=5, vad_filter=True, batch_size=BATCH, **asked)
        else:
            segments, info = self._model.transcribe(wav, beam_size=5, vad_filter=True, **asked)
        words = [
            [word.word, float(word.start), float(word.end), float(word.probability)]
            for segment in segments
            for word in segment.words or ()
        ]
        return words, info.language


def part_of(path: str, start_s: float, end_s: float | None) -> tuple[io.BytesIO, float]:
    """A part of a WAV, as one, and the length of the whole in seconds. Raises: ValueError, OSError."""
    part = io.BytesIO()
    try:
        with wave.open(path, "rb") as whole, wave.open(part, "wb") as cut:
            cut.setparams(whole.getparams())
            length_s = whole.getnframes() / whole.getframerate()
            until_s = length_s if end_s is None else end_s
            first, last = (min(round(at * whole.getframerate()), whole.getnframes()) for at in (start_s, until_s))
            whole.setpos(first)
            cut.writeframes(whole.readframes(last - first))
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the speech is not a PCM WAV file: {error}") from error
    part.seek(0)
    return part, length_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.whisper.child")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compute-type", default="int8")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    loaded: list[Recogniser] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        part, length_s = part_of(request["path"], request["start_s"], request["end_s"])
        if not loaded:
            loaded.append(Recogniser(options))
        words, language = loaded[0].hear(part, request["language"], careful=request["careful"])
        return {"words": words, "language": language, "length_s": length_s}

    serve(handle)


if __name__ == "__main__":
    main()
