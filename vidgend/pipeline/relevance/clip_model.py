"""A CLIP model in onnxruntime: texts and pictures -> vectors whose dot product tells how well they go together.

Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021; the mean and
spread of the colours are those of its preprocessing (github.com/openai/CLIP, clip/clip.py). Inputs and outputs are
named as Hugging Face's Optimum names them in an export.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgend.pipeline.relevance.clip_files import ClipFiles
from vidgend.pipeline.relevance.clip_tokens import END, START, ranks_of, tokens_of
from vidgend.pipeline.relevance.port import SEEN_PX
from vidgend.pipeline.speech.speaking import onnx_session, run_onnx

Floats = NDArray[np.float32]

_MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)
_SPREAD = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)


class ClipModel:
    """Raises: ValueError for files that are something else, OSError, what onnxruntime raises."""

    def __init__(self, files: ClipFiles) -> None:
        vocabulary = json.loads(files.vocabulary.read_text(encoding="utf-8"))
        if not isinstance(vocabulary, dict) or not all(type(vocabulary.get(name)) is int for name in (START, END)):
            raise ValueError(f"{files.vocabulary} is not CLIP's")
        self._vocabulary: dict[str, int] = vocabulary
        with files.merges.open(encoding="utf-8") as lines:
            self._ranks = ranks_of(lines)
        self._vision = _Tower(files.vision, takes={"pixel_values": "tensor(float)"}, gives="image_embeds")
        taken = {"input_ids": "tensor(int64)", "attention_mask": "tensor(int64)"}
        self._text = _Tower(files.text, takes=taken, gives="text_embeds")

    def cosines(self, wanted: Sequence[str], pictures: Sequence[Path]) -> Floats:
        """float32[texts, pictures]. Pictures are files as the port of relevance has them."""
        texts = np.stack([self._text.vector(self._read(text)) for text in wanted])
        seen = np.stack([self._vision.vector({"pixel_values": pixels_of(path)}) for path in pictures])
        if texts.shape[1] != seen.shape[1]:
            raise ValueError(f"text_embeds has {texts.shape[1]} numbers and image_embeds {seen.shape[1]}")
        return np.asarray(texts @ seen.T, np.float32)

    def _read(self, text: str) -> dict[str, NDArray[Any]]:
        ids = tokens_of(text, self._vocabulary, self._ranks)
        end = ids.index(self._vocabulary[END]) + 1
        mask = [1] * end + [0] * (len(ids) - end)
        return {"input_ids": np.array([ids], np.int64), "attention_mask": np.array([mask], np.int64)}


def pixels_of(path: Path) -> Floats:
    """float32[1, 3, SEEN_PX, SEEN_PX], as the model was trained on them. Raises: ValueError, OSError."""
    raw = np.fromfile(path, np.uint8)
    if raw.size != SEEN_PX * SEEN_PX * 3:
        raise ValueError(f"{path.name} is not a picture of {SEEN_PX} x {SEEN_PX}")
    shares = raw.reshape(SEEN_PX, SEEN_PX, 3).astype(np.float32) / 255
    return np.ascontiguousarray(((shares - _MEAN) / _SPREAD).transpose(2, 0, 1)[None])


class _Tower:
    """One of the two halves. `takes` are the inputs that can be given, name -> type; a model need not want them all.

    Looks at one thing at a time: there are few, and the memory stays that of one.
    """

    def __init__(self, path: Path, *, takes: dict[str, str], gives: str) -> None:
        self._session = onnx_session(str(path), threads=1)
        wants = {one.name: one.type for one in self._session.get_inputs()}
        self._name, self._gives = path.name, gives
        if not wants or any(takes.get(name) != kind for name, kind in wants.items()):
            raise ValueError(f"{path.name} takes {_listed(wants)} instead of {_listed(takes)}")
        if gives not in (names := [one.name for one in self._session.get_outputs()]):
            raise ValueError(f"{path.name} gives {', '.join(names)}, but no {gives}")
        self._wants = tuple(wants)

    def vector(self, inputs: dict[str, NDArray[Any]]) -> Floats:
        """float32[width], of length 1."""
        (found,) = run_onnx(self._session, [self._gives], {name: inputs[name] for name in self._wants})
        vector = np.asarray(found, np.float32)
        length = float(np.linalg.norm(vector))
        if vector.ndim != 2 or vector.shape[0] != 1 or not 0 < length < float("inf"):
            raise ValueError(f"{self._name} gives no vector: {list(vector.shape)}")
        return np.asarray(vector[0] / length, np.float32)


def _listed(types: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in types.items())
