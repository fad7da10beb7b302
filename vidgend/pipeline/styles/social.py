"""For a phone in daylight: bright, warm, lively, with slides and one word at a time."""

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone

STYLE = Style(
    name="social",
    description="Bright, warm and lively for small screens; slides; words pop up one by one; happy music.",
    grade=(Tone(gamma=1.2, curve=0.2, saturation=1.2, blue=-3.0, red=3.0).filter(),),
    transition=Transition(kind="slide", duration_s=0.3),
    pace=1.5,
    mood="happy",
    caption_preset="pop",
    highlight_colour="FFE14E",
)
