"""A stand-in for the program espeak-ng: the same options, a tone instead of each word. It starts in a few milliseconds,
so that tests which kill daemons have real speech steps without the seconds that a model takes to load.

    espeak-ng -b 1 -v VOICE -s WPM -f TEXT_FILE -w WAV_FILE
"""

from __future__ import annotations

import array
import math
import sys
import wave
from pathlib import Path

RATE_HZ = 22_050


def install(folder: Path) -> Path:
    """Put an executable `espeak-ng` into `folder`, for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "espeak-ng"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{Path(__file__).absolute()}" "$@"\n')
    program.chmod(0o755)
    return folder


def speak(text: str, words_per_minute: int) -> array.array[int]:
    samples = array.array("h")
    for number, word in enumerate(text.split()):
        count = int(RATE_HZ * 60 / words_per_minute * (0.4 + 0.1 * len(word)))
        step = 2 * math.pi * (160 + 20 * (number % 4)) / RATE_HZ
        samples.extend(int(9000 * math.sin(step * at)) for at in range(count))
        samples.extend([0] * (RATE_HZ // 20))
    return samples


def main() -> None:
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    samples = speak(Path(options["-f"]).read_text("utf-8"), int(options["-s"]))
    with wave.open(options["-w"], "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
