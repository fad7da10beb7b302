"""Which similarity is used here, and why. Loads no model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.clip_files import clip_files
from vidgend.pipeline.relevance.embeddings import EmbeddingSimilarity
from vidgend.pipeline.relevance.looks import ClipSimilarity
from vidgend.pipeline.relevance.model_files import INSTALL, PULL, find_embeddings
from vidgend.pipeline.relevance.port import ImageSimilarity, TextSimilarity

Preference = Literal["auto", "bm25"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What will compare texts. `reason` says what was found or is missing, `get` how to get the better one, or ""."""

    name: str
    reason: str
    get: str = ""


def probe(preference: Preference, *, models_dir: Path, hub_dir: Path) -> Found:
    """What `build_similarities` would put first."""
    if preference == "bm25":
        return Found(name="bm25", reason="footage.relevance = bm25")
    model = find_embeddings(models_dir=models_dir, hub_dir=hub_dir)
    if model is None:
        reason = "the embedding model is not on this machine"
        return Found(name="bm25", reason=reason, get=f"`{INSTALL}`, or `{PULL}`")
    return Found(name="embeddings", reason=f"all-MiniLM-L6-v2 in {model.origin}")


def build_similarities(preference: Preference, *, models_dir: Path, hub_dir: Path) -> tuple[TextSimilarity, ...]:
    """The best one first; the last one needs nothing and never fails."""
    model = None if preference == "bm25" else find_embeddings(models_dir=models_dir, hub_dir=hub_dir)
    words = Bm25Similarity()
    return (EmbeddingSimilarity(model), words) if model is not None else (words,)


def build_looks(folder: Path | None) -> ImageSimilarity | None:
    """What looks at pictures: the model in `folder`, which may turn out to be none; None if no folder is set."""
    return ClipSimilarity(clip_files(folder)) if folder is not None else None
