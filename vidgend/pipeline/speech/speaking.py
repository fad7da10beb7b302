"""Text -> sound and word times, with any model that tells how long each of its symbols lasts. Runs in the child."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vidgend.cores import cores
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.phrases import LONGEST_SYMBOLS, Phonemise, phrases
from vidgend.pipeline.speech.sound import Samples
from vidgend.pipeline.speech.word_times import SHORTEST_PAUSE_S, Span, fill_and_order, spans_in_phrase
from vidgend.pipeline.vocabulary import has_words


class SymbolModel(Protocol):
    """A loaded model. `space_share` is where in the space before a word its sound starts, 0..1."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def alphabet(self) -> Container[str]: ...

    @property
    def space_share(self) -> float: ...

    def phonemiser(self, voice: str) -> Phonemise:
        """What reads the language of a voice."""
        ...

    def run(self, symbols: Sequence[str], *, voice: str, speed: float) -> tuple[Samples, list[float]]:
        """Sound, and where each symbol starts and the last one ends, in seconds: one more than `symbols`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Said:
    """float32[samples], mono, below full scale, and one span in seconds for each word of the text."""

    samples: Samples
    spans: list[Span]
    readable: bool = True
    """False: the text has letters, and none of them belongs to the language of the voice. Then this is silence."""


def speak(
    model: SymbolModel, text: str, *, voice: str, language: str, speed: float, longest: int = LONGEST_SYMBOLS
) -> Said:
    """Say `text` with the times of its words, phrase by phrase: memory grows with the length of a call (653 MB by
    sentence, 1.2 GB by paragraph). Raises: what the model raises."""
    pieces = phrases(text, model.phonemiser(voice), model.alphabet, language, longest)
    parts: list[Samples] = []
    spans: dict[int, Span] = {}
    at = 0
    for index, phrase in enumerate(pieces):
        raw, bounds_s = model.run(phrase.symbols, voice=voice, speed=speed)
        kept, cut = sound.trim(raw, model.rate_hz)
        pauses = sound.pauses(raw, model.rate_hz, SHORTEST_PAUSE_S)
        shift_s = (at - cut) / model.rate_hz
        found = spans_in_phrase(phrase, bounds_s, pauses=pauses, space_share=model.space_share)
        for word, (start, end) in found.items():
            first_s = spans[word][0] if word in spans else start + shift_s
            spans[word] = (first_s, end + shift_s)
        parts.append(kept)
        at += len(kept)
        if index + 1 < len(pieces):
            parts.append(sound.silence(phrase.pause_s / speed, model.rate_hz))
            at += len(parts[-1])
    samples = sound.limit(sound.join(parts or [sound.silence(sound.NOTHING_TO_SAY_S, model.rate_hz)]))
    return Said(
        samples=samples,
        spans=fill_and_order(spans, len(text.split()), len(samples) / model.rate_hz),
        readable=bool(pieces) or not has_words(text),
    )


def run_onnx(session: Any, outputs: Sequence[str], inputs: Mapping[str, Any]) -> Any:
    """What the session answers. Raises: MemoryError for what onnxruntime says of memory in its own words; else what it
    raises."""
    try:
        return session.run(list(outputs), dict(inputs))
    except Exception as error:
        if any(word in str(error) for word in _NO_MEMORY):
            raise MemoryError(str(error)) from error
        raise


_NO_MEMORY = ("bfc_arena", "Failed to allocate", "bad_alloc", "bad allocation")
"""Source: onnxruntime's arena and C++'s own exception, as they came under a limit of the address space."""


def onnx_session(model: str | bytes, threads: int) -> Any:
    """An onnxruntime session on the CPU that shares the machine well.

    Its threads do not spin while they wait: with the cores busy with an encoder that saved 30 % of the processor time
    (0.68 instead of 0.95 s for a second of Kokoro) and cost no time on the clock. Raises: what onnxruntime raises.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
