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

    def place(track: Track) -> tuple[bytes, str]:
        name = f"{seed} {track.path.parent.name}/{track.path.name}"
        return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest(), str(track.path)

    return tuple(sorted(tracks, key=place))
