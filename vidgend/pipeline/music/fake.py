"""A music library for tests."""

from __future__ import annotations

from collections.abc import Sequence

from vidgend.pipeline.music.choice import shuffled
from vidgend.pipeline.music.port import Track


class FakeMusic:
    """Offers `tracks` by their exact mood, else any of them; `asked` holds the calls."""

    name = "fake"

    def __init__(self, tracks: Sequence[Track] = ()) -> None:
        self._tracks = tuple(tracks)
        self.asked: list[tuple[str, int]] = []

    def moods(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(track.mood for track in self._tracks))

    def tracks(self, mood: str, *, seed: int) -> tuple[Track, ...]:
        self.asked.append((mood, seed))
        return shuffled([track for track in self._tracks if track.mood == mood] or self._tracks, seed=seed)
