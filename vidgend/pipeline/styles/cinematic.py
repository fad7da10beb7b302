"""The default: a feature film. Cool shadows against warm highlights, deep blacks, the wide frame, dissolves."""

from math import pi

from vidgend.models import Transition
from vidgend.pipeline.styles.look import WIDE, Style, Tone, split_tone, vignette

STYLE = Style(
    name="cinematic",
    description="Teal shadows, warm highlights, light vignette, 2.39:1 bars in 16:9; dissolves; calm music.",
    grade=(
        Tone(curve=0.35, saturation=1.06).filter(),
        split_tone(shadows_blue=0.03, shadows_red=-0.035, highlights_blue=-0.035, highlights_red=0.03),
    ),
    finish=(vignette(pi / 6),),
    frame=WIDE,
    transition=Transition(kind="dissolve", duration_s=0.5),
    pace=0.85,
)
