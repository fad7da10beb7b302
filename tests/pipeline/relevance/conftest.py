"""A model of the right shape with weights from a die, and the real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_model import write_safetensors

from vidgend.pipeline.relevance.minilm import HEADS, LAYERS, WIDTH
from vidgend.pipeline.relevance.model_files import VOCABULARY, WEIGHTS, LocalEmbeddings, find_embeddings
from vidgend.pipeline.speech.hub import default_hub_dir

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "a",
    "dog",
    "cat",
    "wave",
    "##s",
    "on",
    "the",
    "rock",
    ".",
    "5",
    "#",
    "##5",
]
INNER = 1536


@pytest.fixture(scope="session")
def made_model(tmp_path_factory: pytest.TempPathFactory) -> LocalEmbeddings:
    assert WIDTH % HEADS == 0
    rng = np.random.default_rng(6)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.05, shape).astype(np.float32)

    def normal(name: str) -> dict[str, np.ndarray]:
        return {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": np.zeros(WIDTH, np.float32)}

    tensors = {
        "embeddings.word_embeddings.weight": some(len(WORDS), WIDTH) * 20,
        "embeddings.position_embeddings.weight": some(512, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
        **normal("embeddings.LayerNorm"),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            tensors |= {f"{at}.{part}.weight": some(WIDTH, WIDTH), f"{at}.{part}.bias": some(WIDTH)}
        tensors |= {f"{at}.intermediate.dense.weight": some(INNER, WIDTH), f"{at}.intermediate.dense.bias": some(INNER)}
        tensors |= {f"{at}.output.dense.weight": some(WIDTH, INNER), f"{at}.output.dense.bias": some(WIDTH)}
        tensors |= normal(f"{at}.attention.output.LayerNorm") | normal(f"{at}.output.LayerNorm")
    folder = tmp_path_factory.mktemp("models") / "all-MiniLM-L6-v2"
    folder.mkdir()
    write_safetensors(folder / WEIGHTS, tensors)
    (folder / VOCABULARY).write_text("".join(f"{word}\n" for word in WORDS), encoding="utf-8")
    return LocalEmbeddings(folder=folder, origin="a test")


@pytest.fixture(scope="session")
def real_model() -> LocalEmbeddings:
    found = find_embeddings(models_dir=Path("/nonexistent"), hub_dir=default_hub_dir())
    if found is None:
        pytest.skip("all-MiniLM-L6-v2 is not installed: make install")
    return found
