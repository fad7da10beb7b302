"""Files that a model hub's own tools have already put on this machine. Nothing here downloads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def default_hub_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where huggingface_hub keeps its files. Source: its variables HF_HUB_CACHE, HF_HOME and XDG_CACHE_HOME."""
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"])
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(environ.get("HF_HOME") or cache / "huggingface")
    return home / "hub"


def snapshot(hub_dir: Path, repository: str) -> Path | None:
    """The folder with the files of `owner/name` at its main branch, or None."""
    folder = hub_dir / f"models--{repository.replace('/', '--')}"
    try:
        commit = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = folder / "snapshots" / commit
    return found if commit and found.is_dir() else None
