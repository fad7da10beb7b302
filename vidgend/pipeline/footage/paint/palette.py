"""Colours by time of day and mood. Every scene takes its colours from here and from nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidgend.pipeline.footage.paint.canvas import Rgb, mix


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours are sRGB, 0..1.

    `sky` runs from the zenith to the horizon in four steps. `light` is the glow of sun or moon, `disc` the body
    itself. `land` is the darkest silhouette, `haze` what distance turns it into. `accents` are three lively
    colours for lamps, leaves, data and silk, that agree with the rest.
    `sun_height` is above the horizon as a fraction of the sky, `night` and `cloud` 0..1, `wind` 0.3..2.
    """

    sky: tuple[Rgb, Rgb, Rgb, Rgb]
    light: Rgb
    disc: Rgb
    cloud_lit: Rgb
    cloud_dark: Rgb
    water: Rgb
    land: Rgb
    haze: Rgb
    accents: tuple[Rgb, Rgb, Rgb]
    sun_height: float = 0.14
    night: float = 0.0
    cloud: float = 0.5
    wind: float = 1.0


def _rgb(text: str) -> Rgb:
    return (int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255)


def _palette(
    sky: str, light: str, disc: str, lit: str, dark: str, water: str, land: str, haze: str, accents: str,
    *, sun_height: float = 0.14, night: float = 0.0, cloud: float = 0.5, wind: float = 1.0,
) -> Palette:  # fmt: skip
    zenith, high, low, horizon = (_rgb(part) for part in sky.split())
    one, two, three = (_rgb(part) for part in accents.split())
    return Palette(
        sky=(zenith, high, low, horizon), light=_rgb(light), disc=_rgb(disc), cloud_lit=_rgb(lit),
        cloud_dark=_rgb(dark), water=_rgb(water), land=_rgb(land), haze=_rgb(haze), accents=(one, two, three),
        sun_height=sun_height, night=night, cloud=cloud, wind=wind,
    )  # fmt: skip


PALETTES: dict[str, Palette] = {
    "sunset": _palette(
        "1f2a5c 6a4a86 e0706a ffb36b", "ff8a3c", "fff0c4", "ffb078", "5b4273", "10223f", "0d0a16", "b5677a",
        "ff7a45 ffc46b c2417c", sun_height=0.10, cloud=0.52,
    ),
    "sunrise": _palette(
        "4f79b5 9fb1d6 f6c5b4 ffe3b0", "ffc27a", "fffbe6", "ffd9c0", "9a8fb4", "2a4a68", "1c1a2a", "d3b0b8",
        "ffb27d ffe2a0 8fb7e0", sun_height=0.13, cloud=0.46,
    ),
    "golden": _palette(
        "5a6f9c b79a8c f0b46a ffd98c", "ffb648", "fff6d0", "ffdf9e", "8f6d5c", "24384a", "1a120c", "d8a66c",
        "ffc04d ff9440 f7e3a1", sun_height=0.20, cloud=0.44,
    ),
    "day": _palette(
        "1e63b8 4a93d9 9ccbf0 d8ecf7", "fff3cf", "ffffff", "ffffff", "9fb6cc", "0b4a78", "12261f", "a9c9de",
        "3fb6e8 ffd45e 5fd08a", sun_height=0.62, cloud=0.48,
    ),
    "night": _palette(
        "050a1c 0b1736 16294f 2a4069", "9db8e6", "f3f6ff", "5d7199", "121a30", "060f22", "04060d", "1d2c4c",
        "ffc978 6fa8ff c98bff", sun_height=0.42, night=1.0, cloud=0.40,
    ),
    "dusk": _palette(
        "101a3c 2c2f63 6a4b80 c9788a", "e8809a", "ffe9dc", "a9688e", "2a2750", "0d1833", "080812", "594670",
        "ff9d6c 8b7bff ff6fa3", sun_height=0.05, night=0.45, cloud=0.50,
    ),
    "storm": _palette(
        "1b222b 333d48 56626c 8d979b", "c9d3d6", "e9eeee", "8b969c", "252d36", "16242c", "0a0d10", "5c686f",
        "9fc4cf d9dfc8 6c8794", sun_height=0.45, cloud=0.80, wind=1.8,
    ),
    "winter": _palette(
        "5f82ab 93afcd c5d5e4 eef1f3", "ffe9d2", "ffffff", "ffffff", "9fb1c6", "274a63", "1b2836", "b9cadb",
        "9fd3f2 e8f4ff c7b3e6", sun_height=0.22, cloud=0.48, wind=0.7,
    ),
    "autumn": _palette(
        "6f86a3 b9a898 e9c08c f8dfb0", "ffbf6a", "fff4d6", "ffe3b8", "92786e", "2f3f42", "20140d", "c79a6f",
        "d9622b f0a63a 9c3524", sun_height=0.24, cloud=0.46,
    ),
    "spring": _palette(
        "4b9bdc 8cc4ee c5e4f3 f3f6e2", "fff2b8", "ffffff", "ffffff", "b3c6d6", "1f6a80", "1d3a22", "b4d6c9",
        "8fd14f ff9ec4 ffe066", sun_height=0.45, cloud=0.42, wind=0.8,
    ),
    "fire": _palette(
        "140507 3d0c0a 96280f ff7a1c", "ff6a14", "fff0b0", "ff7c30", "32100c", "1c0908", "080303", "6e1f10",
        "ff5a1f ffb13d ffe08a", sun_height=0.10, night=0.5, cloud=0.56,
    ),
    "calm": _palette(
        "3f6f93 76a5b8 b5d3d3 f0e6d2", "ffe6bd", "fffaf0", "f7f3ea", "8fa9b4", "1d5363", "14292f", "a3c0c4",
        "6fc3c8 b8e0d2 f4d9a6", sun_height=0.18, cloud=0.40, wind=0.5,
    ),
    "mysterious": _palette(
        "090d1f 18203f 2d3a5c 56668a", "8fa7d9", "e6ecff", "67749c", "151a33", "0b1526", "05070f", "39486b",
        "7a6bff 48c7d9 c77bff", sun_height=0.36, night=0.7, cloud=0.60, wind=0.6,
    ),
    "joyful": _palette(
        "2f7fe0 63b4f5 ffd9a6 fff0c9", "ffd35c", "fffbe0", "fff6e8", "b9b6d6", "0d6a9c", "23304a", "c9d6e6",
        "ff7f50 ffd23f 3ddbd9", sun_height=0.34, cloud=0.42,
    ),
    "sad": _palette(
        "3a4654 5b6977 85929c b4bcc0", "cdd5da", "eef1f2", "a9b2b9", "4d5863", "22323c", "12181d", "7f8c96",
        "7e9cb5 a3b4bf 5f7486", sun_height=0.30, cloud=0.70, wind=0.7,
    ),
    "corporate": _palette(
        "0f2a52 1f5188 5a93c4 c9e0ef", "d6ecff", "ffffff", "eaf3fa", "5f86ac", "0d3558", "0b1a2e", "7fa5c6",
        "2f8fe6 46d3c8 8ea8ff", sun_height=0.40, cloud=0.40,
    ),
    "vintage": _palette(
        "6a7a78 a69c85 d8bd8f efdcb2", "f2c883", "fff3d3", "f0dcb8", "8c7a6a", "3d5152", "2a1f18", "b79f80",
        "c9744a e0b265 6f8f86", sun_height=0.18, cloud=0.48,
    ),
    "neutral": _palette(
        "33506e 6c8ba6 abc0cd e6e4da", "ffedcf", "fffaf0", "f4f3ef", "8496a5", "1d4256", "141c22", "99adb9",
        "5fa8d3 e0b87a 7fc8a9", sun_height=0.26, cloud=0.46,
    ),
    "tropical": _palette(
        "1478c2 3fb0dc 9fe0e4 e9f6e0", "fff0b5", "ffffff", "ffffff", "9cc4d0", "03809a", "0f2c22", "a5dbd8",
        "18c7c2 ffcf56 ff7b6b", sun_height=0.55, cloud=0.42, wind=0.8,
    ),
}  # fmt: skip


def styled(palette: Palette, style: str) -> Palette:
    """The palette bent a little towards a style: (contrast, saturation) around mid grey. The grade does the rest."""
    contrast, saturation = {
        "cinematic": (1.04, 1.0),
        "documentary": (1.0, 0.92),
        "vintage": (0.94, 0.85),
        "noir": (1.08, 0.25),
        "vivid": (1.05, 1.18),
        "minimal": (0.92, 0.85),
        "social": (1.02, 1.10),
    }.get(style, (1.0, 1.0))

    def bend(value: Rgb) -> Rgb:
        grey = 0.3 * value[0] + 0.59 * value[1] + 0.11 * value[2]
        coloured = mix((grey, grey, grey), value, saturation)
        one, two, three = (min(1.0, max(0.0, 0.45 + (part - 0.45) * contrast)) for part in coloured)
        return (one, two, three)

    zenith, high, low, horizon = (bend(step) for step in palette.sky)
    first, second, third = (bend(accent) for accent in palette.accents)
    return replace(
        palette,
        sky=(zenith, high, low, horizon),
        light=bend(palette.light),
        disc=bend(palette.disc),
        cloud_lit=bend(palette.cloud_lit),
        cloud_dark=bend(palette.cloud_dark),
        water=bend(palette.water),
        land=bend(palette.land),
        haze=bend(palette.haze),
        accents=(first, second, third),
    )
