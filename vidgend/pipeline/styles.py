"""The named looks: what the `style` of a request changes. The filters are ffmpeg's, on BT.709 pictures."""

from __future__ import annotations

from dataclasses import dataclass

from vidgend.errors import UnknownStyle


@dataclass(frozen=True, kw_only=True)
class Style:
    """`grade` is a list of (filter, keyword arguments); `mood` chooses the music; colours are RRGGBB."""

    name: str
    description: str
    grade: tuple[tuple[str, dict[str, str]], ...] = ()
    mood: str = "calm"
    caption_colour: str = "FFFFFF"
    highlight_colour: str = "FFD34E"


_VIGNETTE = ("vignette", {"angle": "PI/5"})

STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            name="cinematic",
            description="Warm highlights, teal shadows, a light vignette; calm music.",
            grade=(
                ("colorbalance", {"rs": "-0.04", "bs": "0.05", "rh": "0.05", "bh": "-0.04"}),
                ("eq", {"contrast": "1.06", "saturation": "1.08"}),
                _VIGNETTE,
            ),
        ),
        Style(
            name="documentary",
            description="True colours, a little more contrast; calm music.",
            grade=(("eq", {"contrast": "1.03", "saturation": "0.96"}),),
        ),
        Style(
            name="vintage",
            description="Faded blacks, warm cast, grain and vignette; nostalgic music.",
            grade=(
                ("curves", {"preset": "vintage"}),
                ("eq", {"saturation": "0.82"}),
                ("noise", {"alls": "7", "allf": "t"}),
                _VIGNETTE,
            ),
            mood="nostalgic",
            highlight_colour="F2C078",
        ),
        Style(
            name="noir",
            description="Black and white, hard contrast, heavy vignette; tender music.",
            grade=(
                ("hue", {"s": "0"}),
                ("eq", {"contrast": "1.22", "brightness": "-0.03"}),
                ("vignette", {"angle": "PI/4"}),
            ),
            mood="tender",
            highlight_colour="BFBFBF",
        ),
        Style(
            name="vivid",
            description="Strong colours and contrast; energetic music.",
            grade=(("eq", {"contrast": "1.08", "saturation": "1.35"}),),
            mood="energetic",
            highlight_colour="4EE1FF",
        ),
        Style(
            name="minimal",
            description="Soft and light, less colour; calm music.",
            grade=(("eq", {"contrast": "0.96", "saturation": "0.75", "brightness": "0.03"}),),
            highlight_colour="DDE6F0",
        ),
        Style(
            name="news",
            description="Neutral and clear; energetic music kept low.",
            grade=(("eq", {"contrast": "1.04"}),),
            mood="energetic",
            highlight_colour="FF6B5E",
        ),
        Style(
            name="social",
            description="Bright and punchy for small screens; happy music.",
            grade=(("eq", {"contrast": "1.07", "saturation": "1.22", "brightness": "0.02"}),),
            mood="happy",
            highlight_colour="FFE14E",
        ),
    )
}


def find_style(name: str) -> Style:
    """Raises: UnknownStyle."""
    style = STYLES.get(name.strip().lower())
    if style is None:
        raise UnknownStyle(f"no style {name!r}; there are {', '.join(STYLES)}")
    return style
