"""Language tag -> its rules."""

from __future__ import annotations

from vidgend.pipeline.speech.languages import de, es, fr, hi, it, ja, nl, pt, zh
from vidgend.pipeline.speech.languages.grammar import Language
from vidgend.pipeline.speech.languages.unspaced import Unspaced

LANGUAGES: dict[str, Language | Unspaced] = {
    "de": de.LANGUAGE,
    **de.REGIONS,
    "es": es.LANGUAGE,
    **es.REGIONS,
    "fr": fr.LANGUAGE,
    **fr.REGIONS,
    "hi": hi.LANGUAGE,
    "it": it.LANGUAGE,
    "ja": ja.LANGUAGE,
    "nl": nl.LANGUAGE,
    "pt": pt.LANGUAGE,
    **pt.REGIONS,
    "zh": zh.LANGUAGE,
}


def language_rules(tag: str) -> Language | Unspaced | None:
    """The rules for a BCP-47 tag, by its region where that matters; None for a language that has none."""
    primary, *rest = tag.replace("_", "-").split("-")
    region = next((part.upper() for part in rest if len(part) == 2), "")
    return LANGUAGES.get(f"{primary.lower()}-{region}") or LANGUAGES.get(primary.lower())
