"""The process that aligns known English text: `python -m vidgend.pipeline.aligner.forced_child`.

A request is `{"path", "words"}`; the answer is `{"spans": [[start_s, end_s, confidence] or null, ...], "pauses",
"length_s"}`, a span for each word and null for one that is not said. The model is loaded by the first request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidgend.pipeline.aligner.arpabet import arpabet
from vidgend.pipeline.aligner.onsets import SHORTEST_PAUSE_S
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.english import EnglishPhonemes
from vidgend.pipeline.speech.json_lines import serve
from vidgend.pipeline.speech.speakable import speakable

RATE_HZ = 48_000
FRAME_S = 0.01
EARLY_S = 0.045
"""How much its starts come early inside a phrase: 44 to 51 ms in the median, for Kokoro's voices (their own times less
the 17 ms by which those are late) and for Piper's."""

BEAM, WORD_BEAM = 1e-120, 1e-100
"""The default beams lose the thread of voices that are not quite human. Wider ones take ten times as long."""

UNSURE = 5.0
"""Mean log likelihood of a frame, against the best state, at which the confidence is 1/e. Measured: 19 of 20 words that
are said have -3 or more (a robot's voice -9), 19 of 20 that are not have less than -4.4."""

LEAST_LIKELIHOOD = 1e-300


class Pronunciations:
    """Written words -> names of words in the decoder's dictionary. Words that it lacks are taught to it.

    `known` says whether it has a word, `teach` adds one with its phones.
    """

    def __init__(self, known: Callable[[str], bool], teach: Callable[[str, str], None]) -> None:
        self._known, self._teach = known, teach
        self._phonemise = EnglishPhonemes()
        self._taught: dict[str, str] = {}

    def __call__(self, words: Sequence[str]) -> list[tuple[str, int]]:
        """What is said, one after the other, each with the index of the written word that it belongs to."""
        said = [
            (self._name(spoken), index)
            for index, one in enumerate(speakable(words))
            for spoken in one.text.replace("-", " ").split()
        ]
        return [(name, index) for name, index in said if name]

    def _name(self, spoken: str) -> str:
        """ "" for what has no sound."""
        plain = spoken.lower().strip(".,!?;:—…\"'")
        if not plain or self._known(plain):
            return plain
        if plain not in self._taught:
            phones = arpabet("".join(self._phonemise(spoken)))
            self._taught[plain] = f"_{len(self._taught)}_" if phones else ""
            if phones:
                self._teach(self._taught[plain], phones)
        return self._taught[plain]


class ForcedModel:
    """PocketSphinx with its own acoustic model of American English (package pocketsphinx, 0.12 s and 120 MB)."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder, get_model_path

        folder = Path(get_model_path("en-us"))
        self._decoder = Decoder(
            hmm=str(folder / "en-us"),
            dict=str(folder / "cmudict-en-us.dict"),
            lm=None,
            samprate=RATE_HZ,
            beam=BEAM,
            pbeam=BEAM,
            wbeam=WORD_BEAM,
            loglevel="FATAL",
        )
        self._pronunciations = Pronunciations(
            lambda word: self._decoder.lookup_word(word) is not None,
            lambda name, phones: self._decoder.add_word(name, phones, False),
        )

    def align(self, samples: sound.Samples, words: Sequence[str]) -> list[list[float] | None]:
        """Raises: ValueError if the words are not what is said."""
        said = self._pronunciations(words)
        if not said:
            raise ValueError("there is nothing to be said in the text")
        self._decoder.set_align_text(" ".join(name for name, _ in said))
        self._decoder.start_utt()
        self._decoder.process_raw(np.round(samples * 32767).astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        heard = [part for part in self._decoder.seg() or () if part.word[0] not in "<[("]
        if len(heard) != len(said):  # it ended before the last word, or nowhere
            raise ValueError("the words do not fit what is said")
        return _joined([owner for _, owner in said], heard, len(words))


def _joined(owners: Sequence[int], heard: Sequence[Any], count: int) -> list[list[float] | None]:
    """The parts of each written word as one."""
    parts: dict[int, list[Any]] = {}
    for owner, part in zip(owners, heard, strict=True):
        parts.setdefault(owner, []).append(part)
    return [_span(parts[index]) if index in parts else None for index in range(count)]


def _span(parts: Sequence[Any]) -> list[float]:
    frames = sum(part.end_frame + 1 - part.start_frame for part in parts)
    likelihood = sum(math.log(max(part.ascore, LEAST_LIKELIHOOD)) for part in parts) / frames
    return [
        parts[0].start_frame * FRAME_S + EARLY_S,
        (parts[-1].end_frame + 1) * FRAME_S + EARLY_S,
        min(1.0, math.exp(likelihood / UNSURE)),
    ]


def main() -> None:
    loaded: list[ForcedModel] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        samples, rate_hz = sound.read_wav(Path(request["path"]))
        if rate_hz != RATE_HZ:
            raise ValueError(f"the speech to align has {rate_hz} Hz, not {RATE_HZ}")
        if not loaded:
            loaded.append(ForcedModel())
        spans = loaded[0].align(samples, request["words"])
        pauses = sound.pauses(samples, rate_hz, SHORTEST_PAUSE_S)
        return {"spans": spans, "pauses": pauses, "length_s": len(samples) / rate_hz}

    serve(handle)


if __name__ == "__main__":
    main()
