"""From the options of `vidgend generate` to the request that the HTTP interface takes, checked by the same models."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vidgend.cli.own_files import OwnFiles
from vidgend.complaints import in_words
from vidgend.errors import BadInput, PromptEmpty, UnknownStyle
from vidgend.http.wire import GenerateBody
from vidgend.pipeline.styles import STYLES

Body = TypeVar("Body", bound=BaseModel)

_NAMES = {
    "prompt": "PROMPT",
    "duration_target": "--duration",
    "style": "--style",
    "voice": "--voice",
    "callback_url": "--callback-url",
    "script": "--script",
    "scenes": "--scenes",
    "language": "--language",
    "aspect_ratio": "--aspect",
    "resolution": "--resolution",
    "fps": "--fps",
    "captions.position": "--caption-position",
    "captions.preset": "--caption-preset",
    "captions.font": "--caption-font",
    "music.mood": "--music-mood",
    "music.asset": "--music",
    "music": "--music",
    "music.volume": "--music-volume",
    "quality": "--quality",
    "transitions": "--transition",
    "seed": "--seed",
    "queries": "QUERY",
    "orientation": "--orientation",
    "per_query": "--per-query",
    "outputs": "--also",
    "narration_audio": "--narration",
    "credits_card": "--credits-card",
}
_SHAPES = {
    "--language": "must be a language tag such as en or pt-BR",
    "--also": "must be such as 9:16, de or 720p, or some of these with commas",
    "--callback-url": "must begin with http:// or https://",
    "QUERY": "must have a letter or a digit",
}
"""What a value looks like, in place of the pattern that it must match."""
_FORMS = ("MusicBody", "CaptionBody", "VoiceOverBody")
_OTHER_FORMS = frozenset({"literal['none']", "bool"})
"""The other forms of `music` and `captions`, which pydantic complains about too when an object is wrong."""
_SHORT_SIZES = {"720p": "1280x720", "1080p": "1920x1080", "2160p": "3840x2160", "4k": "3840x2160"}
_MAX_FILE_BYTES = 1_000_000


def read_text(path: str, option: str) -> str:
    """A text file, or stdin for `-`. Raises: BadInput."""
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(_MAX_FILE_BYTES + 1)
        else:
            with Path(path).expanduser().open("rb") as file:
                raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{option} {path}: {(error.strerror or str(error)).lower()}") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise BadInput(f"{option} {path}: larger than {_MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{option} {path}: not UTF-8 text") from None


def read_scenes(path: str) -> list[Any]:
    """The JSON list of --scenes. Raises: BadInput."""
    try:
        value = json.loads(read_text(path, "--scenes"))
    except json.JSONDecodeError as error:
        raise BadInput(f"--scenes {path}: not JSON: {error.msg} in line {error.lineno}") from None
    if isinstance(value, dict) and list(value) == ["scenes"]:
        value = value["scenes"]
    if not isinstance(value, list):
        example = '[{"narration": "...", "query": "sea", "duration": 4}]'
        raise BadInput(f"--scenes {path}: must be a JSON list", hint=f"Such as {example}.")
    return value


def _folder_of(path: str) -> Path:
    """Where the files lie that a file names."""
    return Path() if path == "-" else Path(path).expanduser().parent


def _place(loc: tuple[int | str, ...]) -> str:
    """The option that a complaint is about; inside --scenes the scene, counted from 1, and its field; or ""."""
    names = [part for part in loc if isinstance(part, str) and not any(form in part for form in _FORMS)]
    for length in (2, 1):
        option = _NAMES.get(".".join(names[:length]))
        if option == "--scenes" and len(loc) > 1 and isinstance(loc[1], int):
            return f"--scenes, scene {loc[1] + 1}" + (f", {loc[2]}" if len(loc) > 2 else "")
        if option:
            return option
    return ".".join(names)


def checked(model: type[Body], given: dict[str, Any]) -> Body:
    """Raises: BadInput with everything that is wrong, each named by its option."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        lines: dict[str, str] = {}
        for problem in error.errors():
            if not _OTHER_FORMS.isdisjoint(problem["loc"]):
                continue
            place = _place(problem["loc"])
            message = in_words(problem["type"], problem["msg"], problem.get("ctx", {}))
            if problem["type"] == "string_pattern_mismatch":
                message = _SHAPES.get(place, "must not contain the character NUL")
            lines.setdefault(place, message[:1].lower() + message[1:])
        text = "; ".join(f"{place}: {message}" if place else message for place, message in lines.items())
        raise BadInput(text, hint="`--help` tells what each option takes.") from None


def nearest_style(error: UnknownStyle, name: str) -> UnknownStyle:
    """The error with the nearest names as its hint."""
    close = difflib.get_close_matches(name.strip().lower(), list(STYLES), n=2, cutoff=0.4)
    if close:
        error.hint = f"Did you mean {' or '.join(close)}? `vidgend styles` describes them all."
    return error


def number(text: str | None) -> float | str | None:
    """What an option says as the number that it is; as it stands if it is none, which the model then refuses."""
    if text is None:
        return None
    try:
        return int(text) if text.strip().removeprefix("-").isdecimal() else float(text)
    except ValueError:
        return text


def _transition(text: str) -> dict[str, Any]:
    """KIND or KIND:SECONDS."""
    kind, given, seconds = text.strip().lower().partition(":")
    return {"kind": kind} | ({"duration": number(seconds)} if given else {})


def _output(wish: str) -> dict[str, Any]:
    """`9:16`, `de`, `720p` or several of these with commas: what is different in another video."""
    output: dict[str, Any] = {}
    for part in wish.split(","):
        size = _SHORT_SIZES.get(part.strip().lower(), part.strip())
        name = "aspect_ratio" if ":" in size else "resolution" if size[:1].isdigit() else "language"
        output[name] = size
    return output


def build(
    *, prompt: str | None, duration: str | None, aspect: str | None, resolution: str | None, fps: str | None,
    voice: str | None, language: str | None, style: str | None, transition: str | None, script: str | None,
    scenes: str | None,
    quality: str | None, seed: str | None, captions: bool, caption_preset: str | None,
    caption_font: str | None, caption_position: str | None, highlight: bool,
    music: bool, music_mood: str | None, music_volume: str | None, callback_url: str | None, review: bool = False,
    music_file: str | None = None, also: tuple[str, ...] = (), files: OwnFiles | None = None,
    narration: str | None = None, keep_background: bool = False, credits_card: bool | None = None,
) -> GenerateBody:  # fmt: skip
    """The request, with only what was given, so that the daemon's settings decide the rest. `files` gets those that are
    to be uploaded before it is sent.

    Raises: BadInput, PromptEmpty, UnknownStyle.
    """
    if sum(source == "-" for source in (prompt, script, scenes)) > 1:
        raise BadInput("only one of PROMPT, --script and --scenes can be read from stdin")
    files = files if files is not None else OwnFiles()
    text = read_text("-", "PROMPT") if prompt == "-" else prompt or ""
    body: dict[str, Any] = {
        "prompt": text.strip() or None,
        "duration_target": number(duration),
        "aspect_ratio": aspect,
        "resolution": _SHORT_SIZES.get(resolution.lower(), resolution) if resolution else None,
        "fps": fps,
        "voice": voice,
        "language": language,
        "style": style,
        "transitions": _transition(transition) if transition else None,
        "script": read_text(script, "--script") if script else None,
        "scenes": files.in_scenes(read_scenes(scenes), folder=_folder_of(scenes)) if scenes else None,
        "quality": quality,
        "seed": number(seed),
        "callback_url": callback_url,
        "review": True if review else None,
        "credits_card": credits_card,
        "outputs": [{}, *(_output(wish) for wish in also)] if also else None,
    }
    body = {name: value for name, value in body.items() if value is not None}
    if narration:
        asset = files.id_of(narration, folder=Path(), option="--narration")
        body["narration_audio"] = {"asset": asset} | ({"keep_background": True} if keep_background else {})
    if not captions:
        body["captions"] = False
    else:
        wanted = {"preset": caption_preset, "font": caption_font, "position": caption_position}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if wanted or not highlight:
            body["captions"] = {"highlight": highlight, **wanted}
    if not music:
        body["music"] = "none"
    else:
        own = files.id_of(music_file, folder=Path(), option="--music") if music_file else None
        wishes = {"mood": music_mood, "volume": number(music_volume), "asset": own}
        wishes = {name: value for name, value in wishes.items() if value is not None}
        if wishes:
            body["music"] = wishes
    made = checked(GenerateBody, body)
    if not made.prompt and not (made.script or "").strip() and not made.scenes and not made.narration_audio:
        raise PromptEmpty
    return made


def title_of(body: GenerateBody, files: OwnFiles) -> str:
    """What the video is called when nobody named it."""
    recording = files.paths.get(body.narration_audio.asset) if body.narration_audio is not None else None
    return body.prompt or (body.script or "").strip() or next(
        (scene.narration for scene in body.scenes or () if scene.narration.strip()),
        recording.stem if recording is not None else "video",
    )  # fmt: skip
