"""Black and white with hard light: a steep curve, and the corners in the dark."""

from math import pi

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone, vignette

STYLE = Style(
    name="noir",
    description="Black and white, hard contrast, heavy vignette; fades through black; tender music.",
    grade=(Tone(gamma=0.86, curve=0.9, saturation=0.0).filter(),),
    finish=(vignette(pi / 4),),
    transition=Transition(kind="fade", duration_s=0.7),
    pace=0.8,
    mood="tender",
    highlight_colour="BFBFBF",
)
