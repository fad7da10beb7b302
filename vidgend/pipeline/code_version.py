"""What code made an output: part of every step's key, so that changed code never takes old outputs for its own."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PIPELINE = Path(__file__).parent


@cache
def code_version(*parts: str) -> str:
    """A short hash over the source of files and folders of `vidgend/pipeline`, such as `segment_args.py`.

    Reads them once per process. Raises: FileNotFoundError for a name that is not there.
    """
    digest = hashlib.sha256()
    for part in parts:
        path = _PIPELINE / part
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(path)
        for file in files:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
