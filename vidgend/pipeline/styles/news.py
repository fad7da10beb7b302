"""A studio camera: neutral to cool, clear, evenly lit; wipes between items; captions as lower thirds."""

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone

STYLE = Style(
    name="news",
    description="Neutral, cool and clear; quick wipes; captions as lower thirds; energetic music.",
    grade=(Tone(gamma=1.08, curve=0.25, saturation=1.02, blue=4.0, red=-3.0).filter(),),
    transition=Transition(kind="wipe", duration_s=0.4),
    pace=1.25,
    mood="energetic",
    caption_preset="lower_third",
    highlight_colour="FF6B5E",
)
