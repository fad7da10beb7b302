"""The same film by one hand-written ffmpeg command: one pass, one x264, every filter that vidgend uses, none that it
does not. Written out as text, not built by vidgend's own functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vidgend.models import Brief, Storyboard
from vidgend.pipeline.clip_args import clip_args
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.styles.look import VIGNETTE, Filter
from vidgend.pipeline.timeline import Shot, fade_frames, shot_of, speech_start_sample, wished_frames
from vidgend.timebase import SAMPLE_RATE_HZ

_XFADE = {"dissolve": "fade", "wipe": "smoothleft"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One scene: its file and what is in it, the moment at which its shot begins, how much it is slowed down."""

    file: Path
    start_s: float
    slow: float
    shot: Shot
    matrix: str
    width_px: int
    height_px: int


def parts_of(brief: Brief, board: Storyboard, files: Sequence[Path]) -> list[Part]:
    """What vidgend shows in each scene. `files` take turns, as in `Vidgend.plan`."""
    wish = brief.transitions or find_style(brief.style).transition
    overlap = wished_frames(wish, brief.frame_rate)
    parts = []
    for number, scene in enumerate(board.scenes):
        assert scene.clip is not None and scene.frames is not None
        first, last = number == 0, number == len(board.scenes) - 1
        shot = shot_of(scene.frames, before=0 if first else overlap, after=0 if last else overlap)
        window = clip_args(
            scene.clip, width_px=brief.width_px, height_px=brief.height_px, fps=brief.frame_rate,
            need_s=float(shot.frames / brief.frame_rate),
        )["window"]  # fmt: skip
        if window["bounce_s"]:
            raise SystemExit(f"{files[number % len(files)]} is too short: a scene and its transitions take it all")
        parts.append(
            Part(
                file=files[number % len(files)], start_s=window["start_s"], slow=window["slow"], shot=shot,
                matrix=scene.clip.colour.matrix or "bt709", width_px=scene.clip.width_px, height_px=scene.clip.height_px,
            )
        )  # fmt: skip
    return parts


def picture_graph(brief: Brief, parts: Sequence[Part], *, captions: bool) -> str:
    """Inputs 0.. are the clips, the label [v] is the film."""
    style = find_style(brief.style)
    fps, width, height = brief.fps, brief.width_px, brief.height_px
    seen = height - 2 * style.bar_px(width, height)
    graph = []
    for number, part in enumerate(parts):
        wide = min(Fraction(1), Fraction(part.height_px * width, part.width_px * height))
        high = min(Fraction(1), Fraction(part.width_px * height, part.height_px * width)) * Fraction(seen, height)
        matrix = (
            ",colorspace=ispace=smpte170m:space=bt709:iprimaries=bt709:primaries=bt709:itrc=bt709:trc=bt709:range=tv"
        )
        graph.append(
            f"[{number}:v]setpts={part.slow:.6f}*PTS,crop=iw*{float(wide):.6f}:ih*{float(high):.6f},"
            f"scale={width}:{seen}:flags=bicubic:in_color_matrix={part.matrix}:out_color_matrix={part.matrix},"
            f"format=yuv420p{matrix if part.matrix == 'bt601' else ''},setsar=1,fps={fps}:start_time=0,"
            f"tpad=stop_mode=clone:stop_duration=0.5,trim=end_frame={part.shot.frames},{_text(style.grade)}"
            f"settb=1/({fps}),setpts=N[s{number}]"
        )
    wish = brief.transitions or style.transition
    if wish.kind == "cut":
        graph.append("".join(f"[s{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}:v=1:a=0[all]")
    else:
        at = 0
        for number in range(1, len(parts)):
            left, right = parts[number - 1].shot, parts[number].shot
            at += left.frames - left.tail
            old, new = (
                ("s0" if number == 1 else f"x{number - 1}"),
                ("all" if number == len(parts) - 1 else f"x{number}"),
            )
            length_s, offset_s = (float(Fraction(one) / brief.frame_rate) for one in (right.head, at))
            graph.append(
                f"[{old}][s{number}]xfade=transition={_XFADE[wish.kind]}:duration={length_s:.6f}:offset={offset_s:.6f},"
                f"settb=1/({fps}),setpts=N[{new}]"
            )
    total, few = film_frames(parts), fade_frames(brief.frame_rate)
    graph.append(
        f"[all]{_text(style.finishing(width, height))}settb=1/({fps}),setpts=N,fade=type=in:start_frame=0:nb_frames={few},"
        f"fade=type=out:start_frame={total - few}:nb_frames={few}"
        + (",ass=captions.ass:fontsdir=fonts" if captions else "")
        + "[v]"
    )
    return ";".join(graph)


def film_frames(parts: Sequence[Part]) -> int:
    return sum(part.shot.frames for part in parts) - sum(part.shot.tail for part in parts)


def picture_inputs(parts: Sequence[Part]) -> list[str]:
    return [word for part in parts for word in ("-ss", f"{part.start_s:.3f}", "-i", str(part.file))]


def hand_args(
    brief: Brief,
    board: Storyboard,
    parts: Sequence[Part],
    speech: Sequence[Path],
    music: Path,
    *,
    preset: str,
    crf: int,
    threads: int,
    captions: bool = True,
) -> list[str]:
    """All of it -> `hand.mp4`; `captions.ass` and `fonts` are in the working folder."""
    count = len(parts)
    total_s = float(film_frames(parts) / brief.frame_rate)
    graph = [picture_graph(brief, parts, captions=captions)]
    for number, scene in enumerate(board.scenes):
        assert scene.start_frame is not None
        sample = speech_start_sample(scene.start_frame, number, brief.frame_rate)
        graph.append(f"[{count + number}:a]aresample=48000,adelay={sample * 1000 // SAMPLE_RATE_HZ}:all=1[a{number}]")
    graph.append(
        "".join(f"[a{n}]" for n in range(count))
        + f"amix=inputs={count}:normalize=0:dropout_transition=0,highpass=70,acompressor=threshold=-20dB:ratio=2.5:attack=8:"
        f"release=160:makeup=4dB,aformat=sample_fmts=fltp:channel_layouts=stereo:sample_rates=48000,apad=whole_dur={total_s},"
        f"asplit[voice][key]"
    )
    graph.append(
        f"[{2 * count}:a]aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,atrim=end={total_s},volume=-15dB,"
        f"afade=type=in:duration=0.8,afade=type=out:start_time={total_s - 2}:duration=2[bed]"
    )
    graph.append("[bed][key]sidechaincompress=threshold=0.02:ratio=6:attack=40:release=500[low]")
    graph.append(
        f"[voice][low]amix=inputs=2:normalize=0:duration=first,loudnorm=I=-14:TP=-1,atrim=end={total_s},aresample=48000[a]"
    )
    sounds = [word for path in speech for word in ("-i", str(path))]
    return [
        "-v", "error", "-y", *picture_inputs(parts), *sounds, "-stream_loop", "-1", "-i", str(music),
        "-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]", "-frames:v", str(film_frames(parts)),
        "-c:v", "libx264", "-preset", preset, "-crf", str(crf), "-profile:v", "high", "-pix_fmt", "yuv420p",
        "-g", "60", "-threads", str(threads), "-c:a", "aac", "-b:a", "192k", "-t", f"{total_s}",
        "-movflags", "+faststart", "hand.mp4",
    ]  # fmt: skip


def reference_args(brief: Brief, parts: Sequence[Part]) -> list[str]:
    """The graded film before any encoder, without captions -> raw frames in NUT on stdout."""
    return [
        "-v", "error", *picture_inputs(parts), "-filter_complex", picture_graph(brief, parts, captions=False),
        "-map", "[v]", "-frames:v", str(film_frames(parts)), "-c:v", "rawvideo", "-f", "nut", "pipe:1",
    ]  # fmt: skip


def _text(filters: Sequence[Filter]) -> str:
    """`name=key='value':...,` of each; a vignette by a mask, as vidgend makes it."""
    text = ""
    for name, values in filters:
        if name == VIGNETTE:
            text += (
                "split=3[bare][one][two];[one]trim=end_frame=1,lutyuv=255:255:255,"
                f"vignette={values['angle']}:dither=0,lutyuv=255-val:2*(255-val):2*(255-val)[mask];"
                "[two]trim=end_frame=1,lutyuv=0:128:128[black];[bare][black][mask]maskedmerge,limiter=16:235:1,"
            )
        else:
            text += f"{name}=" + ":".join(f"{key}='{value}'" for key, value in values.items()) + ","
    return text
