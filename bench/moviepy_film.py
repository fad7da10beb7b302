"""The film by MoviePy 2, in the shape that most programs have: write each clip, concatenate, put captions over it, write.

Run by a Python that has MoviePy, with a JSON file; needs nothing of vidgend. No look and no fades: less than vidgend does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(plan: dict[str, Any], target: str) -> None:
    from moviepy import (
        AudioFileClip,
        CompositeAudioClip,
        CompositeVideoClip,
        TextClip,
        VideoFileClip,
        concatenate_audioclips,
        concatenate_videoclips,
    )
    from moviepy.audio.fx import MultiplyVolume

    size = (plan["width_px"], plan["height_px"])
    writing = {
        "fps": plan["fps"], "codec": "libx264", "preset": plan["preset"], "threads": plan["threads"], "logger": None,
        "ffmpeg_params": ["-crf", str(plan["crf"]), "-pix_fmt", "yuv420p"],
    }  # fmt: skip
    written = []
    for number, scene in enumerate(plan["scenes"]):
        clip = VideoFileClip(scene["file"], audio=False)
        clip = clip.subclipped(scene["start_s"], scene["start_s"] + scene["length_s"] / scene["slow"])
        if scene["slow"] != 1:
            clip = clip.with_speed_scaled(1 / scene["slow"])
        clip = clip.resized(size) if tuple(clip.size) != size else clip
        path = str(Path(target).with_name(f"clip-{number}.mp4"))
        clip.with_duration(scene["length_s"]).write_videofile(path, audio=False, **writing)
        clip.close()
        written.append(path)
    film = concatenate_videoclips([VideoFileClip(path) for path in written])
    captions = [
        TextClip(
            font=plan["font"], text=one["text"], font_size=plan["font_size"], color="white", stroke_color="black",
            stroke_width=3, margin=(8, 8),
        )
        .with_start(one["start_s"])
        .with_end(one["end_s"])
        .with_position(("center", 0.85), relative=True)
        for one in plan["captions"]
    ]  # fmt: skip
    voices = [AudioFileClip(one["file"]).with_start(one["start_s"]) for one in plan["speech"]]
    track = AudioFileClip(plan["music"])
    music = concatenate_audioclips([track] * (int(film.duration // track.duration) + 1)).subclipped(0, film.duration)
    sound = CompositeAudioClip([*voices, music.with_effects([MultiplyVolume(0.18)])]).with_duration(film.duration)
    whole = CompositeVideoClip([film, *captions]).with_audio(sound).with_duration(film.duration)
    whole.write_videofile(target, audio_codec="aac", audio_bitrate="192k", **writing)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
