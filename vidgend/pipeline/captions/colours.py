"""Colours of captions: text that can be read before any picture has an edge it stands out from. Pure."""

from __future__ import annotations

LEAST_CONTRAST = 7.0
"""Of text against its edge, before encoding: smoothing and colour subsampling cost some of it, 4.5 must be left."""
DARK, LIGHT = "101010", "FFFFFF"


def luminance(rgb: str) -> float:
    """Relative luminance of RRGGBB, 0..1, as WCAG defines it."""
    parts = [int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """1 (the same) to 21 (black on white)."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def edge_for(rgb: str) -> str:
    """The colour of the outline for text of that colour."""
    return max((DARK, LIGHT), key=lambda edge: contrast(rgb, edge))


def readable(rgb: str, edge: str) -> str:
    """`rgb`, moved towards black or white until it stands out from `edge`."""
    goal = 255 if luminance(edge) < 0.18 else 0
    parts = [int(rgb[i : i + 2], 16) for i in (0, 2, 4)]
    for step in range(21):
        mixed = "".join(f"{round(part + (goal - part) * step / 20):02X}" for part in parts)
        if contrast(mixed, edge) >= LEAST_CONTRAST:
            break
    return mixed
