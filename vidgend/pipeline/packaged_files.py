"""Files inside installed packages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path


def packaged_files(places: Iterable[tuple[str, str]]) -> tuple[Path, ...]:
    """The files that are named as (module, path inside it), found without importing them; () unless all are there."""
    found = []
    for module, inside in places:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None or not (file := Path(spec.origin).parent / inside).is_file():
            return ()
        found.append(file)
    return tuple(found)
