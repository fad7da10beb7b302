"""What a step takes, in seconds of a machine that does nothing else: a first guess, and how far off it is here.

The guesses only have to weigh the kinds of work against each other until `Rates` has seen some of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vidgend.pipeline.executor.port import StepSpec
from vidgend.pipeline.timeline import Shot

CHARS_PER_S = 15.0
"""How much of a narration is said in a second, before one is heard."""
_WIDE_CHARS = 3.0
"""A Chinese or Japanese character takes as long to say as so many letters."""
# Measured on two cores of a cloud machine at 640x360 and 1280x720; seconds, and seconds per million pixels.
_PICTURE_S = {"generated": 0.013, "video": 0.001, "photo": 0.001}
_PICTURE_S_PER_MPX = {"generated": 0.013, "video": 0.010, "photo": 0.014}
_OPENING_S = {"generated": 0.65, "video": 0.3, "photo": 0.3}
_PRESETS = {"ultrafast": 0.7, "superfast": 0.8, "veryfast": 1.0, "faster": 1.3, "fast": 1.6, "medium": 1.8, "slow": 2.6,
    "slower": 4.5}  # fmt: skip
_CODECS = {"libx265": 3.0, "libsvtav1": 3.0}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A guess: `opening_s` before anything is reported, `growing_s` in step with the reported share.

    `name` says what can be compared: the kind of step first, then what else decides about its pace.
    """

    name: str
    opening_s: float = 0.0
    growing_s: float = 0.0

    @property
    def total_s(self) -> float:
        return self.opening_s + self.growing_s


def letters(text: str) -> float:
    """The length of a text in letters, as far as it matters for saying it."""
    return sum(_WIDE_CHARS if unicodedata.east_asian_width(char) in "WF" else 1.0 for char in text)


def speech_cost(spoken_s: float, label: str = "cpu") -> Cost:
    return Cost(name="speech" if label == "cpu" else f"speech {label}", opening_s=0.1 + spoken_s * 0.4)


def narration_cost() -> Cost:
    """To join what was spoken."""
    return Cost(name="narration", opening_s=0.15)


def with_model_load(cost: Cost) -> Cost:
    """The first speech of a process, which has to load the voice. How long that takes differs much between voices, so
    it hardly counts once another one was spoken."""
    return replace(cost, name=f"{cost.name} first", opening_s=cost.opening_s + 1.5)


def align_cost(spoken_s: float) -> Cost:
    return Cost(name="align", opening_s=0.1 + spoken_s * 0.2)


def recording_cost(recording_s: float) -> Cost:
    """A voice-over is decoded, and its noise taken away."""
    return Cost(name="recording", opening_s=0.3, growing_s=recording_s * 0.012)


def transcribe_cost(recording_s: float) -> Cost:
    """With the loading of the model."""
    return Cost(name="transcribe", opening_s=1.5, growing_s=recording_s * 0.06)


def segment_cost(picture: str, encoding: Mapping[str, Any], frames: float) -> Cost:
    """`encoding` as a segment's step has it."""
    return Cost(
        name=f"segment {picture} {_speed(encoding)}",
        opening_s=_OPENING_S.get(picture, 0.3),
        growing_s=frames * _frame_s(picture, encoding),
    )


def card_cost(encoding: Mapping[str, Any], frames: float) -> Cost:
    """The closing card is a painting."""
    return replace(segment_cost("generated", encoding, frames), name=f"card {_speed(encoding)}")


def transition_cost(picture: str, encoding: Mapping[str, Any], frames: float) -> Cost:
    """Two pictures are read and one is encoded."""
    return Cost(
        name=f"transition {picture} {_speed(encoding)}",
        opening_s=2 * _OPENING_S.get(picture, 0.3),
        growing_s=2 * frames * _frame_s(picture, encoding),
    )


def slowest(pictures: Collection[str]) -> str:
    """Of two kinds of picture the one that decides how long their transition takes."""
    return max(pictures, key=lambda picture: _PICTURE_S.get(picture, 0.0) + _PICTURE_S_PER_MPX.get(picture, 0.0))


def _speed(encoding: Mapping[str, Any]) -> str:
    return f"{encoding.get('encoder', '')} {encoding['preset']}".strip()


def _frame_s(picture: str, encoding: Mapping[str, Any]) -> float:
    megapixels: float = encoding["width_px"] * encoding["height_px"] / 1e6
    slower = _PRESETS.get(encoding["preset"], 1.0) * _CODECS.get(encoding.get("encoder", ""), 1.0)
    if picture == "generated":  # painting goes on beside the encoding and takes longer than most presets
        slower = max(1.0, slower * 0.4)
    return _PICTURE_S.get(picture, 0.001) + megapixels * _PICTURE_S_PER_MPX.get(picture, 0.01) * slower


def sound_cost(video_s: float) -> Cost:
    return Cost(name="sound", opening_s=0.6, growing_s=video_s * 0.07)


def join_cost(video_s: float) -> Cost:
    return Cost(name="join", opening_s=0.2, growing_s=video_s * 0.003)


def check_cost(video_s: float) -> Cost:
    """With the thumbnail and the publishing, which are as short."""
    return Cost(name="check", opening_s=0.25, growing_s=video_s * 0.005)


def translate_cost(letters_of_all: float) -> Cost:
    """By a model on another machine, or on this one."""
    return Cost(name="translate", opening_s=1.0, growing_s=letters_of_all * 0.01)


def fetch_cost() -> Cost:
    return Cost(name="fetch", growing_s=3.0)


def cost_of(spec: StepSpec, planned: Cost | None) -> Cost:
    """The cost of a step that is begun, from its arguments where they tell more than the plan knew."""
    args = spec.args
    if spec.kind == "speech":
        return speech_cost(letters(args["text"]) / CHARS_PER_S, spec.label)
    if spec.kind == "recording":
        return recording_cost(args["length_s"])
    if spec.kind == "transcribe":
        return transcribe_cost(args["length_s"])
    if spec.kind == "card":
        return card_cost(args["encoding"], args["shot"]["frames"])
    if spec.kind == "segment":
        return segment_cost(args["clip"]["kind"], args["encoding"], Shot(**args["shot"]).body_frames)
    if spec.kind == "transition":
        picture = slowest({args[side]["clip"]["kind"] for side in ("left", "right")})
        return transition_cost(picture, args["encoding"], args["left"]["shot"]["tail"])
    return planned or Cost(name=spec.kind, growing_s=0.5)
