"""Spanish. Without a region it is that of both sides: `1.250,5`, and the first of a month is `primero`."""

from __future__ import annotations

import re
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language, before_noun, day_with_first, endings, num

_UNITS = (
    "", "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno",
)  # fmt: skip
_TENS = (
    "", "décimo", "vigésimo", "trigésimo", "cuadragésimo", "quincuagésimo", "sexagésimo", "septuagésimo",
    "octogésimo", "nonagésimo",
)  # fmt: skip


def _cardinal(value: int, gender: str) -> str:
    spoken = re.sub(r"veintiuno(?= (?:mil|mill|bill))", "veintiún", num(value, "es"))
    spoken = re.sub(r"\buno(?= (?:mil|mill|bill))", "un", spoken)
    if gender == "f":
        spoken = re.sub(r"(\w+)tos\b(?! (?:(?!mill|bill)\w+ )*(?:mill|bill))", r"\1tas", spoken)
        return re.sub(r"uno$", "una", spoken)
    if gender == "m":
        return re.sub(r"veintiuno$", "veintiún", re.sub(r"\buno$", "un", spoken))
    return spoken


def _ordinal(value: int, gender: str) -> str:
    if value >= 100:
        spoken = {100: "centésimo", 1000: "milésimo"}.get(value) or _cardinal(value, gender)
    elif 11 <= value <= 19:
        spoken = {11: "undécimo", 12: "duodécimo"}.get(value) or f"decimo{_UNITS[value - 10]}"
    else:
        spoken = f"{_TENS[value // 10]} {_UNITS[value % 10]}".strip()
    if gender == "short":
        return re.sub(r"(primer|tercer)o$", r"\1", spoken)
    return re.sub("o( |$)", r"a\1", spoken) if gender == "f" and value <= 100 else spoken


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    hour = _cardinal(hours, "f")
    if minutes:
        small = f"cero {num(minutes, 'es')}" if minutes < 10 else num(minutes, "es")
        hour = f"{hour} {small}"
    word = "hora" if hours == 1 and not minutes else "horas"
    return hour, word if named or (not minutes and hours > 12) else ""


_ARTICLES = frozenset("la el del al las los".split())
_gender = endings(
    "a|as|ción|ciones|sión|siones|dad|dades|tud|veces|vez|noche|noches|parte|partes|clase|clases|mujer|"
    "mujeres|calle|calles",
    "día días problema problemas programa programas sistema sistemas tema temas idioma idiomas clima planeta "
    "planetas mapa mapas poema poemas drama dramas kilogramas grama cometa metros centímetros euros yenes",
    "a al ante bajo como con contra de del desde donde e el ella ellos en entre era es esta este está eran fue "
    "ha han hasta la las le les lo los más mas menos ni no nos o para pero por porque que se según si sin "
    "sobre son su sus también te tras u un una y ya cuando mil va van",
)
_KINGS = frozenset(
    """Alejandro Alfonso Amadeo Benedicto Carlos Eduardo Enrique Federico Felipe Fernando Francisco Gregorio Guillermo
    Iván Jaime Jorge Juan Pablo León Luis Napoleón Nicolás Otón Pedro Pío Ramsés Ricardo Sancho Carlomagno""".split()
)
_QUEENS = frozenset("Catalina Isabel Juana María Margarita Cristina Cleopatra".split())


def _roman(value: int, here: Here) -> str | None:
    if here.before in _QUEENS:
        return _ordinal(value, "f") if value <= 10 else _cardinal(value, "")
    if here.before in _KINGS or here.before.lower() in ("siglo", "siglos", "s", "ss"):
        return _ordinal(value, "m") if value <= 10 else _cardinal(value, "")
    return before_noun(value, here, _ARTICLES, _gender, _ordinal)


LANGUAGE = Language(
    cardinal=_cardinal,
    ordinal=_ordinal,
    gender=_gender,
    year=lambda value: num(value, "es"),
    clock=_clock,
    day=day_with_first("primero", _cardinal),
    roman=_roman,
    of=lambda noun: f"de {noun}",
    months=tuple("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()),
    date="{day} de {month} de {year}",
    date_of="de",
    marks={",": "coma", ".": "punto"},
    units={
        "km": ("kilómetro", "kilómetros"), "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"), "nm": ("nanómetro", "nanómetros"), "kg": ("kilogramo", "kilogramos"),
        "g": ("gramo", "gramos"), "mg": ("miligramo", "miligramos"), "t": ("tonelada", "toneladas"),
        "l": ("litro", "litros"), "L": ("litro", "litros"), "ml": ("mililitro", "mililitros"),
        "s": ("segundo", "segundos"),
        "min": ("minuto", "minutos"), "h": ("hora", "horas"), "km/h": ("kilómetro por hora", "kilómetros por hora"),
        "m/s": ("metro por segundo", "metros por segundo"), "Hz": ("hercio", "hercios"),
        "MHz": ("megahercio", "megahercios"),
        "GHz": ("gigahercio", "gigahercios"), "W": ("vatio", "vatios"), "kW": ("kilovatio", "kilovatios"),
        "MW": ("megavatio", "megavatios"), "GW": ("gigavatio", "gigavatios"),
        "kWh": ("kilovatio hora", "kilovatios hora"),
        "V": ("voltio", "voltios"), "kB": ("kilobyte", "kilobytes"), "KB": ("kilobyte", "kilobytes"),
        "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
        "°": ("grado", "grados"), "°C": ("grado Celsius", "grados Celsius"),
        "ºC": ("grado Celsius", "grados Celsius"),
        "°F": ("grado Fahrenheit", "grados Fahrenheit"), "m²": ("metro cuadrado", "metros cuadrados"),
        "km²": ("kilómetro cuadrado", "kilómetros cuadrados"), "m³": ("metro cúbico", "metros cúbicos"),
        "ha": ("hectárea", "hectáreas"), "kcal": ("kilocaloría", "kilocalorías"), "dB": ("decibelio", "decibelios"),
    },
    percent="por ciento",
    permille="por mil",
    currencies={
        "€": ("euro", "euros", "céntimo", "céntimos"), "EUR": ("euro", "euros", "céntimo", "céntimos"),
        "$": ("dólar", "dólares", "centavo", "centavos"), "US$": ("dólar", "dólares", "centavo", "centavos"),
        "USD": ("dólar", "dólares", "centavo", "centavos"), "£": ("libra", "libras", "penique", "peniques"),
        "¥": ("yen", "yenes", "sen", "sen"), "₹": ("rupia", "rupias", "paisa", "paisas"),
        "R$": ("real", "reales", "centavo", "centavos"), "MXN": ("peso", "pesos", "centavo", "centavos"),
    },
    cents="con {number} {part}",
    scales={
        "mil": ("mil", "mil"), "millón": ("millón", "millones"), "millones": ("millón", "millones"),
        "M": ("millón", "millones"), "mill": ("millón", "millones"), "billón": ("billón", "billones"),
        "billones": ("billón", "billones"), "k": ("mil", "mil"),
    },
    hour_words=frozenset(("h", "hs", "hrs", "horas", "hora")),
    fractions={
        2: ("medio", "medios"), 3: ("tercio", "tercios"), 4: ("cuarto", "cuartos"), 5: ("quinto", "quintos"),
        6: ("sexto", "sextos"), 7: ("séptimo", "séptimos"), 8: ("octavo", "octavos"), 9: ("noveno", "novenos"),
        10: ("décimo", "décimos"), 100: ("centésimo", "centésimos"),
    },
    half={"": "medio", "f": "media"},
    and_half=" y medio",
    and_part="y",
    minus="menos",
    signs={"+": "más", "±": "más menos", "~": "unos", "≈": "unos"},
    to="a",
    per="por",
    ordinal_marks={"º": "m", "ª": "f", "er": "short", "o": "m", "a": "f"},
    numbered=frozenset(
        "capítulo parte tomo volumen acto fase guerra mundial libro título artículo nivel tipo clase episodio "
        "temporada".split()
    ),
    joints=frozenset(("y", "al", "a", "o")),
    symbols={
        "&": "y", "+": "más", "=": "igual a", "@": "arroba", "%": "por ciento", "×": "por", "÷": "entre",
        "<": "menor que",
        ">": "mayor que", "≤": "menor o igual que", "≥": "mayor o igual que", "±": "más menos",
        "≈": "aproximadamente",
        "°": "grados", "€": "euros", "$": "dólares", "£": "libras", "§": "párrafo",
    },
    addresses={
        "@": "arroba", ".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos", "?": "",
        "=": "", "&": "y", "#": "",
    },
    number_sign="número",
    hashtag="hashtag",
    spelled=frozenset(("UE", "USA", "IA", "ADN", "UU", "EE")),
    titles={
        "Av": "avenida", "Avda": "avenida", "av": "avenida", "avda": "avenida",
        "Sr": "señor", "Sra": "señora", "Srta": "señorita", "Sres": "señores", "Dr": "doctor", "Dra": "doctora",
        "D": "don",
        "Dña": "doña", "Prof": "profesor", "Profa": "profesora", "Lic": "licenciado", "Ing": "ingeniero",
        "Arq": "arquitecto",
        "Gral": "general", "Cap": "capitán", "Sta": "santa", "Sto": "santo", "Mons": "monseñor", "Fr": "fray",
    },
    dotted={
        "etc": "etcétera", "aprox": "aproximadamente", "Ud": "usted", "Uds": "ustedes", "Vd": "usted",
        "Vds": "ustedes", "Cía": "compañía",
        "Dpto": "departamento",
        "ed": "edición", "vs": "versus", "tel": "teléfono", "Tel": "teléfono", "máx": "máximo", "mín": "mínimo",
    },
    before_numbers={
        "n.º": "número", "nº": "número", "N.º": "número", "Nº": "número", "n°": "número", "N°": "número",
        "núm": "número",
        "Núm": "número", "No": "número", "p": "página", "pág": "página", "págs": "páginas", "pp": "páginas",
        "cap": "capítulo",
        "art": "artículo", "Art": "artículo", "vol": "volumen", "fig": "figura", "Fig": "figura", "s": "siglo",
        "ss": "siglos",
        "c": "calle",
    },
    always={"p.ej": "por ejemplo", "EE.UU": "Estados Unidos", "EEUU": "Estados Unidos", "a.C": "antes de Cristo",
    "d.C": "después de Cristo",
            "vs": "versus", "C++": "C más más", "a.m": "a eme", "p.m": "pe eme"},
    pairs={
        ("p", "ej"): ("por", "ejemplo"), ("P", "ej"): ("por", "ejemplo"), ("EE", "UU"): ("Estados", "Unidos"),
        ("a", "C"): ("antes de", "Cristo"), ("d", "C"): ("después de", "Cristo"), ("a", "m"): ("a", "eme"),
        ("p", "m"): ("pe", "eme"),
    },
)  # fmt: skip

_POINT = replace(LANGUAGE, decimal=".", thousands=",")
"""Mexico, Central America and the Caribbean write 1,250.50."""

REGIONS = {
    "es-ES": replace(LANGUAGE, day=day_with_first("uno", _cardinal)),
    **dict.fromkeys(("es-MX", "es-US", "es-GT", "es-HN", "es-NI", "es-SV", "es-PA", "es-DO", "es-PR", "es-CU"), _POINT),
}
