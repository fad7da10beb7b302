"""No music."""

from __future__ import annotations

from vidgend.pipeline.music.port import Track


class NoMusic:
    """For `music.enabled = false`."""

    name = "none"

    def moods(self) -> tuple[str, ...]:
        return ()

    def pick(self, mood: str, *, seed: int) -> Track | None:
        """Always None."""
        return None
