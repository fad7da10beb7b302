"""What a sound file is: its header read, its beginning decoded, or refused with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vidgend.errors import MediaUnreadable, StepError
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.probe import MAX_STREAMS, PROBE_TIMEOUT_S

SOUND_DECODERS = (
    "aac", "alac", "flac", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis", "pcm_u8",
    "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be",
    "pcm_f64le", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav",
)  # fmt: skip
"""What ffmpeg may decode sound with."""
SHORTEST_S = 0.5
LISTENED_S = 20.0
"""So much of the beginning is decoded, to see that it can be."""

TAG_CHARS = 200
_HEARD_RATE_HZ = 8000
# Four spaces stand before a tag of the file, six before one of a stream; the next lines of one are indented further.
_TAG = re.compile(r"^(?: {4}| {6})(title|artist|copyright|license) *: (.*)$", re.M | re.I)
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.M)
_STREAM = re.compile(r"^  Stream #0:\d+.*$", re.M)
_AUDIO = re.compile(r": Audio: (\w+)(?: \([^,]*\))*, (\d+) Hz(?:, ([^,]+))?")
_CHANNELS = {
    "mono": 1, "stereo": 2, "downmix": 2, "2.1": 3, "3.0": 3, "4.0": 4, "quad": 4, "3.1": 4, "5.0": 5, "4.1": 5,
    "5.1": 6, "6.0": 6, "hexagonal": 6, "6.1": 7, "7.0": 7, "7.1": 8, "octagonal": 8,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sound:
    """`channels` is 0 where ffmpeg has no name for them; `duration_s` None if the file does not say."""

    codec: str
    sample_rate_hz: int
    channels: int
    duration_s: float | None


def sound_options(demuxer: str | None) -> list[str]:
    """Options before `-i` for a sound file that vidgend did not make, as `probe.input_options` are for pictures."""
    options = ["-protocol_whitelist", "file,pipe", "-codec_whitelist", ",".join(SOUND_DECODERS)]
    return [*options, "-f", demuxer] if demuxer else options


def read_sound_header(text: str, *, picture: bool = False) -> Sound:
    """What ffmpeg prints about a file -> its first sound. Raises: MediaUnreadable, also where there is a moving picture
    beside it, unless `picture` allows one: then it is not a sound file."""
    streams = _STREAM.findall(text)
    if len(streams) > MAX_STREAMS:
        raise MediaUnreadable(f"the file has more than {MAX_STREAMS} streams")
    if not picture and any(": Video: " in line and "(attached pic)" not in line for line in streams):
        raise MediaUnreadable("there is a moving picture in the file")
    found = next((match for line in streams if (match := _AUDIO.search(line))), None)
    if found is None:
        raise MediaUnreadable("there is no readable sound in the file", tail=text)
    rate_hz = int(found[2])
    if not 4000 <= rate_hz <= 384_000:
        raise MediaUnreadable(f"a sample rate of {rate_hz} Hz cannot be used")
    layout = (found[3] or "").partition("(")[0].strip()
    count = re.match(r"(\d+) channels", layout)
    duration = _DURATION.search(text)
    return Sound(
        codec=found[1],
        sample_rate_hz=rate_hz,
        channels=int(count[1]) if count else _CHANNELS.get(layout, 0),
        duration_s=int(duration[1]) * 3600 + int(duration[2]) * 60 + float(duration[3]) if duration else None,
    )


@dataclass(frozen=True, kw_only=True)
class SoundTags:
    """What a music file says of itself; "" where it does not. `licence` may be an address."""

    title: str = ""
    artist: str = ""
    licence: str = ""


def read_sound_tags(text: str) -> SoundTags:
    """What ffmpeg prints about a file -> its tags, those of the file before those of its sound, and none of a picture
    or a chapter in it. A tag of several lines is its first line."""
    found: dict[str, str] = {}
    for name, value in _TAG.findall(text.partition(": Video: ")[0]):
        if value.strip():
            found.setdefault(name.lower(), value.strip()[:TAG_CHARS])
    licence = found.get("license") or found.get("copyright") or ""
    return SoundTags(title=found.get("title", ""), artist=found.get("artist", ""), licence=licence)


async def probe_sound(ffmpeg: Ffmpeg, path: Path, demuxer: str, *, picture: bool = False) -> Sound:
    """Read the header, and decode the beginning. Raises: MediaUnreadable; for a video unless `picture`."""
    source = [*sound_options(demuxer), "-i", str(path.absolute())]
    try:
        # Without an output ffmpeg prints what it found and exits with 1.
        header = await ffmpeg.look(source, cwd=path.parent, timeout_s=PROBE_TIMEOUT_S)
        found = read_sound_header(header.stderr_tail, picture=picture)
        heard = await ffmpeg.look(
            [
                *source, "-map", "0:a:0", "-t", str(LISTENED_S), "-ac", "1", "-ar", str(_HEARD_RATE_HZ), "-f", "s16le",
                "pipe:1",
            ],
            cwd=path.parent,
            timeout_s=30,
            level="error",
        )  # fmt: skip
    except StepError as error:
        if isinstance(error, MediaUnreadable):
            raise
        raise MediaUnreadable(f"it cannot be decoded in reasonable time: {error.detail}", tail=error.tail) from error
    if len(heard.stdout) < SHORTEST_S * _HEARD_RATE_HZ * 2:
        why = "it is shorter than half a second" if heard.stdout else "nothing of it can be decoded"
        raise MediaUnreadable(why, tail=heard.stderr_tail)
    return found
