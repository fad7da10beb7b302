"""Steps of earlier jobs -> how fast this machine is."""

from __future__ import annotations

from collections.abc import Iterable

from vidgend.pipeline import step_cost
from vidgend.pipeline.rates import Pace, Rates
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args
from vidgend.pipeline.step_cost import Cost
from vidgend.store.past_steps import PastStep
from vidgend.timebase import SAMPLE_RATE_HZ


def rates_of(steps: Iterable[PastStep], settings: RenderSettings) -> Rates:
    """`settings` are those of today: what was encoded otherwise in the past counts as if it had been encoded so."""
    rates = Rates()
    for step in steps:
        cost = _cost(step, settings)
        if cost is not None:
            rates.see(cost, Pace.of_whole(cost, step.seconds))
    return rates


def _cost(step: PastStep, settings: RenderSettings) -> Cost | None:
    """What it would have been guessed to take; None for what is not foreseen."""
    output, frames = step.output, step.output.get("frames")
    if step.kind == "speech":
        return step_cost.speech_cost(output["samples"] / SAMPLE_RATE_HZ, step.label)
    if step.kind == "recording":
        return step_cost.recording_cost(output["samples"] / SAMPLE_RATE_HZ)
    if step.kind == "sound":
        return step_cost.sound_cost(output["samples"] / SAMPLE_RATE_HZ)
    if not frames:
        return None
    if step.kind == "join":
        return step_cost.join_cost(float(frames / step.brief.frame_rate))
    picture = output.get("picture")
    if picture is None:
        return None
    encoding = encoding_args(step.brief, settings)
    if step.kind == "card":
        return step_cost.card_cost(encoding, frames)
    if step.kind == "segment":
        return step_cost.segment_cost(picture, encoding, frames)
    return step_cost.transition_cost(picture, encoding, frames) if step.kind == "transition" else None
