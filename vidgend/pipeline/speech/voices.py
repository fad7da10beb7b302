"""What a request calls a voice -> the engine and the voice that speak. Loads no model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from vidgend.errors import LanguageUnsupported, UnknownVoice
from vidgend.pipeline.speech.blend import BadBlend, blend_id, parse_blend
from vidgend.pipeline.speech.port import SpeechEngine, Voice
from vidgend.pipeline.speech.voice_tables import ALL

_GENERAL_NAMES = ("neutral", "female", "male")


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """`reason` is "" if the wish was met, else why another voice speaks (a sentence for the result's `degraded`)."""

    engine: SpeechEngine
    voice: Voice
    reason: str = ""


def resolve(voice: str, language: str | None, engines: Sequence[SpeechEngine]) -> Resolved:
    """The voice for a request: `voice` is an engine's voice id, a tag such as `en-US-neutral`, or a BCP-47 tag;
    `language` (BCP-47, or None for the voice's own) is that of the text and has the last word. `engines` are those
    that work here, best first.

    A blend (`af_heart:0.6+af_bella:0.4`) is spoken by an engine that has all its voices.

    Raises: UnknownVoice, LanguageUnsupported.
    """
    offers = [(engine, offer) for engine in engines for offer in engine.voices()]
    if not any(_is_called(offer, voice) for offer in (*ALL, *(offer for _, offer in offers))):
        # Some voices have a plus in their own name, such as espeak's de+f3.
        try:
            parts = parse_blend(voice)
        except BadBlend as error:
            raise UnknownVoice(str(error)) from None
        if parts is not None:
            return _resolve_blend(voice, parts, language, engines)
    if _is_language(voice) and not _only_a_name(voice, offers):
        voice = f"{voice.strip()}-neutral"  # before espeak's own ids, some of which are language tags too
    named = [offer for _, offer in offers if _is_called(offer, voice)]
    elsewhere = [offer for offer in ALL if _is_called(offer, voice)]
    wish = next(iter((*named, *elsewhere)), None) or _from_tag(voice)
    if wish is None:
        raise UnknownVoice(_near_misses(voice, [offer for _, offer in offers]))
    wanted_language = language or wish.language
    for engine, offer in offers:
        if _is_called(offer, voice) and _speaks(offer, wanted_language):
            return Resolved(engine=engine, voice=offer)
    speaking = [pair for pair in offers if _speaks(pair[1], wanted_language)]
    if not speaking:
        raise LanguageUnsupported(f"no installed speech engine speaks {wanted_language}")
    named_kind = _plain(voice).rsplit("-", 1)[-1]
    kind = named_kind if named_kind in _GENERAL_NAMES else wish.gender
    region = wanted_language if "-" in wanted_language else wish.language
    engine, offer = max(speaking, key=lambda pair: _likeness(pair[1], kind, region))
    met = not wish.engine and "-" not in wish.language and kind in (offer.gender, "neutral")
    if met and _speaks(wish, wanted_language):
        reason = ""
    elif not _speaks(wish, wanted_language):
        reason = f"voice {voice} speaks {wish.language} and the text is {wanted_language}"
    elif elsewhere and not named and any(one.name.startswith(elsewhere[0].engine) for one in engines):
        reason = f"what reads {elsewhere[0].language} for voice {voice} is not installed"
    elif elsewhere and not named:
        reason = f"voice {voice} belongs to {elsewhere[0].engine}, which is not installed"
    else:
        reason = f"no installed engine has a voice {voice}"
    return Resolved(engine=engine, voice=offer, reason=reason)


def _resolve_blend(
    voice: str, parts: tuple[tuple[str, float], ...], language: str | None, engines: Sequence[SpeechEngine]
) -> Resolved:
    """All of the voices have to be one engine's and of one language; else the one with the largest share speaks."""
    heaviest = max(parts, key=lambda part: part[1])[0]
    wish = resolve(heaviest, language, engines)
    for name, _ in parts:  # a name that nobody knows is refused, whoever speaks in the end
        resolve(name, None, engines)
    for engine in (one for one in engines if one.blends):
        found = [(_named(engine, name), share) for name, share in parts]
        named = [(offer, share) for offer, share in found if offer is not None]
        if len(named) < len(parts) or not all(_speaks(offer, language or wish.voice.language) for offer, _ in named):
            continue
        first = next(offer for offer, _ in named if _is_called(offer, heaviest))
        mixed = blend_id(tuple((offer.id, share) for offer, share in named))
        return Resolved(engine=engine, voice=replace(first, id=mixed, tags=()))
    reason = wish.reason or f"no engine here speaks with the voices of {voice} at once"
    return replace(wish, reason=reason)


def _named(engine: SpeechEngine, name: str) -> Voice | None:
    return next((offer for offer in engine.voices() if _is_called(offer, name)), None)


def voice_in(language: str, *, like: str) -> str:
    """What to call a voice for a text in `language`, when nobody named one: of the same kind as the voice `like`, or
    that one itself if it speaks the language (or if there is no such name)."""
    known = known_voice(like) or _from_tag(like)
    if (known is not None and _speaks(known, language)) or not _is_language(language):
        return like
    kind = _plain(like).rsplit("-", 1)[-1]
    kind = kind if kind in _GENERAL_NAMES else known.gender if known is not None else ""
    return f"{language}-{kind if kind in _GENERAL_NAMES else 'neutral'}"


def known_voice(name: str) -> Voice | None:
    """The voice of any engine, installed or not, that has this id or tag."""
    return next((offer for offer in ALL if _is_called(offer, name)), None)


@lru_cache(maxsize=4096)  # every request goes through the names of all voices
def _plain(name: str) -> str:
    return name.strip().casefold().replace("_", "-")


def _is_called(offer: Voice, name: str) -> bool:
    return _plain(name) in _names(offer.id, offer.tags)


@lru_cache(maxsize=4096)
def _names(id: str, tags: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_plain(known) for known in (id, *tags))


def primary(language: str) -> str:
    """The language without its region: `pt` of `pt-BR`."""
    return _plain(language).split("-")[0]


def _speaks(offer: Voice, language: str) -> bool:
    return primary(offer.language) == primary(language)


def _is_language(voice: str) -> bool:
    """Whether this is a BCP-47 tag such as `fr` or `fr-CA`, in a language that some engine speaks."""
    parts = _plain(voice).split("-")
    shaped = len(parts) in (1, 2) and parts[0].isalpha() and 2 <= len(parts[0]) <= 3
    region = parts[1] if len(parts) == 2 else "xx"
    shaped = shaped and ((region.isalpha() and len(region) == 2) or (region.isdecimal() and len(region) == 3))
    return shaped and any(primary(offer.language) == parts[0] for offer in ALL)


def _only_a_name(voice: str, offers: Sequence[tuple[SpeechEngine, Voice]]) -> bool:
    """Whether a voice is called as a language that no voice has for its own, such as espeak's es-419."""
    languages = {_plain(offer.language) for _, offer in offers} | {primary(offer.language) for _, offer in offers}
    return _plain(voice) not in languages and any(_plain(offer.id) == _plain(voice) for _, offer in offers)


def _from_tag(voice: str) -> Voice | None:
    """A wish such as `fr-CA-female`, that no engine may have a voice for."""
    tag, _, name = _plain(voice).rpartition("-")
    if name not in _GENERAL_NAMES or not _is_language(tag):
        return None
    primary, _, region = tag.partition("-")
    return Voice(id=voice, engine="", language=f"{primary}-{region.upper()}".strip("-"), gender=name)


def _likeness(offer: Voice, kind: str, region: str) -> tuple[bool, bool, bool]:
    """Larger is nearer; equal ones keep the order of the engines and of their voices."""
    names = {tag.rsplit("-", 1)[-1] for tag in offer.tags}
    return (
        _plain(offer.language) == _plain(region),
        kind in (offer.gender, "neutral"),
        kind in names,
    )


def _near_misses(voice: str, offers: Iterable[Voice]) -> str:
    names = {_plain(name): name for offer in offers for name in (offer.id, *offer.tags)}
    near = [names[match] for match in difflib.get_close_matches(_plain(voice), names, n=3, cutoff=0.5)]
    return f"no voice is called {voice!r}" + (f"; near are {', '.join(near)}" if near else "")
