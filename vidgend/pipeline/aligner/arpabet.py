"""Kokoro's English phonemes -> ARPAbet, as the acoustic model of PocketSphinx has it. Pure."""

from __future__ import annotations

_PAIRS = {"ɜɹ": "ER", "əɹ": "ER"}
_SINGLE = {
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY",
    "a": "AE", "æ": "AE", "ɐ": "AH", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "ə": "AH", "ᵊ": "AH", "ʌ": "AH", "ɛ": "EH",
    "e": "EH", "ɜ": "ER", "ɚ": "ER", "ɪ": "IH", "ᵻ": "IH", "i": "IY", "ʊ": "UH", "u": "UW", "o": "OW",
    "b": "B", "d": "D", "f": "F", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N", "p": "P", "s": "S",
    "t": "T", "T": "T", "ʔ": "T", "ɾ": "T", "v": "V", "w": "W", "z": "Z", "ɡ": "G", "ŋ": "NG", "ɹ": "R", "r": "R",
    "ʃ": "SH", "ʒ": "ZH", "ð": "DH", "θ": "TH", "ʤ": "JH", "ʧ": "CH", "x": "K",
}  # fmt: skip
"""Sources: the phonemes of misaki's English (Apache-2.0) and the 39 phones of CMUdict, which writes a flap as T."""


def arpabet(phonemes: str) -> str:
    """Such as `K Y UW B EH K AH L` for `kjˈubɛkᵊl`; stress and what is no phoneme is left out."""
    phones: list[str] = []
    index = 0
    while index < len(phonemes):
        pair = _PAIRS.get(phonemes[index : index + 2])
        phone = pair or _SINGLE.get(phonemes[index])
        if phone:
            phones.append(phone)
        index += 2 if pair else 1
    return " ".join(phones)
