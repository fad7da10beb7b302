"""In which order tracks are played, the same for every music library."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from vidgend.pipeline.music.port import Track


def shuffled(tracks: Iterable[Track], *, seed: int) -> tuple[Track, ...]:
    """The same for the same seed and files, wherever their folder lies.

    Hashing spreads neighbouring seeds, so that two videos in a row do not begin with the same track more often than by
    chance; and one more file changes the order of the others as little as can be.
    """

    def order(track: Track) -> bytes:
        return hashlib.sha256(f"{seed} {track.place}".encode("utf-8", "surrogateescape")).digest()

    return tuple(sorted(tracks, key=order))
