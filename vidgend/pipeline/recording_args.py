"""Arguments of the ffmpegs that decode a voice-over and take its noise away. Pure: numbers in, a list out.

Noise is taken away by spectral subtraction (`afftdn`) of what is heard where nobody speaks, and not by a gate: a gate
cuts soft beginnings and ends off words and leaves the noise under them. Compressing and levelling come later, with the
whole mix (docs/sound.md).
"""

from __future__ import annotations

from vidgend.pipeline.recording_levels import Noise
from vidgend.timebase import SAMPLE_RATE_HZ

HIGH_PASS_HZ = 70
"""Below the deepest voices: steps, wind, hum of 50 and 60 Hz."""
REDUCTION_DB = 14
"""How much softer the noise becomes; more of it, and what is left begins to chirp."""
ABOVE_NOISE_DB = 6.0
"""The filter's noise floor above the noise that was measured. At the same level only 8 to 11 dB go (measured), from 6
dB on all 14; from 12 dB on it takes soft sounds of the voice along."""
LATENCY = SAMPLE_RATE_HZ // 40
"""So many samples later does `afftdn` give what it was given. Measured with ffmpeg 7.0 and 9.0, as a test does."""
_EDGE_S = 0.05


def decode_args(options: list[str], *, longest_s: float) -> list[str]:
    """`recording.media` -> `raw.wav`: mono, 48 kHz. `options` come before it."""
    return [
        *options, "-t", f"{longest_s:g}", "-i", "recording.media", "-map", "0:a:0", "-ac", "1", "-ar",
        str(SAMPLE_RATE_HZ), "-c:a", "pcm_s16le", "-map_metadata", "-1", "-fflags", "+bitexact", "raw.wav", "-y",
    ]  # fmt: skip


def clean_args(noise: Noise | None) -> list[str]:
    """`raw.wav` -> `voice.wav`, sample for sample as long. `noise` is where only noise is heard."""
    high_pass = f"highpass=f={HIGH_PASS_HZ}"
    inputs = ["-f", "wav", "-i", "raw.wav"]
    if noise is None:
        graph = f"[0:a]{high_pass}[voice]"
    else:
        floor_db = min(max(noise.level_db + ABOVE_NOISE_DB, -80.0), -20.0)  # what the filter takes
        heard_s = noise.end_s - noise.start_s
        length = round(heard_s * SAMPLE_RATE_HZ)
        # The noise is played to the filter first, and what it makes of that is cut off again. It comes from an input of
        # its own: out of one, ffmpeg would hold all that lies before the noise (786 MB of 55 minutes; so 45 MB).
        inputs = ["-f", "wav", "-ss", f"{noise.start_s:.3f}", "-t", f"{heard_s:.3f}", "-i", "raw.wav", *inputs]
        graph = (
            f"[0:a]{high_pass},apad=whole_len={length},atrim=end_sample={length}[noise];"
            f"[1:a]{high_pass},apad=pad_len={LATENCY}[padded];[noise][padded]concat=n=2:v=0:a=1,"
            f"asendcmd=c='{_EDGE_S} afftdn sn start; {heard_s - _EDGE_S:.3f} afftdn sn stop',"
            f"afftdn=nr={REDUCTION_DB}:nf={floor_db:.1f},"
            f"atrim=start_sample={length + LATENCY},asetpts=PTS-STARTPTS[voice]"
        )
    return [
        *inputs, "-filter_complex", graph, "-map", "[voice]", "-ac", "1", "-ar",
        str(SAMPLE_RATE_HZ), "-c:a", "pcm_s16le", "-map_metadata", "-1", "-fflags", "+bitexact", "voice.wav", "-y",
    ]  # fmt: skip
