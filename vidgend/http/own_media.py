"""The uploads that a request names: found, and of the right kind, or refused with the place in the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from vidgend.http.edit_wire import PatchBody
from vidgend.http.problems import InvalidFields
from vidgend.http.wire import AssetBody, GenerateBody, MusicBody
from vidgend.models import Clip, VoiceOver
from vidgend.store.uploads import Upload, UploadStore

_NAMES = {"video": "a video", "photo": "a photo", "audio": "sound"}
_FIELDS = {"video": "clip", "photo": "image", "audio": "music.asset or narration_audio"}


@dataclass(frozen=True, kw_only=True)
class OwnMedia:
    """The clips by the number of their scene, counted from 0, what the music is called, and the voice-over."""

    clips: Mapping[int, Clip] = field(default_factory=dict)
    music_title: str | None = None
    recording: Upload | None = None
    voice_over: VoiceOver | None = None


async def own_media(uploads: UploadStore, body: GenerateBody, *, owner: str) -> OwnMedia:
    """Raises: InvalidFields."""
    scenes = body.scenes or ()
    given = [ref.asset for scene in scenes for ref in (scene.clip, scene.image) if ref is not None]
    music = body.music.asset if isinstance(body.music, MusicBody) else None
    voice = body.narration_audio
    if not given and music is None and voice is None:
        return OwnMedia()
    named = [*given, *([music] if music is not None else []), *([voice.asset] if voice is not None else [])]
    known = await uploads.find(named, owner=owner)
    errors: list[dict[str, str]] = []
    recording = (
        checked(known, voice.asset, ("audio", "video"), "/narration_audio", errors) if voice is not None else None
    )
    clips: dict[int, Clip] = {}
    for number, scene in enumerate(scenes):
        if scene.clip is not None:
            pointer = f"/scenes/{number}/clip"
            video = checked(known, scene.clip.asset, ("video",), pointer, errors)
            length_s = (video.duration_s or 0.0) if video is not None else 0.0
            if video is not None and scene.clip.in_point is not None and scene.clip.in_point >= length_s:
                detail = f"the clip is only {length_s:.2f} s long"
                errors.append({"pointer": f"{pointer}/in_point", "detail": detail})
            elif video is not None:
                clips[number] = video.clip(scene.clip.in_point)
        elif scene.image is not None:
            photo = checked(known, scene.image.asset, ("photo",), f"/scenes/{number}/image", errors)
            if photo is not None:
                clips[number] = photo.clip()
    title = _music_title(known, music, errors)
    if errors:
        raise InvalidFields(errors)
    spoken = None
    if voice is not None and recording is not None:
        spoken = VoiceOver(
            asset=recording.digest,
            title=PurePath(recording.name).stem,
            duration_s=recording_s(recording),
            keep_background=voice.keep_background,
        )
    return OwnMedia(clips=clips, music_title=title, recording=recording, voice_over=spoken)


def recording_s(upload: Upload) -> float:
    """How long it is as a voice-over, as far as is known."""
    return (upload.duration_s or 0.0) if upload.sound_s is None else upload.sound_s


@dataclass(frozen=True, kw_only=True)
class EditMedia:
    """What an edit may name: the clips by the id of their upload, and what its music is called."""

    clips: Mapping[str, Clip] = field(default_factory=dict)
    music_title: str | None = None


async def edit_media(uploads: UploadStore, body: PatchBody, *, owner: str) -> EditMedia:
    """The uploads that an edit names, as far as there are such. Raises: InvalidFields for its music."""
    named = [new.clip for new in body.add] + [patch.clip for patch in body.scenes]
    given = [one.asset for one in named if isinstance(one, AssetBody)]
    music = body.music.asset if isinstance(body.music, MusicBody) else None
    known = await uploads.find([*given, *([music] if music is not None else [])], owner=owner)
    errors: list[dict[str, str]] = []
    title = _music_title(known, music, errors)
    if errors:
        raise InvalidFields(errors)
    clips = {digest: upload.clip() for digest, upload in known.items() if upload.kind != "audio"}
    return EditMedia(clips=clips, music_title=title)


def _music_title(known: Mapping[str, Upload], music: str | None, errors: list[dict[str, str]]) -> str | None:
    """What uploaded music is called: its file's name. None for none; if it is no sound, `errors` says so."""
    sound = checked(known, music, ("audio",), "/music/asset", errors) if music is not None else None
    return PurePath(sound.name).stem if sound is not None else None


def checked(
    known: Mapping[str, Upload], digest: str, kinds: Iterable[str], pointer: str, errors: list[dict[str, str]]
) -> Upload | None:
    """The upload, if there is one of these kinds; else None, and what is wrong is added to `errors`."""
    upload = known.get(digest)
    if upload is None:
        detail = f"there is no upload {digest[:12]}…; send the file to POST /mcp/assets first"
    elif upload.kind not in kinds:
        detail = f"the upload {upload.name!r} is {_NAMES[upload.kind]}, which belongs into {_FIELDS[upload.kind]}"
    else:
        return upload
    errors.append({"pointer": pointer, "detail": detail})
    return None
