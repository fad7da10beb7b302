"""The 28 tracks of the package immich-memories-music, found without running any of its code.

Source: the package's LICENSE-MUSIC: made with ACE-Step 1.5, released under MIT, no attribution required.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from vidgend.pipeline.music.choice import shuffled
from vidgend.pipeline.music.port import Track
from vidgend.pipeline.vocabulary import MOODS, nearest_mood

PACKAGE = "immich_memories_music"
LICENCE = "MIT (immich-memories-music; made with ACE-Step 1.5, no attribution required)"
AUTHOR = "Immich Memories Contributors"
PAGE_URL = "https://pypi.org/project/immich-memories-music/"
LICENCE_URL = "https://opensource.org/license/mit"
DEFAULT_MOOD = "calm"
"""For a mood word that nobody knows: the bed that disturbs a voice least."""


class PackagedMusic:
    """Tracks by mood; other mood words go to the nearest one. Without the package there is no music.

    `folder` is where the tracks are, one sub-folder a mood; by default the installed package is asked.
    The folder is read once, on first use.
    """

    name = "packaged"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @cached_property
    def _tracks(self) -> dict[str, tuple[Track, ...]]:
        folder = self._folder or packaged_folder()
        return {mood: tracks for mood in MOODS if folder and (tracks := _tracks_in(folder / mood, mood))}

    def moods(self) -> tuple[str, ...]:
        """The moods that have tracks."""
        return tuple(self._tracks)

    def tracks(self, mood: str, *, seed: int) -> tuple[Track, ...]:
        """Those of `mood`, of the nearest mood, or else the calm ones; () only if there are no tracks at all."""
        known = self._tracks
        wanted = mood.strip().casefold()
        for name in (wanted, nearest_mood(mood), DEFAULT_MOOD):
            if name in known:
                return shuffled([replace(track, fits=name == wanted) for track in known[name]], seed=seed)
        return shuffled([replace(track, fits=False) for tracks in known.values() for track in tracks], seed=seed)


def packaged_folder() -> Path | None:
    """Where the installed package keeps its tracks, or None. The package is located, never imported."""
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "tracks"
        if folder.is_dir():
            return folder
    return None


def _tracks_in(folder: Path, mood: str) -> tuple[Track, ...]:
    return tuple(
        Track(
            path=path, place=f"{mood}/{path.name}", title=path.stem.replace("_", " "), mood=mood, licence=LICENCE,
            author=AUTHOR, page_url=PAGE_URL, licence_url=LICENCE_URL,
        )
        for path in sorted(folder.glob("*.opus"))
    )  # fmt: skip
