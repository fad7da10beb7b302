"""How a track is chosen, the same for every music library."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vidgend.pipeline.music.port import Track


def choose(tracks: Sequence[Track], *, seed: int) -> Track | None:
    """One of `tracks`, the same for the same seed and files; None if there are none.

    Hashing spreads neighbouring seeds, so that two jobs in a row do not get the same track more often than by chance.
    """
    if not tracks:
        return None
    ordered = sorted(tracks, key=lambda track: str(track.path))
    digest = hashlib.sha256(str(seed).encode()).digest()
    return ordered[int.from_bytes(digest[:8], "big") % len(ordered)]
