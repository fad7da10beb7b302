"""espeak-ng: a robot's voice in many languages, as a program from PATH (GPL-3, so never linked). No word times."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Literal

from vidgend import children
from vidgend.errors import SpeechFailed
from vidgend.pipeline.speech import sound
from vidgend.pipeline.speech.in_child import check_request
from vidgend.pipeline.speech.port import Utterance, Voice
from vidgend.pipeline.speech.speakable import speakable
from vidgend.pipeline.speech.voice_tables import ESPEAK

PROGRAM = "espeak-ng"
RATE_HZ = 22_050
NORMAL_WPM = 160
"""Words a minute at speed 1; its own default of 175 is hard to follow."""


def stamp(program: str = PROGRAM) -> str:
    """What changes when the program is another one. It has no cheap way to tell its version; its file changes with
    every upgrade."""
    file = Path(shutil.which(program) or program)
    return f"{file.stat().st_size}-{file.stat().st_mtime_ns}" if file.is_file() else "missing"


class EspeakNg:
    """One short process a request. `program` is a path or a name on PATH. It is given numbers and the like as words,
    where there are rules for its language."""

    name = "espeak-ng"
    label: Literal["cpu"] = "cpu"
    blends = False

    def __init__(self, *, program: str = PROGRAM) -> None:
        self._program = shutil.which(program) or program
        self.identity = f"espeak-ng:{stamp(self._program)}"

    def voices(self) -> tuple[Voice, ...]:
        return ESPEAK

    async def synthesize(
        self, text: str, *, voice: str, language: str, speed: float, path: Path, timeout_s: float
    ) -> Utterance:
        """See SpeechEngine; `words` is always (). Raises: SpeechFailed, StepTimeout, ToolMissing."""
        check_request(self.name, ESPEAK, text, voice=voice, speed=speed)
        script, raw = path.with_name(f"{path.name}.txt"), path.with_name(f"{path.name}.raw.wav")
        argv = (
            self._program, "-b", "1", "-v", voice, "-s", str(round(NORMAL_WPM * speed)), "-f", str(script.absolute()),
            "-w", str(raw.absolute()),
        )  # fmt: skip
        said = _words(text, language)
        if not said:
            silence = sound.silence(sound.NOTHING_TO_SAY_S, RATE_HZ)
            await asyncio.to_thread(sound.write_wav, path, silence, RATE_HZ)
            return Utterance(path=path, samples=len(silence), rate_hz=RATE_HZ, words=())
        try:
            await asyncio.to_thread(script.write_text, f"{said}\n", "utf-8")
            ended = await children.run(argv, timeout_s=timeout_s)
            if ended.returncode != 0:
                raise SpeechFailed(
                    f"espeak-ng ended with {ended.returncode}: {ended.stderr_tail[-200:]}", tail=ended.stderr_tail
                )
            samples, rate_hz = await asyncio.to_thread(_tidy, raw, path)
        finally:
            await asyncio.to_thread(_remove, script, raw)
        return Utterance(path=path, samples=samples, rate_hz=rate_hz, words=())

    async def aclose(self) -> None:
        """Nothing is kept between requests."""


def _words(text: str, language: str) -> str:
    """The text as it is said. Words in other letters than those of the language are left to espeak."""
    words = text.split()
    spoken = zip(words, speakable(words, language), strict=True)
    return " ".join(said for word, one in spoken if (said := one.text or (word if _is_foreign(word) else "")))


def _is_foreign(word: str) -> bool:
    return any(char.isalpha() and ord(char) > 0x24F for char in word)


def _remove(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _tidy(raw: Path, path: Path) -> tuple[int, int]:
    """Trims and limits what espeak wrote. Raises: SpeechFailed."""
    try:
        samples, rate_hz = sound.read_wav(raw)
    except (OSError, ValueError) as error:
        raise SpeechFailed(f"espeak-ng wrote no usable sound: {error}") from error
    kept, _ = sound.trim(sound.limit(samples), rate_hz)
    if not len(kept):
        kept = sound.silence(0.5, rate_hz)
    sound.write_wav(path, kept, rate_hz)
    return len(kept), rate_hz
