"""The user's own music folder: a sub-folder or a word in a file's name is its mood."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vidgend.pipeline.media_kind import HEAD_BYTES, sniff
from vidgend.pipeline.music.choice import shuffled
from vidgend.pipeline.music.port import Track
from vidgend.pipeline.vocabulary import MOOD_WORDS, MOODS, nearest_mood, words_of

SUFFIXES = frozenset({".mp3", ".m4a", ".ogg", ".opus", ".flac", ".wav"})
MAX_FILES = 5_000
MAX_DEPTH = 4
LICENCE = "own music"


class FolderMusic:
    """Reads the folder at every call, so that new files count at once: call it off the event loop."""

    name = "folder"

    def __init__(self, folder: Path, *, max_files: int = MAX_FILES) -> None:
        self._folder = folder
        self._max_files = max_files

    def moods(self) -> tuple[str, ...]:
        """The sub-folders' names, and the usual moods that file names suggest."""
        found = dict.fromkeys(track.mood for track in self._tracks() if track.mood)
        return tuple(sorted(found))

    def tracks(self, mood: str, *, seed: int) -> tuple[Track, ...]:
        """Those whose folder or name says `mood`; else those of the nearest mood; else all."""
        tracks = self._tracks()
        wanted = mood.strip().casefold()
        exact = [track for track in tracks if wanted and wanted in _labels(self._folder, track)]
        nearest = nearest_mood(mood)
        if exact:
            return shuffled(exact, seed=seed)
        near = [track for track in tracks if nearest and track.mood == nearest] or tracks
        return shuffled([replace(track, fits=False) for track in near], seed=seed)

    def _tracks(self) -> list[Track]:
        return [
            Track(
                path=path,
                place=path.relative_to(self._folder).as_posix(),
                title=path.stem.replace("_", " "),
                mood=_mood(self._folder, path),
                licence=LICENCE,
            )
            for path in _files(self._folder, self._max_files)
        ]


def _labels(folder: Path, track: Track) -> set[str]:
    parts = track.path.relative_to(folder).parts
    return {part.casefold() for part in parts[:-1]} | {
        word.casefold() for part in parts for word in words_of(part.replace("_", " ").replace("-", " "))
    }


def _mood(folder: Path, path: Path) -> str:
    """A known mood that folder or file name suggests; else the sub-folder's own name; else ""."""
    parts = path.relative_to(folder).parts
    for text in (*parts[:-1][::-1], path.stem):
        for word in words_of(text.replace("_", " ").replace("-", " ").casefold()):
            if word in MOODS or word in MOOD_WORDS:
                return MOOD_WORDS.get(word, word)
    return parts[-2].casefold() if len(parts) > 1 else ""


def _files(folder: Path, most: int) -> Iterator[Path]:
    """Music files by name and content, links and hidden ones left out."""
    todo = [(folder, 0)]
    seen = 0
    while todo:
        place, depth = todo.pop()
        try:
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            seen += 1
            if seen > most:
                return
            if entry.is_dir(follow_symlinks=False) and depth < MAX_DEPTH:
                todo.append((Path(entry.path), depth + 1))
            elif entry.is_file(follow_symlinks=False) and _is_music(Path(entry.path)):
                yield Path(entry.path)


def _is_music(path: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            media = sniff(file.read(HEAD_BYTES))
    except OSError:
        return False
    return media is not None and (media.kind == "audio" or media.demuxer == "mov")
