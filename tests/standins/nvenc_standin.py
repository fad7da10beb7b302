"""A stand-in for an ffmpeg on a machine with an NVIDIA card: everything goes to the real ffmpeg, but `h264_nvenc`.

Its pictures come from x264 with other parameter sets, as those of another encoder are. What the card does next is in
the file `card` beside it: `works`; `none` is there; `breaks N` and `hangs N` after so many segments. Each segment that
it is asked for adds a line to the file `asked`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

OWN = {"-preset": 1, "-tune": 1, "-rc": 1, "-cq": 1, "-b:v": 1, "-profile:v": 1}
"""Options of h264_nvenc's and how many words follow them."""
NO_CARD = """\
[h264_nvenc @ 0x55d0c1f4f200] Cannot load libcuda.so.1
[vost#0:0/h264_nvenc @ 0x55d0c1f4e700] [enc:h264_nvenc @ 0x55d0c1f4f0c0] Error while opening encoder
[out#0/mp4 @ 0x55d0c1f4db40] Nothing was written into output file
"""
BROKEN = """\
[h264_nvenc @ 0x55d0c1f4f200] EncodePicture failed!: device lost (27)
[vost#0:0/h264_nvenc @ 0x55d0c1f4e700] Error submitting video frame to the encoder
"""


def install(folder: Path, real: str, card: str) -> Path:
    """Put an executable `ffmpeg` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -S -E "{Path(__file__).absolute()}" "{folder}" "{real}" "$@"\n'
    )
    program.chmod(0o755)
    (folder / "card").write_text(card)
    return program


def asked(program: Path) -> int:
    """How many segments the card was asked for; the probe's frame is none."""
    log = program.parent / "asked"
    return len(log.read_text().splitlines()) if log.exists() else 0


def as_x264(args: list[str]) -> list[str]:
    """The same command for x264, which writes what no other encoder in the tests does: profile Main, level 5.1."""
    made: list[str] = []
    words = iter(args)
    for word in words:
        if word in OWN:
            next(words)
        else:
            made.append(word)
    at = made.index("h264_nvenc")
    return [*made[:at], "libx264", "-preset", "superfast", "-profile:v", "main", "-level", "5.1", *made[at + 1 :]]


def main() -> None:
    here, real, args = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if "h264_nvenc" not in args:
        os.execv(real, [real, *args])
    card, _, after = (here / "card").read_text().partition(" ")
    if card == "none":
        sys.exit(_last_words(NO_CARD))
    if any("testsrc2" in word for word in args):  # the probe's frame
        os.execv(real, [real, *as_x264(args)])
    with (here / "asked").open("a") as log:
        log.write("segment\n")
        number = log.tell() // len("segment\n")
    if card == "works" or number <= int(after):
        os.execv(real, [real, *as_x264(args)])
    if card == "breaks":
        sys.exit(_last_words(BROKEN))
    while True:  # as ffmpeg does whose encoder hangs: it goes on telling that nothing happens
        print("frame=0\nfps=0.00\nout_time_us=N/A\nspeed=N/A\nprogress=continue", flush=True)
        time.sleep(0.1)


def _last_words(text: str) -> int:
    sys.stderr.write(text)
    return 255


if __name__ == "__main__":
    main()
