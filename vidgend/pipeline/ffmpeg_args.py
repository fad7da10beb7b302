"""Argument lists for ffmpeg. Pure: numbers, names and enums in, a list out; no text of a user ever gets in here.

Built with ffmpeg-python, keyword arguments only: it escapes positional filter arguments twice (docs/adr/0004).
File names are fixed names in the step's scratch folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import ffmpeg

from vidgend.models import MediaKind
from vidgend.pipeline.probe import MAX_PIXELS
from vidgend.timebase import SAMPLE_RATE_HZ, fps_text

FADE_S = 0.5
"""Fade from black at the start of a video and to black at its end."""
SLOWEST = 1.6
"""A clip that is too short for its scene is slowed down to this factor at most, else it is repeated."""
LOUDNESS_LUFS = -14.0
"""Integrated loudness of the finished sound. Source: what the large video sites normalise to."""
CEILING_DB = -1.5
"""Sample peak that the limiter allows, in dBFS: leaves room for the true peak after AAC."""


def timescale_of(fps: Fraction) -> int:
    """The time scale of a video track, in ticks per second, in which a frame is a whole number of ticks."""
    return fps.numerator * (1 if fps.denominator > 1 else 512)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How every segment is encoded; equal for all of one video, so that they can be joined by copying."""

    width_px: int
    height_px: int
    fps: Fraction
    preset: str
    crf: int
    threads: int

    def options(self) -> dict[str, Any]:
        """Output options. BT.709, closed GOPs of two seconds, a time scale in which a frame is a whole number."""
        gop = ceil(self.fps * 2)
        return {
            "c:v": "libx264",
            "preset": self.preset,
            "crf": self.crf,
            "profile:v": "high",
            "pix_fmt": "yuv420p",
            "g": gop,
            "flags": "+cgop",
            "threads": self.threads,
            "colorspace": "bt709",
            "color_primaries": "bt709",
            "color_trc": "bt709",
            "color_range": "tv",
            "video_track_timescale": timescale_of(self.fps),
            "map_metadata": -1,
            "fflags": "+bitexact",
        }


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The source of a segment: `source.media` in the scratch folder, or raw frames on stdin for painted ones.

    Sizes as shown (rotated, square pixels). `motion` chooses the direction of a photo's pan and zoom.
    """

    kind: MediaKind
    width_px: int
    height_px: int
    demuxer: str | None = None
    fps: float = 0.0
    duration_s: float | None = None
    motion: int = 0


def _cover(stream: Any, picture: Picture, width: int, height: int) -> Any:
    """Scale so that the picture covers width x height, then cut off what is over, centred."""
    factor = max(Fraction(width, picture.width_px), Fraction(height, picture.height_px))
    scaled_width = max(width, ceil(picture.width_px * factor / 2) * 2)
    scaled_height = max(height, ceil(picture.height_px * factor / 2) * 2)
    stream = stream.filter(
        "scale",
        w=scaled_width,
        h=scaled_height,
        flags="bicubic",
        out_color_matrix="bt709",
        out_range="tv",
    )
    if (scaled_width, scaled_height) != (width, height):
        stream = stream.filter("crop", w=width, h=height)
    return stream.filter("setsar", sar=1)


def _video_source(picture: Picture, encoding: Encoding, length_s: Fraction) -> Any:
    rate = fps_text(encoding.fps)
    options: dict[str, Any] = {
        "format": picture.demuxer,
        "protocol_whitelist": "file,pipe",
        "max_pixels": MAX_PIXELS,
    }
    have_s = picture.duration_s or 0.0
    need_s = float(length_s)
    slow = 1.0
    if have_s >= need_s + 0.1:
        # Not the very first moment: stock clips often start with a shake or a fade.
        options["ss"] = f"{(have_s - need_s) * 0.25:.3f}"
    elif have_s * SLOWEST >= need_s + 0.1:
        slow = (need_s + 0.1) / have_s
    else:
        options["stream_loop"] = -1
    stream = ffmpeg.input("source.media", **options).video
    if slow > 1.0:
        stream = stream.filter("setpts", expr=f"{slow:.6f}*PTS")
    reduce_first = picture.fps > float(encoding.fps) * 1.01
    if reduce_first:
        stream = stream.filter("fps", fps=rate)
    stream = _cover(stream, picture, encoding.width_px, encoding.height_px)
    return stream if reduce_first else stream.filter("fps", fps=rate)


def _photo_source(picture: Picture, encoding: Encoding, frames: int) -> Any:
    # zoompan moves in whole pixels: three times the size makes its steps a third of a pixel.
    scale = 3 if max(encoding.width_px, encoding.height_px) <= 1920 else 2
    stream = ffmpeg.input(
        "source.media", format=picture.demuxer, protocol_whitelist="file,pipe", max_pixels=MAX_PIXELS
    ).video
    stream = _cover(stream, picture, encoding.width_px * scale, encoding.height_px * scale)
    t = f"on/{max(1, frames - 1)}"
    eased = f"({t})*({t})*(3-2*({t}))"
    zoom = f"1.16-0.12*{eased}" if picture.motion & 1 else f"1.04+0.12*{eased}"
    pan = {0: "0.5", 1: f"0.35+0.3*{eased}", 2: f"0.65-0.3*{eased}"}[picture.motion // 2 % 3]
    return stream.filter(
        "zoompan",
        zoom=zoom,
        x=f"(iw-iw/zoom)*({pan})",
        y="(ih-ih/zoom)*0.5",
        d=frames,
        s=f"{encoding.width_px}x{encoding.height_px}",
        fps=fps_text(encoding.fps),
    )


def _painted_source(picture: Picture, encoding: Encoding) -> Any:
    stream = ffmpeg.input(
        "pipe:0",
        format="rawvideo",
        pix_fmt="rgb24",
        s=f"{picture.width_px}x{picture.height_px}",
        r=fps_text(encoding.fps),
    ).video
    return _cover(stream, picture, encoding.width_px, encoding.height_px)


def segment_args(
    picture: Picture,
    encoding: Encoding,
    *,
    frames: int,
    grade: tuple[tuple[str, dict[str, str]], ...] = (),
    captions: bool = False,
    fade_in: bool = False,
    fade_out: bool = False,
) -> list[str]:
    """One decode, one encode: `source.media` (or stdin) -> `segment.mp4`, exactly `frames` long.

    `poster.jpg` is one frame of it, taken before fades and captions.
    """
    length_s = Fraction(frames) / encoding.fps
    if picture.kind == "generated":
        stream = _painted_source(picture, encoding)
    elif picture.kind == "photo":
        stream = _photo_source(picture, encoding, frames)
    else:
        stream = _video_source(picture, encoding, length_s)
        # Rounding in a clip's own time base may cost its last frame; half a second of it is enough.
        stream = stream.filter("tpad", stop_mode="clone", stop_duration="0.5")
    for name, arguments in grade:
        stream = stream.filter(name, **arguments)
    stream = stream.filter("format", pix_fmts="yuv420p").filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )
    both = stream.filter_multi_output("split", outputs=2)
    stream = both[0]
    fade_frames = max(1, round(encoding.fps * Fraction(FADE_S)))
    if fade_in:
        stream = stream.filter("fade", type="in", start_frame=0, nb_frames=fade_frames)
    if fade_out:
        stream = stream.filter("fade", type="out", start_frame=max(0, frames - fade_frames), nb_frames=fade_frames)
    if captions:
        stream = stream.filter("ass", filename="captions.ass", fontsdir="fonts")
    segment = ffmpeg.output(
        stream, "segment.mp4", **encoding.options(), **{"frames:v": frames, "an": None, "format": "mp4"}
    )
    poster = ffmpeg.output(
        both[1].filter("select", expr=f"eq(n,{frames * 2 // 5})"),
        "poster.jpg",
        **{"c:v": "mjpeg", "frames:v": 1, "q:v": 3, "format": "image2", "update": 1, "strict": "unofficial"},
    )
    return list(ffmpeg.merge_outputs(segment, poster).get_args(overwrite_output=True))


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


def join_args(*, gain_db: float, title: str, timescale: int) -> list[str]:
    """`segments.txt` (copied, not encoded) and `mix.wav` (levelled, one AAC encode) -> `video.mp4`, faststart.

    `title` is the only text of a user; it is one argument of its own and no filter sees it.
    """
    video = ffmpeg.input("segments.txt", format="concat", safe=1).video
    audio = levelled(ffmpeg.input("mix.wav", format="wav").audio, gain_db)
    output = ffmpeg.output(
        video,
        audio,
        "video.mp4",
        **{
            "c:v": "copy",
            "c:a": "aac",
            "b:a": "192k",
            "movflags": "+faststart",
            "video_track_timescale": timescale,
            "map_metadata": -1,
            "metadata": f"title={title}",
            "format": "mp4",
        },
    )
    return list(output.get_args(overwrite_output=True))
