"""Which transcriber works here: Whisper, if it is installed and the settings do not say that it is not wanted."""

from __future__ import annotations

from pathlib import Path

from vidgend.pipeline.aligner.select import probe
from vidgend.pipeline.aligner.whisper_model_files import find_model
from vidgend.pipeline.transcriber.port import Transcriber
from vidgend.pipeline.transcriber.whisper import WhisperTranscriber


def build_transcriber(
    preference: str, model: str, *, models_dir: Path, hub_dir: Path, device: str = "cpu", threads: int = 0
) -> Transcriber | None:
    """By the settings of the aligner, whose model it uses: `proportional` wants no recogniser at all. Loads nothing."""
    whisper = probe(model, models_dir=models_dir, hub_dir=hub_dir)[0]
    found = find_model(model, models_dir=models_dir, hub_dir=hub_dir)
    if preference == "proportional" or not whisper.available or found is None:
        return None
    return WhisperTranscriber(model=found, device=device, threads=threads)
