"""all-MiniLM-L6-v2 in numpy: texts -> vectors whose dot product tells how much they mean the same.

Nothing but numpy is needed: no torch, no onnxruntime, no tokenizer library. Same vectors as sentence-transformers to
1e-6.

Source: the model card of sentence-transformers/all-MiniLM-L6-v2 (mean of the last layer over the pieces, length 1; it
was trained on 128 pieces); Devlin et al., "BERT", 2018, for the layers; Abramowitz and Stegun 7.1.26 for erf, whose
error is below 1.5e-7; the format of the weights is github.com/huggingface/safetensors, README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from vidgend.pipeline.relevance.model_files import VOCABULARY, WEIGHTS
from vidgend.pipeline.relevance.wordpiece import CLS, SEP, UNKNOWN, pieces_of, vocabulary_of

Floats = NDArray[np.float32]

LAYERS, HEADS, WIDTH = 6, 12, 384
LONGEST = 128
"""Pieces of a text that are looked at."""
BATCH = 32
"""Texts at once; the memory grows with it."""
_EPSILON = 1e-12
_MAX_HEADER_BYTES = 1 << 20


class _Tensor(BaseModel):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


_HEADER = TypeAdapter(dict[str, _Tensor | dict[str, str]])
"""By name; `__metadata__` is a table of words."""


def read_safetensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a file, as views into it: what is not used is never read. Raises: ValueError, OSError."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        if not 2 <= header_bytes <= min(_MAX_HEADER_BYTES, size_bytes - 8):
            raise ValueError(f"{path.name} is not a safetensors file")
        header = _HEADER.validate_json(file.read(header_bytes))
    # A plain array of the mapped bytes: memmap's own arithmetic is slower.
    values = np.asarray(np.memmap(path, dtype=np.uint8, mode="r", offset=8 + header_bytes))
    tensors = {}
    for name, told in header.items():
        if isinstance(told, _Tensor) and told.dtype == "F32":
            first, last = told.data_offsets
            if not 0 <= first <= last <= values.size:
                raise ValueError(f"{path.name} ends before {name}")
            tensors[name] = values[first:last].view(np.float32).reshape(told.shape)
    return tensors


class MiniLm:
    """`folder` holds `model.safetensors` and `vocab.txt`. Raises: ValueError for another model, OSError."""

    def __init__(self, folder: Path) -> None:
        with (folder / VOCABULARY).open(encoding="utf-8") as lines:
            self._vocabulary = vocabulary_of(lines)
        found = read_safetensors(folder / WEIGHTS)
        self._weights: Mapping[str, Floats] = {name.removeprefix("bert."): value for name, value in found.items()}
        table = self._weights.get("embeddings.word_embeddings.weight")
        last = f"encoder.layer.{LAYERS - 1}.output.LayerNorm.bias"
        if table is None or table.shape != (len(self._vocabulary), WIDTH) or last not in self._weights:
            raise ValueError(f"{folder} holds another model than all-MiniLM-L6-v2")
        if not {CLS, SEP, UNKNOWN} <= self._vocabulary.keys():
            raise ValueError(f"{folder / VOCABULARY} is not BERT's")

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32[texts, 384], each of length 1."""
        pieces = [pieces_of(text, self._vocabulary, most=LONGEST) for text in texts]
        order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))  # so that little is padding
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = self._batch([pieces[place] for place in batch])
        return vectors

    def _batch(self, pieces: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, pieces))
        ids = np.array([[*one, *[0] * (longest - len(one))] for one in pieces])
        there = np.array([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in pieces], np.float32)
        at = self._weights
        x = (
            at["embeddings.word_embeddings.weight"][ids]
            + at["embeddings.position_embeddings.weight"][:longest]
            + at["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._normal(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}", there)
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)

    def _layer(self, x: Floats, name: str, there: Floats) -> Floats:
        count, length, _ = x.shape
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}")
            .reshape(count, length, HEADS, WIDTH // HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((WIDTH / HEADS) ** 0.5)
        scores += ((there - 1) * np.float32(1e9))[:, None, None, :]
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        seen = (shares @ value).transpose(0, 2, 1, 3).reshape(count, length, WIDTH)
        x = self._normal(self._linear(seen, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normal(self._linear(inner, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def _linear(self, x: Floats, name: str) -> Floats:
        weight = self._weights[f"{name}.weight"]
        flat = x.reshape(-1, x.shape[-1]) @ weight.T  # one product; of three dimensions numpy makes one for each text
        return (flat + self._weights[f"{name}.bias"]).reshape(*x.shape[:-1], len(weight))

    def _normal(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(_EPSILON))
        return np.asarray(centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"])


def _gelu(x: Floats) -> Floats:
    size = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * size)
    inner = np.zeros_like(x)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        inner = np.asarray((inner + np.float32(factor)) * t, np.float32)
    erf = np.sign(x) * (1 - inner * np.exp(-size * size))
    return np.asarray(np.float32(0.5) * x * (1 + erf), np.float32)
