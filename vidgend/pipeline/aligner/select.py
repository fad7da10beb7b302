"""Which aligners work here and why the others do not. Loads no model."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from vidgend.errors import ToolMissing
from vidgend.pipeline.aligner.forced import PACKAGE, Forced
from vidgend.pipeline.aligner.port import Aligner
from vidgend.pipeline.aligner.proportional import Proportional
from vidgend.pipeline.aligner.whisper import Whisper
from vidgend.pipeline.whisper.model_files import PULLED, find_model
from vidgend.pipeline.whisper.service import WhisperService

NAMES = ("engine", "forced", "whisper", "proportional")
PREFERENCES = ("auto", *NAMES)
"""`engine` is the word times that came with the speech; it is no adapter, the step takes them as they are."""


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether an aligner works here. `reason` says what was found or is missing, `get` how to get it, or ""."""

    name: str
    available: bool
    reason: str
    get: str = ""


def probe(model: str, *, models_dir: Path, hub_dir: Path) -> dict[str, Availability]:
    """Forced alignment, Whisper with the model `model`, the proportional one, by name and best first. Looks for
    packages and files by name."""
    found = (
        _forced(),
        _whisper(model, models_dir, hub_dir),
        Availability(name=Proportional.name, available=True, reason="always there"),
    )
    return {one.name: one for one in found}


def build_whisper(
    preference: str, model: str, *, models_dir: Path, hub_dir: Path, device: str = "cpu", threads: int = 0
) -> WhisperService | None:
    """The recogniser, for all who need it; None where it does not work or, with `proportional`, is not wanted.

    Raises: ToolMissing if `whisper` is asked for and unusable.
    """
    whisper = _whisper(model, models_dir, hub_dir)
    found = find_model(model, models_dir=models_dir, hub_dir=hub_dir)
    if preference == "whisper" and not whisper.available:
        raise ToolMissing(f"aligner whisper: {whisper.reason}", hint=whisper.get)
    if preference == "proportional" or not whisper.available or found is None:
        return None
    return WhisperService(model=found, device=device, threads=threads)


def recogniser_hint(preference: str) -> str:
    """How to get a recogniser where there is none: a sentence without its full stop."""
    if preference == "proportional":
        return "Set aligner.engine = auto where vidgend runs: proportional switches the recogniser off"
    return "Install one where vidgend runs (pip install -e '.[align-offline]' in the checkout: English; docs/speech.md)"


def build_aligners(preference: str, whisper: WhisperService | None) -> tuple[Aligner, ...]:
    """The adapters for speech without word times, best first. `engine` and `auto` give all that work; a name that one,
    with the proportional one behind it for what it cannot hear.

    Raises: ToolMissing if `forced` is asked for and unusable; ValueError for an unknown name.
    """
    if preference not in PREFERENCES:
        raise ValueError(f"aligner {preference!r} is none of {', '.join(PREFERENCES)}")
    forced = _forced()
    aligners: list[Aligner] = []
    if preference in ("auto", "engine", "forced") and forced.available:
        aligners.append(Forced())
    elif preference == "forced":
        raise ToolMissing(f"aligner forced: {forced.reason}", hint=forced.get)
    if preference in ("auto", "engine", "whisper") and whisper is not None:
        aligners.append(Whisper(whisper))
    return (*aligners, Proportional())


def _forced() -> Availability:
    if importlib.util.find_spec(PACKAGE) is None:
        get = "pip install -e '.[align-forced]' in the checkout"
        return Availability(name="forced", available=False, reason=f"package {PACKAGE} is not installed", get=get)
    return Availability(name="forced", available=True, reason=f"package {PACKAGE}")


def _whisper(model: str, models_dir: Path, hub_dir: Path) -> Availability:
    found = find_model(model, models_dir=models_dir, hub_dir=hub_dir)
    problems = []
    if importlib.util.find_spec("faster_whisper") is None:
        problems.append("package faster-whisper is not installed")
    if found is None:
        problems.append(f"model {model} is neither in {models_dir} nor in the hub's cache")
    pull = f"`vidgend models pull whisper-{model}`" if model in PULLED else f"the model {model} in {models_dir}"
    if problems:
        get = "pip install -e '.[align]' in the checkout"
        if found is None:
            get = f"pip install -e '.[align-offline]' in the checkout, or '.[align]' and {pull}"
        return Availability(name="whisper", available=False, reason="; ".join(problems), get=get)
    assert found is not None
    reason = found.reason or f"model {found.name}"
    return Availability(name="whisper", available=True, reason=reason, get=pull if found.reason else "")
