"""The process that holds a speech model: `python -m vidgend.pipeline.speech.child ENGINE [options]`.

A request is `{"text", "voice", "language", "speed", "path"}`, the answer `{"samples", "rate_hz", "spans", "readable"}`:
`spans` has one `[start_s, end_s]` for each word of the text, or is empty if the engine does not know. The first request
loads the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.json_lines import serve
from vidgend.pipeline.speech.phrases import LONGEST_SYMBOLS
from vidgend.pipeline.speech.speaking import Said, SymbolModel, speak

Say = Callable[[dict[str, Any]], tuple[Said, int]]


def _kokoro_onnx(options: argparse.Namespace) -> Say:
    from vidgend.pipeline.speech.kokoro_onnx_model import KokoroOnnxModel

    return _say_with(KokoroOnnxModel(models_dir=options.models_dir, threads=options.threads), options)


def _piper(options: argparse.Namespace) -> Say:
    from vidgend.pipeline.speech.piper_model import PiperModel

    return _say_with(PiperModel(threads=options.threads), options)


def _kokoro(options: argparse.Namespace) -> Say:
    from vidgend.pipeline.speech.kokoro_model import KokoroModel

    return _say_with(
        KokoroModel(
            models_dir=options.models_dir, hub_dir=options.hub_dir, device=options.device, threads=options.threads
        ),
        options,
    )


def _say_with(model: SymbolModel, options: argparse.Namespace) -> Say:
    return lambda request: (
        speak(
            model, request["text"], voice=request["voice"], language=request["language"], speed=request["speed"],
            longest=options.longest,
        ),
        model.rate_hz,
    )  # fmt: skip


ENGINES = {"kokoro-onnx": _kokoro_onnx, "piper": _piper, "kokoro": _kokoro}


def main() -> None:
    parser = argparse.ArgumentParser(prog="vidgend.pipeline.speech.child")
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--models-dir", type=Path, default=Path())
    parser.add_argument("--hub-dir", type=Path, default=Path())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--longest", type=int, default=LONGEST_SYMBOLS, help="symbols in one call of the model")
    options = parser.parse_args()
    loaded: list[Say] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        if not loaded:
            loaded.append(ENGINES[options.engine](options))
        spoken, rate_hz = loaded[0](request)
        sound.write_wav(Path(request["path"]), spoken.samples, rate_hz)
        return {"samples": len(spoken.samples), "rate_hz": rate_hz, "spans": spoken.spans, "readable": spoken.readable}

    serve(handle)


if __name__ == "__main__":
    main()
