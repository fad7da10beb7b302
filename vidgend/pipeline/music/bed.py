"""The bed of music, as a program: pieces of decoded tracks in, one stream of sound out, without a seam.

    python -m vidgend.pipeline.music.bed bed.json        in the folder where the tracks are; float32 stereo on stdout

Where one piece takes over from another that is alike, it is moved by a few milliseconds to where it fits best, and the
sum is kept as loud as the two are: neither the dip of a linear fade nor the bump of two waves that agree. Memory
holds some seconds of sound, however long the video is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# It runs beside an encoder on the same cores.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from vidgend.pipeline.music.arrangement import Piece  # noqa: E402
from vidgend.timebase import SAMPLE_RATE_HZ  # noqa: E402

Array = NDArray[np.float32]
FRAME_BYTES = 4
"""One moment of a decoded track: 16 bits, two channels."""
BLOCK = SAMPLE_RATE_HZ
MOVED = SAMPLE_RATE_HZ // 100
"""How far a piece is moved at most to fit: 10 ms are not heard as late."""
LOOKED = 32_768
"""So many samples in the middle of a fade are compared."""
ALIKE = 0.3
"""Correlation from which two pieces are the same music; others keep to the beat."""
LEAST_ALIKE = -0.7
"""Waves that cancel each other more than this are not made up for: noise would be all that is left."""


@dataclass(frozen=True, kw_only=True)
class DecodedTrack:
    """Raw signed 16-bit stereo at 48 kHz; `gain` is a factor."""

    path: Path
    gain: float

    def read(self, start: int, count: int) -> Array:
        """float32[count, 2]; silence where the file has nothing."""
        found = np.zeros((count, 2), np.float32)
        skip = max(0, -start)
        if count > skip:
            raw = np.fromfile(self.path, "<i2", (count - skip) * 2, offset=max(0, start) * FRAME_BYTES)
            got = len(raw) // 2
            found[skip : skip + got] = raw[: got * 2].reshape(got, 2) * np.float32(self.gain / 32768)
        return found


def lay(tracks: list[DecodedTrack], pieces: list[Piece]) -> Iterator[Array]:
    """The bed, block by block, as long as the pieces are."""
    tail: Array | None = None
    for number, piece in enumerate(pieces):
        track = tracks[piece.track]
        if tail is not None:
            piece = replace(piece, start=piece.start + _moved(tail, track, piece))
            yield joined(tail, track.read(piece.start, piece.fade))
        fade_next = pieces[number + 1].fade if number + 1 < len(pieces) else 0
        end = piece.samples - fade_next
        for first in range(piece.fade, end, BLOCK):
            yield track.read(piece.start + first, min(BLOCK, end - first))
        tail = track.read(piece.start + end, fade_next) if fade_next else None


def _moved(tail: Array, track: DecodedTrack, piece: Piece) -> int:
    """By how many samples to move a piece so that its wave agrees with the end of the one before, if they are alike.

    What changes fast is compared, so that a drum falls on a drum rather than a hum on a hum.
    """
    count = min(LOOKED, len(tail))
    if count < 4 * MOVED:
        return 0
    first = (len(tail) - count) // 2
    ending = np.diff(tail[first : first + count].sum(axis=1))
    coming = np.diff(track.read(piece.start + first - MOVED, count + 2 * MOVED).sum(axis=1))
    size = 1 << (count + 2 * MOVED).bit_length()
    product = np.fft.rfft(coming, size) * np.conj(np.fft.rfft(ending, size))
    alike = np.fft.irfft(product)[: 2 * MOVED + 1]
    best = int(np.argmax(alike))
    there = coming[best : best + count - 1]
    clear = float(alike[best]) > ALIKE * float(np.sqrt((ending**2).sum() * (there**2).sum()))
    return best - MOVED if clear and piece.start + best - MOVED >= 0 else 0


def joined(ending: Array, coming: Array) -> Array:
    """A cross-fade of equal power, allowing for how alike the two are."""
    turn = np.linspace(0, np.pi / 2, len(ending), dtype=np.float32)[:, None]
    out, into = np.cos(turn), np.sin(turn)
    power = [float((one.astype(np.float64) ** 2).mean()) + 1e-12 for one in (ending, coming)]
    both = float((ending.astype(np.float64) * coming).mean()) / (power[0] * power[1]) ** 0.5
    both = max(LEAST_ALIKE, both)
    apart = power[0] * out**2 + power[1] * into**2
    together = apart + 2 * both * (power[0] * power[1]) ** 0.5 * out * into
    result: Array = (ending * out + coming * into) * np.sqrt(apart / together).astype(np.float32)
    return result


def plan_json(pieces: tuple[Piece, ...], gains_db: list[float]) -> str:
    """What `main` reads. Track number n is `track-<n>.pcm`."""
    return json.dumps(
        {
            "gains": [10 ** (gain_db / 20) for gain_db in gains_db],
            "pieces": [[piece.track, piece.start, piece.samples, piece.at, piece.fade] for piece in pieces],
        }
    )


def _read(path: Path) -> tuple[list[DecodedTrack], list[Piece]]:
    plan: dict[str, Any] = json.loads(path.read_text())
    tracks = [
        DecodedTrack(path=path.parent / f"track-{number}.pcm", gain=gain) for number, gain in enumerate(plan["gains"])
    ]
    names = ("track", "start", "samples", "at", "fade")
    return tracks, [Piece(**dict(zip(names, piece, strict=True))) for piece in plan["pieces"]]


def main(argv: list[str]) -> int:
    """0 when all is written or the reader went away."""
    if len(argv) != 2:
        sys.stderr.write("usage: python -m vidgend.pipeline.music.bed PLAN\n")
        return 2
    tracks, pieces = _read(Path(argv[1]))
    out = sys.stdout.buffer
    try:
        for block in lay(tracks, pieces):
            out.write(np.ascontiguousarray(block, "<f4").tobytes())
        out.flush()
    except BrokenPipeError:
        # The reader has all it wants. Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
