"""The voices of all engines, without loading any. Tags are the names that a request may use."""

from __future__ import annotations

from vidgend.pipeline.speech.port import Voice

KOKORO_ENGLISH = (
    "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova",
    "af_river", "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael",
    "am_onyx", "am_puck", "am_santa", "bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel",
    "bm_fable", "bm_george", "bm_lewis",
)  # fmt: skip
"""Shipped with vidgend. Source: hexgrad/Kokoro-82M v1.0, VOICES.md."""

KOKORO_OTHERS = (
    "ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hf_beta", "hm_omega", "hm_psi", "if_sara",
    "im_nicola", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo", "pf_dora", "pm_alex",
    "pm_santa", "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia",
    "zm_yunyang",
)  # fmt: skip
"""Shipped too; what reads their languages has to be there (`kokoro_languages.py`)."""

KOKORO_LANGUAGES = {
    "a": "en-US", "b": "en-GB", "e": "es-ES", "f": "fr-FR", "h": "hi-IN", "i": "it-IT", "j": "ja-JP",
    "p": "pt-BR", "z": "zh-CN",
}  # fmt: skip
_KOKORO_DEFAULTS = {
    "af_heart": ("neutral", "female"), "am_michael": ("male",), "bf_emma": ("neutral", "female"),
    "bm_george": ("male",), "ef_dora": ("neutral", "female"), "em_alex": ("male",),
    "ff_siwis": ("neutral", "female"), "hf_alpha": ("neutral", "female"), "hm_omega": ("male",),
    "if_sara": ("neutral", "female"), "im_nicola": ("male",), "jf_alpha": ("neutral", "female"),
    "jm_kumo": ("male",), "pf_dora": ("neutral", "female"), "pm_alex": ("male",),
    "zf_xiaobei": ("neutral", "female"), "zm_yunjian": ("male",),
}  # fmt: skip
"""What `neutral`, `female` and `male` mean in each language: the voices graded best in VOICES.md."""


def kokoro_voice(voice: str, engine: str) -> Voice:
    """The entry for Kokoro's voice id: its first letter is the language, its second the gender."""
    language = KOKORO_LANGUAGES[voice[0]]
    names = (*_KOKORO_DEFAULTS.get(voice, ()), voice[3:])
    return Voice(
        id=voice,
        engine=engine,
        language=language,
        gender="female" if voice[1] == "f" else "male",
        tags=tuple(f"{language}-{name}" for name in names),
    )


def server_voice(voice: str, language: str) -> Voice:
    """The entry for a voice of a speech server: Kokoro's names say their language, of others it is `language`."""
    if voice in (*KOKORO_ENGLISH, *KOKORO_OTHERS):
        return kokoro_voice(voice, "server")
    return Voice(id=voice, engine="server", language=language, gender="neutral", tags=(f"{language}-neutral",))


JOE = Voice(
    id="joe",
    engine="piper",
    language="en-US",
    gender="male",
    tags=("en-US-joe", "en-US-male", "en-US-neutral", "en_US-joe-medium"),
)

_ESPEAK = {
    "en-US": "en-us", "en-GB": "en-gb", "fr-FR": "fr-fr", "de-DE": "de", "es-ES": "es", "es-MX": "es-419",
    "it-IT": "it", "pt-BR": "pt-br", "pt-PT": "pt", "nl-NL": "nl", "sv-SE": "sv", "da-DK": "da",
    "nb-NO": "nb", "fi-FI": "fi", "pl-PL": "pl", "cs-CZ": "cs", "sk-SK": "sk", "hu-HU": "hu", "ro-RO": "ro",
    "bg-BG": "bg", "el-GR": "el", "ru-RU": "ru", "uk-UA": "uk", "tr-TR": "tr", "ar-SA": "ar", "he-IL": "he",
    "fa-IR": "fa", "hi-IN": "hi", "bn-BD": "bn", "ta-IN": "ta", "ur-PK": "ur", "zh-CN": "cmn", "ja-JP": "ja",
    "ko-KR": "ko", "vi-VN": "vi", "id-ID": "id", "th-TH": "th", "ca-ES": "ca", "hr-HR": "hr", "sr-RS": "sr",
    "sl-SI": "sl", "et-EE": "et", "lv-LV": "lv", "lt-LT": "lt", "sw-KE": "sw", "af-ZA": "af", "is-IS": "is",
    "ga-IE": "ga", "cy-GB": "cy", "eo": "eo", "la": "la",
}  # fmt: skip
"""BCP-47 tag -> voice of espeak-ng 1.51 (`espeak-ng --voices`)."""

ESPEAK = tuple(
    Voice(
        id=f"{name}{variant}",
        engine="espeak-ng",
        language=language,
        gender=gender,
        tags=tuple(f"{language}-{tag}" for tag in tags),
    )
    for language, name in _ESPEAK.items()
    for variant, gender, tags in (("", "male", ("neutral", "male")), ("+f3", "female", ("female",)))
)
"""Each language in its own voice and in espeak's third female variant."""

ALL = (
    *(kokoro_voice(voice, "kokoro") for voice in (*KOKORO_ENGLISH, *KOKORO_OTHERS)),
    JOE,
    *ESPEAK,
)
"""Every voice that some engine could speak, whether or not it is installed; Kokoro's once."""
