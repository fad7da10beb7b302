"""What a look is. One file beside this one per look; each says what it is for and why its numbers are what they are.

All filters work on BT.709 Y'CbCr as it is decoded: going to RGB and back for a 3D LUT or `colorbalance` cost more than
the whole encode (measured at 1080p: 10.7 s of CPU against 2.7 s for 120 frames), a table per plane costs a tenth of it.
They work on what is seen only: the bars are put around the picture at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, hypot

from vidgend.models import Transition

Filter = tuple[str, dict[str, str]]
"""An ffmpeg filter and its arguments, by keyword."""

WIDE = Fraction(239, 100)
"""The wide frame of the cinema; source: SMPTE ST 195."""


@dataclass(frozen=True, kw_only=True)
class Tone:
    """A curve for the brightness, and factor and shift for the colours: one table per plane.

    `lift` and `drop` move black up and white down, as shares of the range; `gamma` above 1 brightens the middle;
    `curve` bends towards an S (0 straight, 1 smoothstep); `saturation` multiplies the distance from grey; `blue` and
    `red` shift the whole picture towards these colours, in steps of 8-bit chroma.
    """

    lift: float = 0.0
    drop: float = 0.0
    gamma: float = 1.0
    curve: float = 0.0
    saturation: float = 1.0
    blue: float = 0.0
    red: float = 0.0

    def filter(self) -> Filter:
        # ffmpeg works the expression out for 65536 values: what is used again is stored, what does nothing left out.
        light = "clip((val-16)/219,0,1)"
        if self.gamma != 1:
            light = f"pow({light},{1 / self.gamma:.4f})"
        bent = f"(st(0,{light})+{self.curve:g}*(ld(0)*ld(0)*(3-2*ld(0))-ld(0)))" if self.curve else light
        chroma = f"clip(128+(val-128)*{self.saturation:g}+({{shift:g}}),16,240)"
        return "lutyuv", {
            "y": f"clip(16+219*({self.lift:g}+{1 - self.lift - self.drop:g}*{bent}),16,235)",
            "u": chroma.format(shift=self.blue),
            "v": chroma.format(shift=self.red),
        }


def split_tone(*, shadows_blue: float, shadows_red: float, highlights_blue: float, highlights_red: float) -> Filter:
    """Tint dark and bright parts apart; shares of the chroma range, small numbers."""
    return "colorcorrect", {
        "bl": f"{shadows_blue:g}", "rl": f"{shadows_red:g}", "bh": f"{highlights_blue:g}", "rh": f"{highlights_red:g}",
    }  # fmt: skip


VIGNETTE = "vignette"


def vignette(angle: float) -> Filter:
    """Darker corners; the brightness falls with the fourth power of the cosine of an angle that is `angle` (radians)
    in the corners of the whole picture.

    Without dithering: that is noise in every frame, which costs the encoder a third more time. Not ffmpeg's filter of
    that name but the same by a mask (`segment_args.looked`).
    """
    return VIGNETTE, {"angle": f"{angle:.5f}"}


def grain(strength: int) -> Filter:
    """Film grain that changes with every frame, in the brightness only."""
    return "noise", {"c0s": str(strength), "c0f": "t+u"}


@dataclass(frozen=True, kw_only=True)
class Style:
    """A named look.

    `grade` is put on each picture by itself, `finish` on what is shown: on a picture that two scenes share, it comes
    after the transition. `frame` is the aspect ratio that bars leave of a 16:9 picture. `pace` above 1 shortens the
    pauses between scenes. `mood` chooses the music; `caption_preset` names the kind of captions; colours are RRGGBB.
    """

    name: str
    description: str
    grade: tuple[Filter, ...] = ()
    finish: tuple[Filter, ...] = ()
    frame: Fraction | None = None
    transition: Transition = field(default_factory=Transition)
    pace: float = 1.0
    mood: str = "calm"
    caption_preset: str = "classic"
    caption_colour: str = "FFFFFF"
    highlight_colour: str = "FFD34E"

    def finishing(self, width_px: int, height_px: int) -> tuple[Filter, ...]:
        """`finish`, for what is seen of a picture of that size, and the bars around it, if it is 16:9."""
        bar = self.bar_px(width_px, height_px)
        if not bar:
            return self.finish
        # An angle counts from the middle to the corner, and the corners lie behind the bars.
        share = hypot(width_px, height_px - 2 * bar) / hypot(width_px, height_px)
        seen = tuple(
            vignette(float(arguments["angle"]) * share) if name == VIGNETTE else (name, arguments)
            for name, arguments in self.finish
        )
        around = {"w": str(width_px), "h": str(height_px), "x": "0", "y": str(bar), "color": "black"}
        return (*seen, ("pad", around))

    def bar_px(self, width_px: int, height_px: int) -> int:
        """Height of each of the two bars; 0 where there are none."""
        if self.frame is None or abs(Fraction(width_px, height_px) - Fraction(16, 9)) > Fraction(1, 50):
            return 0
        return (height_px - ceil(width_px / self.frame)) // 4 * 2
