"""Which of a service's languages is meant."""

from __future__ import annotations

import pytest

from vidgend.pipeline.footage.languages import nearest
from vidgend.pipeline.footage.pexels import _LOCALES
from vidgend.pipeline.footage.pixabay import _LANGUAGES


@pytest.mark.parametrize(
    ("language", "locale", "code"),
    [
        ("en", "en-US", "en"),
        ("en-GB", "en-US", "en"),
        ("de", "de-DE", "de"),
        ("DE_at", "de-DE", "de"),
        ("pt-PT", "pt-BR", "pt"),
        ("no", "nb-NO", "no"),
        ("nn-NO", "nb-NO", "no"),
        ("zh", "zh-CN", "zh"),
        ("zh-TW", "zh-TW", "zh"),
        ("zh-Hant-HK", "zh-TW", "zh"),
        ("uk", "uk-UA", None),
        ("tlh", None, None),
        ("", None, None),
    ],
)
def test_the_nearest_language_is_taken(language: str, locale: str | None, code: str | None) -> None:
    assert nearest(language, _LOCALES) == locale
    assert nearest(language, _LANGUAGES) == code
