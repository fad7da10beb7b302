"""Models of a few hundred kilobytes, to be fetched in tests."""

from __future__ import annotations

import hashlib
import random

from vidgend.model_files.model import Model, ModelFile, hub

REVISION = "c0ffee"
WEIGHTS = random.Random(7).randbytes(300_000)
CONFIG = b'{"small": true}'


def model_file(path: str, content: bytes) -> ModelFile:
    return ModelFile(path=path, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


SMALL = Model(
    name="whisper-little",
    purpose="word times, voice-overs",
    about="a small one",
    licence="MIT",
    files=(model_file("config.json", CONFIG), model_file("model.bin", WEIGHTS)),
    folder="faster-whisper-little",
    elsewhere=("little",),
    home=hub("Systran/faster-whisper-little", REVISION),
)
ON_THE_HUB = {
    f"Systran/faster-whisper-little/resolve/{REVISION}/config.json": CONFIG,
    f"Systran/faster-whisper-little/resolve/{REVISION}/model.bin": WEIGHTS,
}
