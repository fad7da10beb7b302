"""The few words that vidgend itself writes beside a video: headings of its credits, in the languages of the voices."""

from __future__ import annotations

from dataclasses import dataclass

from vidgend.pipeline.speech.voices import primary


@dataclass(frozen=True, kw_only=True)
class CreditWords:
    """`both`, `footage` and `music` are headings; `more` has a place for how many are not named, `own` is said where
    there is nobody to name, `chapters` is the heading of the list of chapters."""

    both: str
    footage: str
    music: str
    more: str
    own: str
    chapters: str


_WORDS = {
    "en": CreditWords(
        both="Footage and music", footage="Footage", music="Music", more="and {count} more: see the description",
        own="Made with vidgend", chapters="Chapters",
    ),
    "de": CreditWords(
        both="Bilder und Musik", footage="Bilder", music="Musik", more="und {count} weitere: siehe Beschreibung",
        own="Gemacht mit vidgend", chapters="Kapitel",
    ),
    "es": CreditWords(
        both="Imágenes y música", footage="Imágenes", music="Música", more="y {count} más: véase la descripción",
        own="Hecho con vidgend", chapters="Capítulos",
    ),
    "fr": CreditWords(
        both="Images et musique", footage="Images", music="Musique", more="et {count} autres : voir la description",
        own="Réalisé avec vidgend", chapters="Chapitres",
    ),
    "hi": CreditWords(
        both="दृश्य और संगीत", footage="दृश्य", music="संगीत", more="और {count} अन्य: विवरण देखें",
        own="vidgend से बनाया गया", chapters="अध्याय",
    ),
    "it": CreditWords(
        both="Immagini e musica", footage="Immagini", music="Musica", more="e altri {count}: vedi la descrizione",
        own="Realizzato con vidgend", chapters="Capitoli",
    ),
    "ja": CreditWords(
        both="映像と音楽", footage="映像", music="音楽", more="ほか{count}件は概要欄をご覧ください",
        own="vidgendで制作", chapters="チャプター",
    ),
    "pt": CreditWords(
        both="Imagens e música", footage="Imagens", music="Música", more="e mais {count}: veja a descrição",
        own="Feito com vidgend", chapters="Capítulos",
    ),
    "zh": CreditWords(
        both="画面与音乐", footage="画面", music="音乐", more="另有 {count} 项，详见简介",
        own="由 vidgend 制作", chapters="章节",
    ),
}  # fmt: skip
ENGLISH = _WORDS["en"]


def credit_words(language: str) -> CreditWords:
    """Those of that language, else the English ones."""
    return _WORDS.get(primary(language), ENGLISH)
