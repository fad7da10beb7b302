"""Words -> Kokoro's phoneme alphabet by the program espeak-ng, for the languages that Kokoro learned that way.

Runs in the child. The program is a process of its own (GPL-3), a few milliseconds a sentence. It parts words with
spaces; where it joins two of them, each word of that clause is read by itself, so that the count stays right.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech.espeak import PROGRAM
from vidgend.pipeline.speech.phrases import PUNCTUATION

_TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "s^s": "S", "t^s": "ʦ",
    "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
"""Two sounds that Kokoro has one symbol for. Source: the table of the G2P package misaki, with which it was trained."""

_MARKS = "".join(PUNCTUATION)
_OPENING, _CLOSING = _MARKS + "«»„¿¡", _MARKS + "«»।॥"
_CLAUSE_MARKS = frozenset(".,!?;:—…")
TIMEOUT_S = 30


class EspeakPhonemes:
    """`voice` is espeak's name of a language, such as `es` or `pt-br`."""

    def __init__(self, voice: str, *, program: str = PROGRAM) -> None:
        self._argv = (program, "-q", "--ipa", "--tie=^", "-b", "1", "-v", voice, "--stdin")

    def __call__(self, text: str) -> list[str]:
        """The phonemes of each word of `text`, punctuation attached; "" for what has no sound. Raises: SpeechFailed."""
        parts = [_apart(word) for word in text.split()]
        clauses: list[list[int]] = [[]]
        for index, (_, core, closing) in enumerate(parts):
            if core:
                clauses[-1].append(index)
            if not _CLAUSE_MARKS.isdisjoint(closing) and clauses[-1]:
                clauses.append([])
        clauses = [clause for clause in clauses if clause]
        sounds = [""] * len(parts)
        for clause, groups in zip(clauses, self._clauses(parts, clauses), strict=True):
            for index, group in zip(clause, groups, strict=True):
                sounds[index] = group
        return [f"{opening}{sound}{closing}" for (opening, _, closing), sound in zip(parts, sounds, strict=True)]

    def _clauses(self, parts: Sequence[tuple[str, str, str]], clauses: Sequence[Sequence[int]]) -> list[list[str]]:
        texts = [[parts[index][1] for index in clause] for clause in clauses]
        answers = [line.split() for line in self._read([" ".join(words) for words in texts])]
        for number, (words, groups) in enumerate(zip(texts, answers, strict=True)):
            if len(groups) != len(words):
                answers[number] = ["".join(line.split()) for line in self._read(words)]
        return answers

    def _read(self, texts: Sequence[str]) -> list[str]:
        """One answer for each text."""
        if not texts:
            return []
        lines = self._ask("\n\n".join(texts))
        if len(lines) != len(texts):  # something in one of them made a pause, or no sound at all
            lines = [" ".join(self._ask(text)) for text in texts]
        return lines

    def _ask(self, text: str) -> list[str]:
        if not text.strip():
            return [""]
        try:
            ended = subprocess.run(
                self._argv, input=text + "\n", capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeechFailed(f"espeak-ng cannot make phonemes: {error}") from error
        if ended.returncode != 0:
            raise SpeechFailed(f"espeak-ng ended with {ended.returncode}: {ended.stderr.strip()[-200:]}")
        return [_as_kokoro(line) for line in ended.stdout.splitlines() if line.strip()]


def _apart(word: str) -> tuple[str, str, str]:
    """Opening marks, the word, closing marks, in the marks that Kokoro knows."""
    inner = word.lstrip(_OPENING)
    opening = word[: len(word) - len(inner)]
    core = inner.rstrip(_CLOSING)
    known = str.maketrans({"«": "“", "»": "”", "„": "“", "¿": None, "¡": None, "।": ".", "॥": "."})
    return opening.translate(known), core.replace("[[", "").replace("]]", ""), inner[len(core) :].translate(known)


def _as_kokoro(ipa: str) -> str:
    ipa = re.sub(r"\([a-z^-]+\)", "", ipa)  # it says (en) where it changes to another language's rules
    for tied, symbol in _TIED.items():
        ipa = ipa.replace(tied, symbol)
    return ipa.replace("^", "").replace("-", "")
