"""Quiet and light, as in a product film: pale colours, open shadows, soft whites, slow dissolves."""

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone

STYLE = Style(
    name="minimal",
    description="Pale and light, open shadows, little colour; slow dissolves; calm music.",
    grade=(Tone(lift=0.07, gamma=1.22, saturation=0.58, blue=1.0).filter(),),
    transition=Transition(kind="dissolve", duration_s=0.6),
    pace=0.9,
    highlight_colour="DDE6F0",
)
