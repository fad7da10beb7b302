"""Japanese and Mandarin -> Kokoro's phoneme alphabet, by the package misaki with which Kokoro was trained. Optional.

Runs in the child. Written without spaces, a "word" here is what stands between two spaces, often a whole sentence.
"""

from __future__ import annotations

import logging
from typing import Any


class Misaki:
    """`language` is `ja` or `zh`. The dictionaries are loaded by the first call: one to two seconds."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._g2p: Any = None

    def __call__(self, text: str) -> list[str]:
        """The phonemes of each run between spaces, with the spaces between words inside it. Raises: ImportError."""
        if self._g2p is None:
            self._g2p = _load(self._language)
        return [str(self._g2p(run)[0]).strip() for run in text.split()]


def _load(language: str) -> Any:
    logging.getLogger("jieba").setLevel(logging.WARNING)
    if language == "zh":
        from misaki import zh

        return zh.ZHG2P()
    from misaki import ja

    return ja.JAG2P()
