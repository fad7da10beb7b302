"""Dutch."""

from __future__ import annotations

import re

from vidgend.pipeline.speech.languages.grammar import Here, Language, num

_MONTHS = tuple("januari februari maart april mei juni juli augustus september oktober november december".split())


def _cardinal(value: int, _: str) -> str:
    return re.sub(r"^een (?=mil|bil|tril)", "één ", num(value, "nl"))


def _ordinal(value: int, _: str) -> str:
    return num(value, "nl", "ordinal")


def _year(value: int) -> str:
    return num(value, "nl", "year").replace(" ", "") if 1100 <= value < 2000 else _cardinal(value, "")


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    return _cardinal(hours, ""), f"uur {_cardinal(minutes, '')}" if minutes else "uur"


_RULERS = frozenset(
    """Willem Lodewijk Karel Hendrik Filips Napoleon George Johannes Paulus Benedictus Pius Leo Gregorius Ramses
    Nicolaas Alexander Frederik Albert Leopold Elizabeth Catharina Eduard Jacobus Richard Otto Ivan Filip Peter
    Boudewijn""".split()
)


def _roman(value: int, here: Here) -> str | None:
    return f"de {_ordinal(value, '').capitalize()}" if here.before in _RULERS else None


LANGUAGE = Language(
    cardinal=_cardinal,
    ordinal=_ordinal,
    gender=lambda _: "",
    year=_year,
    clock=_clock,
    day=lambda day, _: _cardinal(day, ""),
    roman=_roman,
    special=lambda here: ("anderhalf", "") if here.core == "1½" else None,
    months=_MONTHS,
    date="{day} {month} {year}",
    marks={",": "komma", ".": "punt"},
    units={
        "km": ("kilometer", "kilometer"), "m": ("meter", "meter"), "cm": ("centimeter", "centimeter"),
        "mm": ("millimeter", "millimeter"), "kg": ("kilogram", "kilogram"), "g": ("gram", "gram"),
        "mg": ("milligram", "milligram"),
        "t": ("ton", "ton"), "l": ("liter", "liter"), "L": ("liter", "liter"), "ml": ("milliliter", "milliliter"),
        "s": ("seconde", "seconden"), "min": ("minuut", "minuten"), "u": ("uur", "uur"), "h": ("uur", "uur"),
        "km/u": ("kilometer per uur", "kilometer per uur"), "km/h": ("kilometer per uur", "kilometer per uur"),
        "m/s": ("meter per seconde", "meter per seconde"), "Hz": ("hertz", "hertz"),
        "MHz": ("megahertz", "megahertz"),
        "GHz": ("gigahertz", "gigahertz"), "W": ("watt", "watt"), "kW": ("kilowatt", "kilowatt"),
        "MW": ("megawatt", "megawatt"),
        "GW": ("gigawatt", "gigawatt"), "kWh": ("kilowattuur", "kilowattuur"), "V": ("volt", "volt"),
        "MB": ("megabyte", "megabyte"), "GB": ("gigabyte", "gigabyte"), "TB": ("terabyte", "terabyte"),
        "°": ("graad", "graden"),
        "°C": ("graad Celsius", "graden Celsius"), "°F": ("graad Fahrenheit", "graden Fahrenheit"),
        "m²": ("vierkante meter", "vierkante meter"), "km²": ("vierkante kilometer", "vierkante kilometer"),
        "m³": ("kubieke meter", "kubieke meter"), "ha": ("hectare", "hectare"),
        "kcal": ("kilocalorie", "kilocalorieën"),
        "dB": ("decibel", "decibel"),
    },
    percent="procent",
    permille="promille",
    currencies={
        "€": ("euro", "euro", "cent", "cent"), "EUR": ("euro", "euro", "cent", "cent"),
        "$": ("dollar", "dollar", "cent", "cent"),
        "US$": ("dollar", "dollar", "cent", "cent"), "£": ("pond", "pond", "penny", "pence"),
        "¥": ("yen", "yen", "sen", "sen"),
        "₹": ("roepie", "roepies", "paisa", "paisa"),
    },
    cents="{number}",
    scales={
        "duizend": ("duizend", "duizend"), "miljoen": ("miljoen", "miljoen"), "miljard": ("miljard", "miljard"),
        "mln": ("miljoen", "miljoen"), "mld": ("miljard", "miljard"),
    },
    hour_words=frozenset(("uur", "u")),
    clock_marks=":",
    fractions={
        2: ("half", "halve"), 3: ("derde", "derde"), 4: ("kwart", "kwart"), 5: ("vijfde", "vijfde"),
        8: ("achtste", "achtste"),
        10: ("tiende", "tiende"),
    },
    half={"": "een half"},
    and_half=" en een half",
    and_part="en",
    minus="min",
    signs={"+": "plus", "±": "plus of min", "~": "ongeveer", "≈": "ongeveer"},
    to="tot",
    per="per",
    ordinal_marks={"e": "m", "ste": "m", "de": "m", "ᵉ": "m"},
    numbered=frozenset("hoofdstuk deel boek akte fase wereldoorlog titel artikel type klasse".split()),
    joints=frozenset(("en", "tot", "of")),
    symbols={
        "&": "en", "+": "plus", "=": "is", "@": "apenstaartje", "%": "procent", "×": "maal", "÷": "gedeeld door",
        "<": "kleiner dan", ">": "groter dan", "≤": "hoogstens", "≥": "minstens", "±": "plus of min", "≈": "ongeveer",
        "°": "graden", "€": "euro", "$": "dollar", "£": "pond", "§": "paragraaf",
    },
    addresses={
        "@": "apenstaartje", ".": "punt", "/": "schuine streep", "-": "streepje", "_": "laag streepje",
        ":": "dubbele punt",
        "?": "", "=": "", "&": "en", "#": "",
    },
    number_sign="nummer",
    hashtag="hashtag",
    spelled=frozenset(("EU", "VS", "VN", "AI")),
    titles={"Dhr": "de heer", "dhr": "de heer", "Mevr": "mevrouw", "mevr": "mevrouw", "Mw": "mevrouw",
    "mw": "mevrouw",
            "Dr": "dokter", "dr": "dokter", "Prof": "professor", "prof": "professor", "ir": "ingenieur",
            "St": "Sint"},
    dotted={
        "enz": "enzovoort", "etc": "et cetera", "ca": "circa", "bijv": "bijvoorbeeld", "bv": "bijvoorbeeld",
        "incl": "inclusief",
        "excl": "exclusief", "max": "maximaal", "min": "minimaal", "tel": "telefoon", "mln": "miljoen",
        "mld": "miljard",
    },
    before_numbers={
        "nr": "nummer", "Nr": "nummer", "p": "pagina", "blz": "bladzijde", "hfst": "hoofdstuk", "art": "artikel",
    },
    always={
        "d.w.z": "dat wil zeggen", "o.a": "onder andere", "m.a.w": "met andere woorden", "t.o.v": "ten opzichte van",
        "i.v.m": "in verband met", "v.Chr": "voor Christus", "n.Chr": "na Christus", "a.u.b": "alstublieft",
        "C++": "C plus plus",
    },
    pairs={("v", "Chr"): ("voor", "Christus"), ("n", "Chr"): ("na", "Christus")},
)  # fmt: skip
