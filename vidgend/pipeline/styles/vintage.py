"""An old print: blacks that have faded to grey, dull whites, a yellow cast, grain, and the lens's dark corners."""

from math import pi

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone, grain, vignette

STYLE = Style(
    name="vintage",
    description="Faded blacks, yellow cast, grain and vignette; fades through black; nostalgic music.",
    grade=(Tone(lift=0.11, drop=0.07, gamma=1.04, saturation=0.62, blue=-10.0, red=8.0).filter(),),
    finish=(vignette(pi / 5), grain(6)),
    transition=Transition(kind="fade", duration_s=0.6),
    pace=0.9,
    mood="nostalgic",
    highlight_colour="F2C078",
)
