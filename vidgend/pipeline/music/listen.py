"""Listening to a track, as a program: a file of mono 16-bit sound at 12 kHz in, its parts as JSON on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402

from vidgend.pipeline.music.beats import RATE_HZ, Array  # noqa: E402
from vidgend.pipeline.music.parts import find_parts  # noqa: E402

BLOCK_S = 60


def blocks_of(path: Path) -> Iterator[Array]:
    """A raw file, a minute at a time."""
    with path.open("rb") as file:
        while raw := file.read(BLOCK_S * RATE_HZ * 2):
            yield np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)


def main(argv: list[str]) -> int:
    """Prints `null` for a silent file."""
    if len(argv) != 2:
        sys.stderr.write("usage: python -m vidgend.pipeline.music.listen FILE\n")
        return 2
    found = find_parts(lambda: blocks_of(Path(argv[1])))
    print(json.dumps(asdict(found) if found else None))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
