"""Clips and songs of a video -> who is to be named, and in which words. Pure; nothing of it says anything that a
provider did not say.

The sentences are those that the services ask for; sources: https://www.pexels.com/license/,
https://pixabay.com/service/license-summary/, https://wiki.creativecommons.org/wiki/Recommended_practices_for_attribution
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from vidgend.models import Brief, Clip, Credit, MediaCredit, Scene
from vidgend.pipeline.captions.text import clean
from vidgend.store.uploads import PROVIDER as UPLOAD
from vidgend.timebase import frames_to_s

MUSIC = "music"
"""What is named as the provider of a song, whatever library it is from."""
SITES = {
    "pexels": "Pexels", "pixabay": "Pixabay", "openverse": "Openverse", "wikimedia": "Wikimedia Commons",
}  # fmt: skip
"""Providers that are to be named, as they write themselves; `pexels_photos` is called as `pexels`."""
CHANGED = " (changed: cut and cropped)"
"""CC BY asks that changes be named. Source: https://creativecommons.org/licenses/by/4.0/legalcode, 3(a)(1)(B)."""
PAINTED = "Painted backgrounds made by vidgend."
_OWN = ("library", UPLOAD, MUSIC, "generated")
_MOST_CHARS = 200
_MOST_URL_CHARS = 2000
_KINDS = {"video": "Video", "photo": "Photo"}
_DEED = re.compile(r"^(CC[ -]?BY\b|Creative Commons)", re.I)
_FREE = re.compile(r"^(CC0|PDM|Public Domain)", re.I)


def song_credits(music: dict[str, Any] | None) -> tuple[Credit, ...]:
    """Of `JoinedVideo.music`."""
    return tuple(
        Credit(
            provider=MUSIC,
            author=track.get("author") or track["title"],
            title=track["title"],
            page_url=track.get("page_url", ""),
            licence=track["licence"],
            licence_url=track.get("licence_url", ""),
        )
        for track in (music or {}).get("tracks", ())
    )


def credits_of(brief: Brief, scenes: Sequence[Scene], songs: Iterable[Credit]) -> tuple[MediaCredit, ...]:
    """One for each distinct clip, in the order in which they are first shown, and for each distinct song."""
    shown: dict[tuple[str, str], list[Scene]] = {}
    for scene in scenes:
        if scene.clip is not None:
            shown.setdefault((scene.clip.provider, scene.clip.id), []).append(scene)
    found = [_of_clip(brief, alike) for alike in shown.values()]
    return (*found, *(_media(song, kind="music") for song in dict.fromkeys(songs)))


def _of_clip(brief: Brief, scenes: Sequence[Scene]) -> MediaCredit:
    clip = scenes[0].clip
    assert clip is not None
    fps = brief.frame_rate
    times = [(scene.start_frame or 0, (scene.start_frame or 0) + (scene.frames or 0)) for scene in scenes]
    return replace(
        _media(clip.credit, kind="upload" if clip.provider == UPLOAD else clip.kind),
        title=_line(clip.credit.title or _named(clip)),
        scenes=tuple(scene.index + 1 for scene in scenes),
        seconds=tuple(
            (round(float(frames_to_s(first, fps)), 3), round(float(frames_to_s(last, fps)), 3)) for first, last in times
        ),
    )


def _named(clip: Clip) -> str:
    return clip.description or ("" if clip.recipe else clip.id)


def _media(credit: Credit, **more: Any) -> MediaCredit:
    texts: dict[str, Any] = {
        name: (text if _web(text) else "") if name.endswith("_url") else _line(text)
        for name, text in asdict(credit).items()
    }
    return MediaCredit(**texts, **more)


def _line(text: str) -> str:
    """Text from outside on one line; "" if nothing of it is seen."""
    line = " ".join(clean(text).split())[:_MOST_CHARS]
    return line if any(map(str.isprintable, line.replace(" ", ""))) else ""


def author_of(credit: Credit) -> str:
    """Who made it, "" if nobody knows."""
    return "" if credit.provider == MUSIC and credit.author == credit.title else credit.author


def site_of(credit: Credit) -> str:
    """Where it is from, as people write it; "" for a folder of one's own."""
    provider = credit.provider
    return "" if provider in _OWN else SITES.get(re.split(r"[-_]", provider)[0], provider)


def _deed(credit: Credit) -> str:
    """The licence, if it is one that asks to be named wherever the work is shown."""
    return credit.licence if _DEED.match(credit.licence) or _FREE.match(credit.licence) else ""


def sentence(credit: MediaCredit) -> str:
    """What to write where the video is shown; "" for what needs no credit and has nobody to name."""
    author, site, deed = author_of(credit), site_of(credit), _deed(credit)
    if credit.kind == "generated":
        return PAINTED
    if credit.kind == "music":
        by = f" by {author}" if author else ""
        licence = f" ({_with(credit.licence, credit.licence_url)})" if credit.licence else ""
        return f'Music: "{credit.title or credit.author}"{by}{licence}{_at(credit)}'
    what = _KINDS.get(credit.kind, "Footage")
    if deed:
        by = f" by {author}" if author else ""
        free = _FREE.match(deed)
        verb, changed = ("is marked with", "") if free else ("is licensed under", CHANGED)
        return f'"{credit.title or what}"{by} {verb} {_with(deed, credit.licence_url)}{_at(credit)}{changed}'
    if not author:
        return f"{what} from {site}{_at(credit)}" if site else ""
    if site == SITES["pixabay"]:
        return f"{what} by {author} from {site}{_at(credit)}"
    if site:
        return f"{what} by {author} on {site}{_at(credit)}"
    licence = f", {_with(credit.licence, credit.licence_url)}" if credit.licence else ""
    return f"{what} by {author}{licence}{_at(credit)}"


def _with(text: str, url: str) -> str:
    return f"{text} {url}" if text and _web(url) else text


def _at(credit: Credit) -> str:
    return f": {credit.page_url}" if _web(credit.page_url) else ""


def _web(url: str) -> bool:
    """Whether it can be written down: an address of a page, in which nothing is hidden."""
    return (
        url.startswith(("https://", "http://")) and len(url) <= _MOST_URL_CHARS and url.isprintable() and " " not in url
    )


def short_names(credits: Sequence[MediaCredit]) -> tuple[tuple[str, str], ...]:
    """(name, its Creative Commons licence or where it is from), for a card that is seen for a few seconds: each once,
    songs last. Paintings and files without an author have nobody to name."""
    rows = []
    for credit in credits:
        author = author_of(credit)
        if credit.kind == "music":
            rows.append((credit.title or credit.author, " · ".join(part for part in (author, _deed(credit)) if part)))
        elif credit.kind != "generated" and (author or site_of(credit)):
            rows.append((author or credit.title, _deed(credit) or site_of(credit)))
    return tuple(dict.fromkeys(rows))
