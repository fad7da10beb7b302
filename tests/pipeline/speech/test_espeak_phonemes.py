"""The phonemes of Kokoro's other languages: one group a word, in Kokoro's alphabet. The real espeak-ng, where it is."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech.espeak_phonemes import EspeakPhonemes
from vidgend.pipeline.speech.kokoro_languages import LANGUAGES, phonemiser
from vidgend.pipeline.speech.kokoro_symbols import SYMBOLS

TEXTS = {
    "e": ("¿Quién llegó? La niña, con su hermano; nadie más.", "kjˈen ʎeɣˈo? la nˈiɲa, kon su eɾmˈano; nˈaðje mˈas."),
    "f": ("« Les enfants » : un week-end fini !", "“ lez ɑ̃fˈɑ̃z ” : œ̃ wˈiːkˈɛnd finˈi !"),
    "h": ("पानी ठंडा है।", "pˈaːni ʈʰˈʌɳɖaː hɛː."),
    "i": ("La casa degli amici, e l'acqua.", "la kˈaza dˌeʎɪ amˈiʧɪ, e lˈakːwa."),
    "p": ("O mar é a casa — (de um peixe).", "ʊ mˈaɾ ɛ a kˈazæ — (ʤj ũŋ pˈAʃy)."),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the program espeak-ng is not here")
@pytest.mark.parametrize("letter", TEXTS)
def test_every_word_has_its_phonemes_with_its_marks(letter: str) -> None:
    text, phonemes = TEXTS[letter]
    groups = phonemiser(letter)(text)
    assert len(groups) == len(text.split())
    known = "".join(groups)
    assert set(known) <= set(SYMBOLS)
    assert " ".join(groups) == unicodedata.normalize("NFD", phonemes).replace("c\u0327", "ç")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the program espeak-ng is not here")
@pytest.mark.parametrize("text", ["", "…", "🙂 y 🙂", "3,5 [[a]] -v <b> --", "EE.UU. a.m. 12:30", "a\\nb " * 300])
def test_odd_words_keep_the_count(text: str) -> None:
    assert len(EspeakPhonemes("es")(text)) == len(text.split())


def test_a_program_that_is_not_there_or_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="cannot make phonemes"):
        EspeakPhonemes("es", program=str(tmp_path / "none"))("uno")
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho no such voice >&2; exit 1\n")
    bad.chmod(0o755)
    with pytest.raises(SpeechFailed, match="no such voice"):
        EspeakPhonemes("es", program=str(bad))("uno")


def test_every_language_says_how_to_get_it() -> None:
    assert all(one.get for letter, one in LANGUAGES.items() if letter not in "ab")
