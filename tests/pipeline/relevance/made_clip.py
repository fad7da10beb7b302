"""A CLIP model that knows two colours, as ONNX files: what a picture shows is its average colour, what a text says is
the sum of its words, of which `red` and `blue` mean something.

Written byte by byte, so that no test needs the package onnx. Source of the field numbers: github.com/onnx/onnx,
onnx/onnx.proto.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MERGES = ["r e", "re d</w>", "b l", "bl u", "blu e</w>", "s k", "sk y</w>"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"
VOCABULARY = [
    *LETTERS, *(f"{letter}</w>" for letter in LETTERS), *("".join(pair.split()) for pair in MERGES),
    "<|startoftext|>", "<|endoftext|>",
]  # fmt: skip
MEANS = {"red</w>": (1, -1, -1), "blue</w>": (-1, -1, 1), "<|startoftext|>": (0.01, 0.01, 0.01)}

FLOAT, INT64 = 1, 7


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def _node(op: str, inputs: Sequence[str], output: str, axes: Sequence[int] = ()) -> bytes:
    named = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, op)
    if axes:
        listed = _field(1, "axes") + b"".join(_field(8, axis) for axis in axes) + _field(20, 7)
        named += _field(5, listed) + _field(5, _field(1, "keepdims") + _field(3, 0) + _field(20, 2))
    return named


def _model(nodes: Sequence[bytes], inputs: Sequence[bytes], output: bytes, tables: Sequence[bytes] = ()) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "made") + b"".join(_field(5, one) for one in tables)
    graph += b"".join(_field(11, one) for one in inputs) + _field(12, output)
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))


def vision_model(*, takes: str = "pixel_values", gives: str = "image_embeds", axes: Sequence[int] = (2, 3)) -> bytes:
    """The average colour. With `axes` of (3,) it gives no vector."""
    pixels = _value(takes, FLOAT, ("batch", 3, 224, 224))
    shape = ("batch", 3, 224)[: 4 - len(axes)]
    return _model([_node("ReduceMean", [takes], gives, axes)], [pixels], _value(gives, FLOAT, shape))


def text_model(*, width: int = 3, masked: bool = False) -> bytes:
    """The average of what the words mean."""
    table = np.zeros((len(VOCABULARY), width), np.float32)
    for word, meaning in MEANS.items():
        table[VOCABULARY.index(word), :3] = meaning
    raw = _field(1, len(table)) + _field(1, width) + _field(2, FLOAT) + _field(8, "table") + _field(9, table.tobytes())
    nodes = [_node("Gather", ["table", "input_ids"], "words"), _node("ReduceMean", ["words"], "text_embeds", (1,))]
    names = ("input_ids", "attention_mask") if masked else ("input_ids",)
    inputs = [_value(name, INT64, ("batch", "length")) for name in names]
    return _model(nodes, inputs, _value("text_embeds", FLOAT, ("batch", width)), [raw])


def write_clip(folder: Path, *, vision: bytes | None = None, text: bytes | None = None, kind: str = "") -> Path:
    """The folder, with all files of a model."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    (folder / "onnx" / f"vision_model{kind}.onnx").write_bytes(vision_model() if vision is None else vision)
    (folder / "onnx" / f"text_model{kind}.onnx").write_bytes(text_model() if text is None else text)
    numbered = {piece: number for number, piece in enumerate(VOCABULARY)}
    (folder / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES, ""]), encoding="utf-8")
    return folder
