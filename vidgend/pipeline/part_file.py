"""A file that appears whole or not at all: written beside its name, then renamed."""

from __future__ import annotations

import os
from pathlib import Path


def part_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def finish(part: Path, path: Path) -> None:
    """Rename a written and synced part into place and make the name durable."""
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
