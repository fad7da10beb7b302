"""Arguments of the ffmpegs that decode music, and mix, level and encode the sound.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

from typing import Any

import ffmpeg

from vidgend.timebase import SAMPLE_RATE_HZ

LOUDNESS_LUFS = -14.0
"""Integrated loudness of the finished sound. Source: what the large video sites normalise to."""
TRUE_PEAK_DB = -1.0
"""True peak that the finished, encoded sound may reach, in dBTP. Source: EBU R 128."""
PART_LUFS = -23.0
"""What a voice and a piece of music are brought to before they are mixed: their level is then known, and nothing clips.
Source: EBU R 128."""
BED_BELOW_LU = 10.0
"""How much softer than the voice the music is while nobody speaks. Ducking takes it down by another 10 or 11 (measured
with Kokoro), so that it is 20 below: what WCAG 2.2, technique G56, asks of sounds behind speech."""
KEY_AHEAD = SAMPLE_RATE_HZ * 15 // 100
"""By so many samples the music gives way before a word, so that the first syllable is not covered."""
FADE_IN_S, FADE_OUT_S = 0.8, 1.5
BIT_RATE = "192k"


def _pcm(name: str, *, channels: int, kind: str = "s16le") -> Any:
    return ffmpeg.input(name, format=kind, ar=SAMPLE_RATE_HZ, ac=channels).audio


def decode_args(options: list[str], *, number: int, samples: int) -> list[str]:
    """`track-<number>.media` -> `track-<number>.pcm`: stereo, 16 bits, at most `samples`. `options` come before it."""
    return [
        *options, "-i", f"track-{number}.media", "-map", "0:a:0", "-af",
        f"aresample={SAMPLE_RATE_HZ},aformat=channel_layouts=stereo,atrim=end_sample={samples}",
        "-f", "s16le", "-c:a", "pcm_s16le", f"track-{number}.pcm", "-y",
    ]  # fmt: skip


def listen_args(options: list[str], *, rate_hz: int, longest_s: float) -> list[str]:
    """`track.media` -> `heard.pcm`: mono, 16 bits, `rate_hz`; and its loudness is printed at level info."""
    return [
        *options, "-t", f"{longest_s:g}", "-i", "track.media",
        "-map", "0:a:0", "-af", f"aresample={rate_hz},aformat=channel_layouts=mono", "-f", "s16le", "-c:a",
        "pcm_s16le", "heard.pcm",
        "-map", "0:a:0", "-af", "ebur128=framelog=quiet", "-f", "null", "-",
        "-y",
    ]  # fmt: skip


def voice_loudness_args(number: int) -> list[str]:
    """Measure `voice-<number>.pcm`: the summary is printed at level info."""
    measured = _pcm(f"voice-{number}.pcm", channels=1).filter("ebur128", framelog="quiet")
    return list(ffmpeg.output(measured, "-", format="null").get_args())


def mix_args(voice_gains_db: tuple[float, ...], *, samples: int, bed_gain_db: float | None, ducking: bool) -> list[str]:
    """All sound of a video -> `mix.wav`, 24 bits, stereo, 48 kHz, exactly `samples` long, not yet levelled; and its
    loudness is printed at level info.

    Voices are `voice-<n>.pcm`, mono, as long as the video. The bed comes on stdin, float, stereo, as long as the video;
    `bed_gain_db` None: there is none. It is ducked under the voice and faded at both ends.
    """
    voice = _voice(voice_gains_db, samples) if voice_gains_db else None
    bed = None
    if bed_gain_db is not None:
        bed = _pcm("pipe:0", channels=2, kind="f32le").filter("volume", volume=f"{bed_gain_db:.2f}dB")
    if voice is not None and bed is not None:
        if ducking:
            split = voice.filter_multi_output("asplit", outputs=2)
            voice = split[0]
            bed = _ducked(bed, split[1], samples)
        mixed = ffmpeg.filter([voice, _faded(bed, samples)], "amix", inputs=2, normalize=0, dropout_transition=0)
    elif voice is not None:
        mixed = voice
    elif bed is not None:
        mixed = _faded(bed, samples)
    else:
        silence = f"anullsrc=channel_layout=stereo:sample_rate={SAMPLE_RATE_HZ}"
        mixed = ffmpeg.input(silence, format="lavfi", t=f"{samples / SAMPLE_RATE_HZ + 1:.3f}").audio
    both = mixed.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)
    both = both.filter_multi_output("asplit", outputs=2)
    written = ffmpeg.output(
        both[0],
        "mix.wav",
        **{"c:a": "pcm_s24le", "ar": SAMPLE_RATE_HZ, "ac": 2, "rf64": "auto", "map_metadata": -1},
    )
    measured = ffmpeg.output(both[1].filter("ebur128", framelog="quiet"), "-", format="null")
    return list(ffmpeg.merge_outputs(written, measured).get_args(overwrite_output=True))


def _voice(gains_db: tuple[float, ...], samples: int) -> Any:
    """All voices as one, a little compressed: quiet words come through, loud ones do not shout."""
    voices = [
        _pcm(f"voice-{number}.pcm", channels=1).filter("volume", volume=f"{gain_db:.2f}dB")
        for number, gain_db in enumerate(gains_db)
    ]
    voice = voices[0]
    if len(voices) > 1:
        voice = ffmpeg.filter(voices, "amix", inputs=len(voices), normalize=0, dropout_transition=0)
    return (
        voice.filter("highpass", frequency=70)
        .filter("acompressor", threshold="-24dB", ratio=2.5, attack=8, release=160, makeup="5dB")
        .filter("apad", whole_len=samples)
        .filter("aformat", sample_fmts="fltp", channel_layouts="stereo", sample_rates=SAMPLE_RATE_HZ)
    )


def _ducked(bed: Any, voice: Any, samples: int) -> Any:
    """The low ratio far below the level of speech takes about as much from the music under loud words as under quiet
    ones; the slow release does not let it come up between them."""
    key = voice.filter("atrim", start_sample=KEY_AHEAD).filter("asetpts", expr="PTS-STARTPTS")
    key = key.filter("apad", whole_len=samples)
    return ffmpeg.filter(
        [bed, key], "sidechaincompress", threshold="-42dB", ratio=2, attack=60, release=900, detection="rms"
    )


def _faded(bed: Any, samples: int) -> Any:
    length_s = samples / SAMPLE_RATE_HZ
    fade_in_s, fade_out_s = min(FADE_IN_S, length_s / 4), min(FADE_OUT_S, length_s / 3)
    return bed.filter("afade", type="in", start_time=0, duration=f"{fade_in_s:.3f}", curve="qsin").filter(
        "afade", type="out", start_time=f"{length_s - fade_out_s:.3f}", duration=f"{fade_out_s:.3f}", curve="qsin"
    )


def _levelled(gain_db: float, ceiling_db: float) -> Any:
    """Bring the mix to its loudness: one gain, then a limiter for the peaks."""
    loud = ffmpeg.input("mix.wav", format="wav").audio.filter("volume", volume=f"{gain_db:.3f}dB")
    return loud.filter(
        "alimiter", limit=f"{10 ** (ceiling_db / 20):.5f}", attack=4, release=80, level="disabled", latency=1
    )


def loudness_args(gain_db: float, ceiling_db: float) -> list[str]:
    """Measure `mix.wav` as it would sound: the summary is printed at level info."""
    stream = _levelled(gain_db, ceiling_db).filter("ebur128", framelog="quiet")
    return list(ffmpeg.output(stream, "-", format="null").get_args())


def encode_args(gain_db: float, ceiling_db: float) -> list[str]:
    """`mix.wav` -> `sound.m4a`: levelled, AAC, the only encode of the sound."""
    output = ffmpeg.output(
        _levelled(gain_db, ceiling_db),
        "sound.m4a",
        **{"c:a": "aac", "b:a": BIT_RATE, "map_metadata": -1, "format": "mp4"},
    )
    return list(output.get_args(overwrite_output=True))
