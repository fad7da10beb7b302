"""The named ways to show captions, and where on the picture they may stand. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vidgend.errors import UnknownPreset

Position = Literal["bottom", "middle", "top"]
Shape = Literal["wide", "square", "tall"]

SIDE = 0.10
"""Of the width, on each side: the title-safe area."""
EDGE = 0.10
"""Of the height, above and below: the title-safe area."""
FROM_BAR = 0.03
"""Of the height, from the edge of a black bar."""
APP_TOP, APP_BOTTOM = 0.12, 0.22
"""Of the height of a phone's picture: where the apps that show it draw their own things."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """`em` is the size of the text as a share of the picture's short side, `max_chars` what a line may hold.

    `highlight` tells whether the spoken word is coloured: when the request asks for it, always or never.
    """

    name: str
    description: str
    look: Literal["line", "karaoke", "pop", "box"] = "line"
    highlight: Literal["asked", "always", "never"] = "asked"
    position: Position = "bottom"
    em: dict[Shape, float]
    max_chars: dict[Shape, int]


_EM: dict[Shape, float] = {"wide": 0.048, "square": 0.043, "tall": 0.058}
_CHARS: dict[Shape, int] = {"wide": 42, "square": 32, "tall": 24}

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="classic",
            description="One or two lines, outlined; the spoken word in colour unless highlight is off.",
            em=_EM,
            max_chars=_CHARS,
        ),
        Preset(
            name="highlight",
            description="As classic, the spoken word always in colour.",
            highlight="always",
            em=_EM,
            max_chars=_CHARS,
        ),
        Preset(
            name="karaoke",
            description="The line fills with colour as it is spoken.",
            look="karaoke",
            highlight="never",
            em=_EM,
            max_chars=_CHARS,
        ),
        Preset(
            name="pop",
            description="A word or a short group at a time, large, in the middle.",
            look="pop",
            position="middle",
            em={"wide": 0.105, "square": 0.100, "tall": 0.120},
            max_chars=_CHARS,
        ),
        Preset(
            name="lower_third",
            description="A dark box at the left with a thin line of colour, as in the news.",
            look="box",
            highlight="never",
            em={"wide": 0.042, "square": 0.040, "tall": 0.050},
            max_chars={"wide": 36, "square": 28, "tall": 22},
        ),
    )
}


def find_preset(name: str) -> Preset:
    """Raises: UnknownPreset."""
    preset = PRESETS.get(name.strip().lower().replace("-", "_"))
    if preset is None:
        raise UnknownPreset(f"no caption preset {name!r}; there are {', '.join(PRESETS)}")
    return preset


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The picture that captions are set for. `bar_px` is the height of the black bars above and below it."""

    width_px: int
    height_px: int
    bar_px: int = 0

    @property
    def shape(self) -> Shape:
        if self.width_px > self.height_px * 1.2:
            return "wide"
        return "tall" if self.height_px > self.width_px * 1.5 else "square"

    @property
    def short_px(self) -> int:
        return min(self.width_px, self.height_px)

    @property
    def side_px(self) -> int:
        """Left and right of it nothing is written."""
        return round(self.width_px * SIDE)

    @property
    def top_px(self) -> int:
        return max(round(self.height_px * (APP_TOP if self.shape == "tall" else EDGE)), self._inside_px)

    @property
    def bottom_px(self) -> int:
        """Height of the strip at the bottom that stays free."""
        return max(round(self.height_px * (APP_BOTTOM if self.shape == "tall" else EDGE)), self._inside_px)

    @property
    def _inside_px(self) -> int:
        """Text lies on the picture, never across the edge of a bar."""
        return self.bar_px + round(self.height_px * FROM_BAR) if self.bar_px else 0

    @property
    def room_px(self) -> int:
        """Width of the part that may be written on."""
        return self.width_px - 2 * self.side_px
