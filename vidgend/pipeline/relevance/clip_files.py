"""The folder with a CLIP model: which files it needs, and what is missing. Nothing here imports a model library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidgend.pipeline.model_fingerprint import fingerprint_of

REPOSITORY = "Xenova/clip-vit-base-patch32"
"""Whose names of files are expected; exports of other CLIP models have the same."""
VOCABULARY, MERGES = "vocab.json", "merges.txt"
KINDS = ("", "_quantized", "_uint8", "_int8")
"""Of one model, most exact first: `onnx/vision_model.onnx`, `onnx/vision_model_quantized.onnx`, ..."""


@dataclass(frozen=True, kw_only=True)
class ClipFiles:
    """Where the files of a model are. `missing` names those that are not there; then it cannot be used."""

    folder: Path
    vision: Path
    text: Path
    missing: tuple[str, ...] = ()

    @property
    def vocabulary(self) -> Path:
        return self.folder / VOCABULARY

    @property
    def merges(self) -> Path:
        return self.folder / MERGES

    @property
    def problem(self) -> str:
        """What is wrong with the folder, or ""."""
        if not self.folder.is_dir():
            return f"footage.image_model {self.folder} is not a folder"
        if self.missing:
            return f"footage.image_model {self.folder} has no {', no '.join(self.missing)}"
        return ""

    @property
    def fingerprint(self) -> str:
        """Raises: OSError."""
        parts = (
            fingerprint_of(self.vision, self.vision.stat().st_size, self.vocabulary, self.merges),
            fingerprint_of(self.text, self.text.stat().st_size),
        )
        return "".join(part[:8] for part in parts)


def clip_files(folder: Path) -> ClipFiles:
    """What a folder has; of several kinds of one model the most exact."""
    found = {}
    missing = [name for name in (VOCABULARY, MERGES) if not (folder / name).is_file()]
    for name in ("vision_model", "text_model"):
        kinds = [folder / "onnx" / f"{name}{kind}.onnx" for kind in KINDS]
        found[name] = next((path for path in kinds if path.is_file()), kinds[0])
        if not found[name].is_file():
            missing.append(f"onnx/{name}.onnx")
    return ClipFiles(folder=folder, vision=found["vision_model"], text=found["text_model"], missing=tuple(missing))
