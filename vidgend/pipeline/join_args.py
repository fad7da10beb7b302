"""Arguments of the ffmpeg that joins the segments and the sound.

Pure: numbers, names and enums in, a list out; no text of a user ever gets in here. Built with ffmpeg-python, keyword
arguments only: it escapes positional filter arguments twice (docs/adr/0004). File names are fixed names in the step's
scratch folder.
"""

from __future__ import annotations

import ffmpeg


def join_args(*, title: str, timescale: int) -> list[str]:
    """`segments.txt` and `sound.m4a`, both copied -> `video.mp4`, faststart.

    `title` is the only text of a user; it is one argument of its own and no filter sees it.
    """
    output = ffmpeg.output(
        ffmpeg.input("segments.txt", format="concat", safe=1).video,
        ffmpeg.input("sound.m4a", format="mov").audio,
        "video.mp4",
        **{
            "c": "copy",
            "movflags": "+faststart",
            "video_track_timescale": timescale,
            "map_metadata": -1,
            "metadata": f"title={title}",
            "format": "mp4",
        },
    )
    return list(output.get_args(overwrite_output=True))
