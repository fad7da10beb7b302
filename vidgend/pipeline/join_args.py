"""Arguments of the ffmpeg that joins the segments and the sound.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

import ffmpeg

from vidgend.pipeline.sound_args import levelled


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
