"""Travel and nature at their loudest: deep, saturated colours and contrast, zooms between scenes."""

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone

STYLE = Style(
    name="vivid",
    description="Deep, strong colours and contrast; zooms between scenes; energetic music.",
    grade=(Tone(gamma=0.96, curve=0.3, saturation=1.4).filter(),),
    transition=Transition(kind="zoom", duration_s=0.4),
    pace=1.2,
    mood="energetic",
    highlight_colour="4EE1FF",
)
