"""Every model that vidgend knows by name."""

from __future__ import annotations

from vidgend.errors import NotFound
from vidgend.model_files.model import Model
from vidgend.model_files.relevance_models import RELEVANCE_MODELS
from vidgend.model_files.speech_models import SPEECH_MODELS
from vidgend.model_files.whisper_models import WHISPER_MODELS

MODELS: tuple[Model, ...] = (*SPEECH_MODELS, *WHISPER_MODELS, *RELEVANCE_MODELS)


def model_named(name: str) -> Model:
    """Raises: NotFound."""
    for model in MODELS:
        if model.name == name:
            return model
    raise NotFound(f"there is no model {name}", hint=f"The models are {', '.join(model.name for model in MODELS)}.")
