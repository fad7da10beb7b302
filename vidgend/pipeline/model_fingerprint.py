"""What tells a model from another one of the same name and shape."""

from __future__ import annotations

import hashlib
from pathlib import Path

SAMPLES, SAMPLE_BYTES = 64, 4096


def fingerprint_of(weights: Path, size_bytes: int, *beside: Path) -> str:
    """Of samples all over the weights, since a fine-tune may leave any of them alone, and of the files `beside` them,
    if they are there. All of a large model would take seconds to read."""
    found = hashlib.sha256()
    for file in beside:
        found.update(file.read_bytes() if file.is_file() else b"")
    with weights.open("rb") as opened:
        for number in range(SAMPLES):
            opened.seek(size_bytes * number // SAMPLES)
            found.update(opened.read(SAMPLE_BYTES))
    return found.hexdigest()[:16]
