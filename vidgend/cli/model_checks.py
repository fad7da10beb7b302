"""What `vidgend doctor` finds out about the models: those that are here and cannot be whole, by their sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vidgend.cli.finding import Finding

if TYPE_CHECKING:
    from vidgend.model_files.model import Purpose
    from vidgend.settings import Settings


def damaged(settings: Settings, purpose: Purpose, *, section: str) -> Iterator[Finding]:
    """A note for each damaged model for `purpose`. A few stats; `models verify` reads all."""
    from vidgend.cli.models_told import mend_of
    from vidgend.model_files.catalogue import MODELS
    from vidgend.model_files.places import look
    from vidgend.pipeline.speech.hub import default_hub_dir

    for model in MODELS:
        if model.purpose != purpose:
            continue
        found = look(model, models_dir=settings.data_dir / "models", hub_dir=default_hub_dir())
        if found.state == "damaged":
            yield Finding(
                section=section,
                mark="note",
                text=f"the model {model.name} in {found.folder} is damaged: {found.detail}",
                fix=mend_of(found),
            )
