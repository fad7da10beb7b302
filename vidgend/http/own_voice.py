"""The voice-over that a request brings: whether it can be heard, by whom, and what else of the request fits to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vidgend.errors import FeatureUnavailable, LanguageUnsupported
from vidgend.http.own_media import recording_s
from vidgend.http.problems import InvalidFields
from vidgend.models import Brief
from vidgend.pipeline.recording_to_voice import LONGEST_S
from vidgend.pipeline.sound_facts import SHORTEST_S
from vidgend.pipeline.speech.markup import plain
from vidgend.pipeline.text_language import has_own_text
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.vocabulary import has_words
from vidgend.store.uploads import Upload

if TYPE_CHECKING:
    from vidgend.http.wire import GenerateBody

FIELD = "/narration_audio"


class Ears(Protocol):
    """What accepting a voice-over needs."""

    @property
    def transcriber(self) -> Transcriber | None: ...

    @property
    def recogniser_hint(self) -> str:
        """How to get a transcriber where there is none: a sentence without its full stop."""
        ...


def check_voice_over(door: Ears, body: GenerateBody, brief: Brief, upload: Upload | None) -> None:
    """`upload` is the recording that `body` names, if it names one; `brief` is what was made of the request.

    Raises: InvalidFields, FeatureUnavailable, LanguageUnsupported.
    """
    if upload is None:
        return
    errors = [*_unfit(body), *_length(upload)]
    if errors:
        raise InvalidFields(errors)
    if has_own_text(brief):
        return  # its words are there, and times can be had without anybody listening
    hears = door.transcriber
    if hears is None:
        raise FeatureUnavailable(
            "narration_audio without `script`: there is no recogniser here to write down what is said in it",
            hint=f"{door.recogniser_hint}, or give the text of the recording as `script`.",
        )
    if brief.language is None or hears.hears(brief.language):
        return
    if hears.languages is None:
        raise LanguageUnsupported(
            f"the recogniser here does not know the language of the recording, {brief.language}",
            hint="Give the text of the recording as `script`.",
        )
    raise LanguageUnsupported(
        f"the recogniser here hears {', '.join(hears.languages)} only, and the recording is in {brief.language}",
        hint="Put a model that knows more languages into models/ of data_dir (`base`; docs/speech.md), or give the "
        "text as `script`.",
    )


def _unfit(body: GenerateBody) -> list[dict[str, str]]:
    errors = []
    for number, output in enumerate(body.outputs or ()):
        for name in ("language", "voice", "narrations"):
            if getattr(output, name) is not None:
                detail = "a voice-over is heard in all outputs as it was recorded; they may differ in shape and size"
                errors.append({"pointer": f"/outputs/{number}/{name}", "detail": detail})
    for number, scene in enumerate(body.scenes or ()):
        if not has_words(plain(scene.narration)):
            detail = "must say which words of the recording belong to this scene"
            errors.append({"pointer": f"/scenes/{number}/narration", "detail": detail})
    return errors


def _length(upload: Upload) -> list[dict[str, str]]:
    if upload.kind == "video" and upload.sound_s == 0:
        return [{"pointer": FIELD, "detail": f"{upload.name!r}: there is no readable sound in the file"}]
    length_s = recording_s(upload)
    if SHORTEST_S <= length_s <= LONGEST_S:
        return []
    detail = f"{upload.name!r} is {length_s:.1f} s long; a recording may have {SHORTEST_S:g} to {LONGEST_S:g} s"
    return [{"pointer": FIELD, "detail": detail}]
