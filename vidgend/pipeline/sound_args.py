"""Arguments of the ffmpegs that mix and level the sound.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ffmpeg

from vidgend.timebase import SAMPLE_RATE_HZ

LOUDNESS_LUFS = -14.0
"""Integrated loudness of the finished sound. Source: what the large video sites normalise to."""
CEILING_DB = -1.5
"""Sample peak that the limiter allows, in dBFS: leaves room for the true peak after AAC."""


@dataclass(frozen=True, kw_only=True)
class SpokenAt:
    """A scene's speech (`speech-<n>.wav` in the scratch folder) and the sample of the timeline where it starts."""

    number: int
    at_sample: int


def mix_args(
    spoken: tuple[SpokenAt, ...],
    *,
    samples: int,
    music: bool,
    music_gain_db: float,
    ducking: bool,
    fade_out_s: float = 1.5,
) -> list[str]:
    """All sound of a video -> `mix.wav`, float, stereo, 48 kHz, exactly `samples` long, not yet levelled.

    Speech starts at exact samples. Music (`music.media`) is repeated, ducked under the voice and faded at both ends.
    """
    end_s = samples / SAMPLE_RATE_HZ
    voice = None
    if spoken:
        placed = [
            ffmpeg.input(f"speech-{speech.number}.wav", format="wav")
            .audio.filter("aresample", sample_rate=SAMPLE_RATE_HZ)
            .filter("adelay", delays=f"{speech.at_sample}S", all=1)
            for speech in spoken
        ]
        voice = (
            placed[0]
            if len(placed) == 1
            else ffmpeg.filter(placed, "amix", inputs=len(placed), normalize=0, dropout_transition=0)
        )
        voice = (
            voice.filter("highpass", frequency=70)
            .filter("acompressor", threshold="-20dB", ratio=2.5, attack=8, release=160, makeup="4dB")
            .filter("apad", whole_len=samples)
            .filter("atrim", end_sample=samples)
            .filter("aformat", sample_fmts="fltp", channel_layouts="stereo", sample_rates=SAMPLE_RATE_HZ)
        )
    bed = None
    if music:
        bed = (
            ffmpeg.input("music.media", stream_loop=-1)
            .audio.filter("aresample", sample_rate=SAMPLE_RATE_HZ)
            .filter("aformat", sample_fmts="fltp", channel_layouts="stereo", sample_rates=SAMPLE_RATE_HZ)
            .filter("atrim", end_sample=samples)
            .filter("volume", volume=f"{music_gain_db:.2f}dB")
            .filter("afade", type="in", start_time=0, duration=0.8)
            .filter("afade", type="out", start_time=max(0.0, end_s - fade_out_s), duration=fade_out_s)
        )
    if voice is not None and bed is not None:
        if ducking:
            split = voice.filter_multi_output("asplit", outputs=2)
            voice = split[0]
            bed = ffmpeg.filter(
                [bed, split[1]], "sidechaincompress", threshold=0.02, ratio=6, attack=40, release=500, level_sc=1
            )
        mixed = ffmpeg.filter([voice, bed], "amix", inputs=2, normalize=0, duration="first", dropout_transition=0)
    elif voice is not None:
        mixed = voice
    elif bed is not None:
        mixed = bed
    else:
        mixed = ffmpeg.input(
            f"anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE_HZ}", format="lavfi", t=f"{end_s + 1:.3f}"
        ).audio
    mixed = mixed.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)
    output = ffmpeg.output(
        mixed,
        "mix.wav",
        **{"c:a": "pcm_f32le", "ar": SAMPLE_RATE_HZ, "ac": 2, "rf64": "auto", "map_metadata": -1},
    )
    return list(output.get_args(overwrite_output=True))


def levelled(stream: Any, gain_db: float) -> Any:
    """Bring a mix to its loudness: one gain, then a limiter for the peaks."""
    return stream.filter("volume", volume=f"{gain_db:.3f}dB").filter(
        "alimiter", limit=f"{10 ** (CEILING_DB / 20):.4f}", attack=3, release=60, level="disabled", latency=1
    )


def loudness_args(gain_db: float) -> list[str]:
    """Measure `mix.wav` as it would sound with `gain_db`: the summary is printed by ffmpeg at level info."""
    stream = levelled(ffmpeg.input("mix.wav", format="wav").audio, gain_db)
    output = ffmpeg.output(stream.filter("ebur128", peak="true", framelog="quiet"), "-", format="null")
    return list(output.get_args())
