"""French, and the numbers of Belgium and Switzerland."""

from __future__ import annotations

import re
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language, day_with_first, endings, num


def _counting(code: str, value: int, gender: str) -> str:
    spoken = num(value, code)
    return re.sub(r"\bun$", "une", spoken) if gender == "f" else spoken


def _cardinal(value: int, gender: str) -> str:
    return _counting("fr", value, gender)


def _belgian(value: int, gender: str) -> str:
    return _counting("fr_BE", value, gender)


def _swiss(value: int, gender: str) -> str:
    return _counting("fr_CH", value, gender)


def _ordinal(value: int, gender: str) -> str:
    if gender in ("nd", "nde") and value == 2:
        return "second" if gender == "nd" else "seconde"
    if value == 1:
        return "première" if gender == "f" else "premier"
    return re.sub(r"(vingt|cent|million)sième", r"\1ième", num(value, "fr", "ordinal"))


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    rest = f"heure{'s' if hours > 1 else ''}"
    return _cardinal(hours, "f"), f"{rest} {_cardinal(minutes, 'f')}" if minutes else rest


_RULERS = frozenset(
    """Louis Charles Henri François Napoléon Philippe Guillaume Jean Paul Benoît Pie Léon Grégoire Élisabeth Elisabeth
    Catherine Ramsès Nicolas Alexandre Frédéric Albert Édouard Georges Jacques Richard Othon Ivan Léopold Baudouin
    Clovis Robert Alphonse Ferdinand Juan Carlos Felipe Pierre Innocent Urbain Clément""".split()
)


def _roman(value: int, here: Here) -> str | None:
    if here.before in _RULERS or (here.before == "" and here.before_that in _RULERS):
        return _ordinal(1, "m") if value == 1 else _cardinal(value, "")
    return None


def _of(noun: str) -> str:
    if noun.startswith(("d'", "d’")):
        return noun
    return f"d'{noun}" if noun[0] in "aeiouyéèêh" and not noun.startswith(("yen", "hertz", "hecto")) else f"de {noun}"


LANGUAGE = Language(
    cardinal=_cardinal,
    ordinal=_ordinal,
    gender=endings(
        "personnes?|femmes?|minutes?|secondes?|tonnes?|livres?|semaines?|fois|villes?|pages?|étapes?|choses?|étoiles?|"
        "images?|vidéos?|photos?|maisons?|routes?|îles?|langues?|questions?|tions?|sions?|ettes?|ences?|ances?|ées|esses?|ies?|ures?|ades?|ines?|ères?|elles?",
        "incendie incendies génie génies musée musées silence silences siècles père pères frère frères mystère "
        "mystères caractère caractères problème magazine magazines murmure murmures stade stades grade grades",
        "à au aux avec c ce ces cette comme contre dans de des devant du elle elles en entre est et était eux ici "
        "il ils je la le les leur leurs lui mais mes même ne ni non nos notre nous on ont ou où par pas plus pour "
        "qu que qui sa sans se selon ses si son sont sous sur tout très tu un une va vers votre vous y celle "
        "celles quelle",
    ),
    year=lambda value: num(value, "fr"),
    clock=_clock,
    day=day_with_first("premier", _cardinal),
    roman=_roman,
    of=_of,
    months=tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
    date="{day} {month} {year}",
    dotted_dates=True,
    marks={",": "virgule", ".": "point"},
    singular_below_two=True,
    units={
        "km": ("kilomètre", "kilomètres"), "m": ("mètre", "mètres"), "cm": ("centimètre", "centimètres"),
        "mm": ("millimètre", "millimètres"), "nm": ("nanomètre", "nanomètres"), "kg": ("kilogramme", "kilogrammes"),
        "g": ("gramme", "grammes"), "mg": ("milligramme", "milligrammes"), "t": ("tonne", "tonnes"),
        "l": ("litre", "litres"), "L": ("litre", "litres"), "ml": ("millilitre", "millilitres"),
        "s": ("seconde", "secondes"),
        "j": ("jour", "jours"), "min": ("minute", "minutes"),
        "h": ("heure", "heures"), "km/h": ("kilomètre heure", "kilomètres heure"),
        "m/s": ("mètre par seconde", "mètres par seconde"), "Hz": ("hertz", "hertz"),
        "MHz": ("mégahertz", "mégahertz"),
        "GHz": ("gigahertz", "gigahertz"), "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"),
        "MW": ("mégawatt", "mégawatts"), "GW": ("gigawatt", "gigawatts"), "kWh": ("kilowattheure", "kilowattheures"),
        "V": ("volt", "volts"), "Ko": ("kilooctet", "kilooctets"), "Mo": ("mégaoctet", "mégaoctets"),
        "Go": ("gigaoctet", "gigaoctets"), "To": ("téraoctet", "téraoctets"), "MB": ("mégabyte", "mégabytes"),
        "GB": ("gigabyte", "gigabytes"), "TB": ("térabyte", "térabytes"), "°": ("degré", "degrés"),
        "°C": ("degré Celsius", "degrés Celsius"), "°F": ("degré Fahrenheit", "degrés Fahrenheit"),
        "m²": ("mètre carré", "mètres carrés"), "km²": ("kilomètre carré", "kilomètres carrés"),
        "m³": ("mètre cube", "mètres cubes"), "ha": ("hectare", "hectares"), "kcal": ("kilocalorie", "kilocalories"),
        "dB": ("décibel", "décibels"),
    },
    percent="pour cent",
    permille="pour mille",
    currencies={
        "€": ("euro", "euros", "centime", "centimes"), "EUR": ("euro", "euros", "centime", "centimes"),
        "$": ("dollar", "dollars", "cent", "cents"), "US$": ("dollar", "dollars", "cent", "cents"),
        "USD": ("dollar", "dollars", "cent", "cents"), "£": ("livre", "livres", "penny", "pence"),
        "¥": ("yen", "yens", "sen", "sen"), "₹": ("roupie", "roupies", "paisa", "paisas"),
        "R$": ("réal", "réaux", "centavo", "centavos"),
        "CHF": ("franc suisse", "francs suisses", "centime", "centimes"),
    },
    cents="{number}",
    scales={
        "mille": ("mille", "mille"), "million": ("million", "millions"), "millions": ("million", "millions"),
        "milliard": ("milliard", "milliards"), "milliards": ("milliard", "milliards"), "M": ("million", "millions"),
        "Md": ("milliard", "milliards"), "Mds": ("milliard", "milliards"), "k": ("mille", "mille"),
    },
    hour_words=frozenset(("h", "heures", "heure")),
    fractions={
        2: ("demi", "demis"), 3: ("tiers", "tiers"), 4: ("quart", "quarts"), 5: ("cinquième", "cinquièmes"),
        6: ("sixième", "sixièmes"), 7: ("septième", "septièmes"), 8: ("huitième", "huitièmes"),
        9: ("neuvième", "neuvièmes"), 10: ("dixième", "dixièmes"), 100: ("centième", "centièmes"),
    },
    half={"": "un demi", "f": "une demi"},
    and_half=" et demi",
    and_part="et",
    minus="moins",
    signs={"+": "plus", "±": "plus ou moins", "~": "environ", "≈": "environ"},
    to="à",
    per="par",
    ordinal_marks={
        "er": "m", "ers": "m", "re": "f", "ère": "f", "e": "m", "es": "m", "ème": "m", "èmes": "m", "eme": "m",
        "ième": "m",
        "nd": "nd", "nde": "nde", "ᵉ": "m",
    },
    numbered=frozenset(
        "chapitre partie tome volume acte phase guerre mondiale livre titre article niveau type classe".split()
    ),
    joints=frozenset(("et", "au", "à", "ou")),
    symbols={
        "&": "et", "+": "plus", "=": "égale", "@": "arobase", "%": "pour cent", "×": "fois", "÷": "divisé par",
        "<": "inférieur à", ">": "supérieur à", "≤": "inférieur ou égal à", "≥": "supérieur ou égal à",
        "±": "plus ou moins", "≈": "environ", "°": "degrés", "€": "euros", "$": "dollars", "£": "livres",
        "§": "paragraphe",
    },
    addresses={
        "@": "arobase", ".": "point", "/": "barre oblique", "-": "tiret", "_": "tiret bas", ":": "deux points",
        "?": "", "=": "", "&": "et",
        "#": "",
    },
    number_sign="numéro",
    hashtag="hashtag",
    spelled=frozenset(("UE", "USA", "IA", "ADN", "ARN", "EDF", "URSS")),
    titles={
        "Mme": "madame", "Mlle": "mademoiselle",
        "av": "avenue", "Av": "avenue", "bd": "boulevard", "Bd": "boulevard",
        "M": "monsieur", "MM": "messieurs", "Dr": "docteur", "Pr": "professeur", "Me": "maître", "St": "saint",
        "Ste": "sainte",
        "Mgr": "monseigneur",
    },
    dotted={
        "etc": "et cetera", "env": "environ",
        "cf": "confer", "tél": "téléphone", "Tél": "téléphone", "max": "maximum", "min": "minimum", "ex": "exemple",
        "éd": "édition",
    },
    before_numbers={
        "n°": "numéro", "N°": "numéro", "nº": "numéro", "Nº": "numéro", "no": "numéro", "n": "numéro", "p": "page",
        "pp": "pages", "chap": "chapitre", "art": "article", "vol": "volume", "fig": "figure", "Fig": "figure",
    },
    always={
        "Dr": "docteur", "Pr": "professeur", "Mgr": "monseigneur", "Ste": "sainte", "St": "saint",
        "Mme": "madame", "Mmes": "mesdames", "Mlle": "mademoiselle", "Mlles": "mesdemoiselles",
        "c.-à-d": "c'est-à-dire",
        "p.ex": "par exemple", "av.J.-C": "avant Jésus-Christ", "J.-C": "Jésus-Christ", "vs": "versus",
        "C++": "C plus plus",
    },
    pairs={
        ("p", "ex"): ("par", "exemple"), ("av", "J.-C"): ("avant", "Jésus-Christ"),
        ("ap", "J.-C"): ("après", "Jésus-Christ"),
    },
)  # fmt: skip

REGIONS = {
    "fr-BE": replace(
        LANGUAGE, cardinal=_belgian, year=lambda value: _belgian(value, ""), day=day_with_first("premier", _belgian)
    ),
    "fr-CH": replace(
        LANGUAGE, cardinal=_swiss, year=lambda value: _swiss(value, ""), day=day_with_first("premier", _swiss)
    ),
}
