"""What the camera saw: hardly any grade, a little less colour than footage sites sell, straight cuts."""

from vidgend.models import Transition
from vidgend.pipeline.styles.look import Style, Tone

STYLE = Style(
    name="documentary",
    description="True colours, slightly muted and warm, no effects; straight cuts; calm music.",
    grade=(Tone(gamma=0.95, saturation=0.84, blue=-2.0, red=1.5).filter(),),
    transition=Transition(kind="cut"),
)
