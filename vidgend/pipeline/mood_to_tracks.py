"""Mood -> tracks: music for a video of some length, out of the library or an uploaded file."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgend.errors import MediaUnreadable, NotFound, UploadLost
from vidgend.models import Brief, Substitution
from vidgend.pipeline.executor.port import StepOutput, StepRun, StepSpec
from vidgend.pipeline.music.arrangement import covered
from vidgend.pipeline.music.port import MusicLibrary, Track
from vidgend.pipeline.run import JobRun
from vidgend.pipeline.track_to_parts import Heard, hear
from vidgend.store.assets.store import AssetStore

TRACK = "track"
CODE = ("mood_to_tracks.py",)
MOST_TRACKS = 40
"""In one video; after them the first ones come again."""
OWN_TITLE = "uploaded music"


@dataclass(frozen=True, kw_only=True)
class FoundTrack:
    """A track that is in the store, and what it is like."""

    digest: str
    title: str
    mood: str
    licence: str
    author: str = ""
    page_url: str = ""
    licence_url: str = ""
    heard: Heard
    fits: bool = True


class TrackStep:
    """args: mood, seed, place, size_bytes, mtime_ns -> digest"""

    def __init__(self, music: MusicLibrary, assets: AssetStore) -> None:
        self._music = music
        self._assets = assets

    async def __call__(self, args: dict[str, Any], run: StepRun) -> StepOutput:
        path = run.scratch / "track"
        await asyncio.to_thread(self._copy, args, path)
        digest = await self._assets.put(path)
        return StepOutput(output={"digest": digest}, blobs=(digest,))

    def _copy(self, args: dict[str, Any], path: Path) -> None:
        """Raises: MediaUnreadable if the file is gone or has changed since it was listed."""
        for listed in _listing(self._music, args["mood"], args["seed"]):
            if listed.args == args:
                try:
                    shutil.copyfile(listed.track.path, path)
                except (FileNotFoundError, PermissionError) as error:
                    raise MediaUnreadable(f"the music file cannot be read: {error}") from error
                return
        raise MediaUnreadable("the music file is gone, or has changed meanwhile")


@dataclass(frozen=True, kw_only=True)
class _Listed:
    track: Track
    args: dict[str, Any]


def _listing(music: MusicLibrary, mood: str, seed: int) -> list[_Listed]:
    """The tracks in their order, with what tells whether a file is still the same."""
    found: list[_Listed] = []
    for track in music.tracks(mood, seed=seed)[:MOST_TRACKS]:
        try:
            stat = track.path.stat()
        except OSError:  # deleted since it was listed
            continue
        args = {
            "mood": mood, "seed": seed, "place": track.place, "size_bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns,
        }  # fmt: skip
        found.append(_Listed(track=track, args=args))
    return found


async def find_tracks(
    run: JobRun, brief: Brief, *, music: MusicLibrary, mood: str, samples: int
) -> tuple[FoundTrack, ...]:
    """Tracks for `samples` of video at 48 kHz, as many as last so long, or all there are; () for no music.

    `mood` counts if the brief names none. Raises: UploadLost.
    """
    if not brief.music.enabled or brief.music.volume <= 0:
        return ()
    if brief.music.asset is not None:
        return await _own(run, brief.music.asset, brief.music.title)
    wanted = brief.music.mood or mood
    # Listed anew every time: the user's folder may have changed since the last video.
    listing = await asyncio.to_thread(_listing, music, wanted, brief.seed)
    found: list[FoundTrack] = []
    for listed in listing:
        if found and covered([track.heard.parts for track in found]) >= samples:
            break
        try:
            found.append(await _from_library(run, music, listed))
        except MediaUnreadable as error:
            await _say(run, f"the track {listed.track.title}", "another one", error.detail)
    if not found:
        reason = f"the music library ({music.name}) has no track" + (" that can be read" if listing else "")
        await _say(run, "music", "no music", reason)
    elif brief.music.mood and not found[0].fits:
        moods = await asyncio.to_thread(music.moods)
        reason = f"there is none called so; there are {', '.join(moods) or 'no moods'}"
        await _say(run, f"{brief.music.mood} music", f"{found[0].mood} music", reason)
    return tuple(found)


async def _own(run: JobRun, digest: str, title: str | None) -> tuple[FoundTrack, ...]:
    try:
        heard = await hear(run, digest)
    except NotFound as error:
        raise UploadLost(f"the music {title or OWN_TITLE!r} ({digest[:12]}…) is gone") from error
    except MediaUnreadable as error:
        await _say(run, "the uploaded music", "no music", error.detail)
        return ()
    named: dict[str, Any] = {"title": title or OWN_TITLE, "licence": ""} | _says_itself(heard)
    return (FoundTrack(digest=digest, mood="", heard=heard, **named),)


def _says_itself(heard: Heard) -> dict[str, str]:
    """Who made a file and under which licence, as far as its tags tell."""
    tags = heard.tags
    told = {"title": tags.title, "author": tags.artist, "licence": tags.licence}
    if tags.licence.startswith(("https://", "http://")):
        told |= {"licence": "", "licence_url": tags.licence}
    return {name: text for name, text in told.items() if text}


async def _from_library(run: JobRun, music: MusicLibrary, listed: _Listed) -> FoundTrack:
    """Raises: MediaUnreadable."""
    spec = StepSpec(
        key=run.key(TRACK, listed.args, CODE, music.name),
        kind=TRACK,
        args=listed.args,
        label="io",
        timeout_s=120,
        max_attempts=1,
    )
    output = await run.step(spec, stage="publishing")
    track, heard = listed.track, await hear(run, output["digest"])
    named: dict[str, Any] = {
        "title": track.title, "licence": track.licence, "author": track.author, "page_url": track.page_url,
        "licence_url": track.licence_url,
    } | ({} if track.author else _says_itself(heard))  # fmt: skip
    return FoundTrack(digest=output["digest"], mood=track.mood, heard=heard, fits=track.fits, **named)


async def _say(run: JobRun, wanted: str, used: str, reason: str) -> None:
    await run.substitute(Substitution(stage="publishing", wanted=wanted, used=used, reason=reason))
