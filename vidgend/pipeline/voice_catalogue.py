"""All voices there are: those that can be used here, and of the others why not and how to get them. Loads no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vidgend.pipeline.speech.kokoro_languages import LANGUAGES
from vidgend.pipeline.speech.port import SpeechEngine, Voice
from vidgend.pipeline.speech.select import Availability
from vidgend.pipeline.speech.voice_tables import ALL

_KOKORO = ("kokoro-onnx", "kokoro")
"""The first is the one that is easier to get."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A voice, and whether it can be used here. If not, `reason` says why, and `get` how to get it, where that is
    known."""

    voice: Voice
    usable: bool = True
    reason: str = ""
    get: str = ""


def catalogue(engines: Sequence[SpeechEngine], probed: Sequence[Availability], preference: str) -> tuple[Listed, ...]:
    """The voices of `engines` in their order, then those that no engine here offers. `probed` is what `select.probe`
    found, `preference` the setting speech.engine."""
    usable = tuple(Listed(voice=voice) for engine in engines for voice in engine.voices())
    offered = {one.voice.id for one in usable}
    found = {one.name: one for one in probed}
    used = [engine.name for engine in engines]
    return (*usable, *(_lacking(voice, found, used, preference) for voice in ALL if voice.id not in offered))


def _lacking(voice: Voice, found: Mapping[str, Availability], used: Sequence[str], preference: str) -> Listed:
    family = _KOKORO if voice.engine in _KOKORO else (voice.engine,)
    in_use = [name for name in family if name in used]
    if in_use:  # Kokoro is here, but not what reads the language
        language = LANGUAGES[voice.id[0]]
        reason, get = f"what reads {voice.language} is not installed", language.get
    elif any(found[name].available for name in family):
        reason, get = f"the setting speech.engine is {preference}", "Set speech.engine to auto."
    else:
        reason, get = found[family[0]].reason, found[family[0]].get
    name = (*in_use, *family)[0]
    return Listed(voice=replace(voice, engine=name), usable=False, reason=reason, get=get)
