"""The colours of a source -> ffmpeg filters that give BT.709, limited range, 8-bit 4:2:0.

HDR is mapped by look-up tables and one matrix instead of zscale and tonemap: every ffmpeg has them, they cost a little
less (22 ms of CPU a 1080p frame against 25), and the curve is ours. Per channel: decode to light (ITU-R BT.2100),
BT.2020 to BT.709 primaries, a curve that leaves what is darker than half of the paper white alone and rolls the rest
off, and encode for a display of gamma 2.4.
"""

from __future__ import annotations

from typing import Any

from vidgend.models import Colour

PEAK_NITS = 1000
"""Brighter HDR is cut off; hardly any is graded higher."""
PAPER_WHITE_NITS = 203
"""Source: ITU-R BT.2408, the level of diffuse white in HDR."""
_FULL = 65535
_MATRICES = {"bt601": "smpte170m", "fcc": "fcc", "smpte240m": "smpte240m", "bt2020": "bt2020ncl"}
"""As the filter `colorspace` calls those that are not BT.709."""

_PQ = "pow(val/65535,1/78.84375)"
_DECODE = {
    # As a share of PEAK_NITS.
    "pq": f"min(1,{10_000 / PEAK_NITS}*pow(max({_PQ}-0.8359375,0)/(18.8515625-18.6875*{_PQ}),1/0.1593017578125))",
    "hlg": ("pow(if(lte(val,32767),pow(val/65535,2)/3,(exp((val/65535-0.55991073)/0.17883277)+0.28466892)/12),1.2)"),
    "": "pow(val/65535,2.4)",
}
_SHOWN = f"{0.8 * PEAK_NITS / PAPER_WHITE_NITS:.6f}*val/65535"
_ENCODE = {
    True: f"{_FULL}*pow(if(lte({_SHOWN},0.5),{_SHOWN},1-0.5*exp(1-2*({_SHOWN}))),1/2.4)",
    False: f"{_FULL}*pow(val/65535,1/2.4)",
}
# Source: ITU-R BT.2087, in light.
_TO_BT709 = {
    "rr": 1.6605, "rg": -0.5876, "rb": -0.0728, "gr": -0.1246, "gg": 1.1329, "gb": -0.0083, "br": -0.0182,
    "bg": -0.1006, "bb": 1.1187,
}  # fmt: skip


def scaled(stream: Any, colour: Colour, *, width_px: int, height_px: int, rough: bool = False) -> Any:
    """The picture at that size and in the output's colours."""
    size: dict[str, Any] = {"w": width_px, "h": height_px, "flags": "fast_bilinear" if rough else "bicubic"}
    if colour.matrix:
        # Named here, since a file often says nothing and ffmpeg then takes BT.601 even for HD.
        size |= {"in_color_matrix": colour.matrix, "in_range": "pc" if colour.full_range else "tv"}
    if colour.alpha:
        # Over black, which is what the eye sees around it in a player; else the colours hidden under it would show.
        # The edges are mixed before scaling.
        rgb = stream.filter("scale", **{name: size[name] for name in size if name.startswith("in_")})
        stream = rgb.filter("format", pix_fmts="gbrap").filter("premultiply", inplace=1)
        size = {name: size[name] for name in ("w", "h", "flags")}
    if colour.wide:
        stream = stream.filter("scale", **size).filter("format", pix_fmts="gbrp16le")
        stream = _mapped(stream, colour)
        size = {}
    # From one matrix to another `scale` goes by RGB, 1.6 grey levels too dark, in 5 ms a 1080p frame; `colorspace` is
    # exact and takes 1 ms (measured).
    other = _MATRICES.get(size.get("in_color_matrix", ""), "")
    matrix = size["in_color_matrix"] if other else "bt709"
    # The format right behind: the conversion to YUV is this filter's, with its matrix, and not of one that ffmpeg adds.
    stream = stream.filter("scale", **size, out_color_matrix=matrix, out_range="tv").filter(
        "format", pix_fmts="yuv420p"
    )
    if other:
        same = {"primaries": "bt709", "trc": "bt709", "range": "tv"}
        stream = stream.filter(
            "colorspace", ispace=other, space="bt709", **same, **{f"i{name}": value for name, value in same.items()}
        )
    # A way to turn the picture, HDR levels, closed captions: the encoder would put them into the segment.
    return stream.filter("sidedata", mode="delete")


def _mapped(stream: Any, colour: Colour) -> Any:
    decode, encode = _DECODE[colour.transfer], _ENCODE[bool(colour.transfer)]
    light = stream.filter("lutrgb", **dict.fromkeys("rgb", f"{_FULL}*{decode}"))
    light = light.filter("colorchannelmixer", **_TO_BT709)
    return light.filter("lutrgb", **dict.fromkeys("rgb", encode))
