"""Italian."""

from __future__ import annotations

import re

from vidgend.pipeline.speech.languages.grammar import Here, Language, before_noun, day_with_first, endings, num


def _cardinal(value: int, gender: str) -> str:
    spoken = re.sub("(?<=.)tre$", "tré", num(value, "it"))
    if value == 1 and gender:
        return {"f": "una", "short": "uno"}.get(gender, "un")
    return spoken


def _ordinal(value: int, gender: str) -> str:
    spoken = num(value, "it", "ordinal")
    return re.sub("o$", "a", spoken) if gender == "f" else spoken


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    hour = "una" if hours == 1 else num(hours, "it")
    return (f"{hour} e {num(minutes, 'it')}" if minutes else hour), "ore" if named else ""


_ARTICLES = frozenset("il la nel nella del della dal dalla al alla".split())
_by_ending = endings(
    "a|zione|sione|tà|tù|trice|notte|parte|classe|voce|luce|fonte|gente|mente|nave|stazione|mano",
    "problema programma sistema tema clima pianeta poema dramma cinema chilogramma grammo diploma",
    "a ad ai al alla alle anche c che chi come con contro da dal dalla dei del della delle di dopo e è ed era "
    "fino fra gli ha hanno i il in invece l la le lo ma mentre ne nei nel nella nelle no non o per perché però "
    "più poi qua quando quasi quella questa qui se senza si sia sino solo sono sopra sotto su sua sul sulla "
    "tra un una uno va",
)


def _gender(noun: str) -> str:
    """A masculine noun that wants the longer article, as in uno studente, is "short"."""
    gender = _by_ending(noun)
    return "short" if gender == "m" and re.match("[zxy]|s[^aeiou]|gn|ps|pn", noun.lower()) else gender


_KINGS = frozenset(
    """Luigi Carlo Enrico Filippo Napoleone Giorgio Giovanni Paolo Benedetto Pio Leone Gregorio Ramses Nicola
    Alessandro Federico Guglielmo Edoardo Vittorio Emanuele Umberto Francesco Ferdinando Giacomo Riccardo Ottone
    Ivan Pietro Innocenzo Urbano Clemente Sisto Giulio Alfonso Amedeo""".split()
)
_QUEENS = frozenset("Elisabetta Caterina Isabella Maria Margherita Cleopatra Cristina".split())


def _roman(value: int, here: Here) -> str | None:
    if here.before in _QUEENS:
        return _ordinal(value, "f")
    century = {here.before.lower(), here.after.lower()} & {"secolo", "secoli", "sec"}
    if here.before in _KINGS or century:
        return _ordinal(value, "m")
    return before_noun(value, here, _ARTICLES, _gender, _ordinal) if len(here.core) > 1 else None


LANGUAGE = Language(
    cardinal=_cardinal,
    ordinal=_ordinal,
    gender=_gender,
    year=lambda value: _cardinal(value, ""),
    clock=_clock,
    day=day_with_first("primo", _cardinal),
    roman=_roman,
    of=lambda noun: f"di {noun}",
    months=tuple(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
    ),
    date="{day} {month} {year}",
    dotted_dates=True,
    marks={",": "virgola", ".": "punto"},
    units={
        "km": ("chilometro", "chilometri"), "m": ("metro", "metri"), "cm": ("centimetro", "centimetri"),
        "mm": ("millimetro", "millimetri"), "nm": ("nanometro", "nanometri"), "kg": ("chilogrammo", "chilogrammi"),
        "g": ("grammo", "grammi"), "mg": ("milligrammo", "milligrammi"), "t": ("tonnellata", "tonnellate"),
        "l": ("litro", "litri"), "L": ("litro", "litri"), "ml": ("millilitro", "millilitri"),
        "s": ("secondo", "secondi"),
        "min": ("minuto", "minuti"), "h": ("ora", "ore"), "km/h": ("chilometro orario", "chilometri orari"),
        "m/s": ("metro al secondo", "metri al secondo"), "Hz": ("hertz", "hertz"), "MHz": ("megahertz", "megahertz"),
        "GHz": ("gigahertz", "gigahertz"), "W": ("watt", "watt"), "kW": ("chilowatt", "chilowatt"),
        "MW": ("megawatt", "megawatt"), "GW": ("gigawatt", "gigawatt"), "kWh": ("chilowattora", "chilowattora"),
        "V": ("volt", "volt"), "kB": ("kilobyte", "kilobyte"), "KB": ("kilobyte", "kilobyte"),
        "MB": ("megabyte", "megabyte"),
        "GB": ("gigabyte", "gigabyte"), "TB": ("terabyte", "terabyte"), "°": ("grado", "gradi"),
        "°C": ("grado Celsius", "gradi Celsius"), "°F": ("grado Fahrenheit", "gradi Fahrenheit"),
        "m²": ("metro quadrato", "metri quadrati"), "km²": ("chilometro quadrato", "chilometri quadrati"),
        "mq": ("metro quadrato", "metri quadrati"), "m³": ("metro cubo", "metri cubi"), "ha": ("ettaro", "ettari"),
        "kcal": ("chilocaloria", "chilocalorie"), "dB": ("decibel", "decibel"),
    },
    percent="per cento",
    permille="per mille",
    currencies={
        "€": ("euro", "euro", "centesimo", "centesimi"), "EUR": ("euro", "euro", "centesimo", "centesimi"),
        "$": ("dollaro", "dollari", "centesimo", "centesimi"),
        "US$": ("dollaro", "dollari", "centesimo", "centesimi"),
        "USD": ("dollaro", "dollari", "centesimo", "centesimi"), "£": ("sterlina", "sterline", "penny", "pence"),
        "¥": ("yen", "yen", "sen", "sen"), "₹": ("rupia", "rupie", "paisa", "paisa"),
        "R$": ("real", "real", "centavo", "centavos"),
        "CHF": ("franco svizzero", "franchi svizzeri", "centesimo", "centesimi"),
    },
    cents="e {number} {part}",
    scales={
        "mila": ("mila", "mila"), "milione": ("milione", "milioni"), "milioni": ("milione", "milioni"),
        "miliardo": ("miliardo", "miliardi"), "miliardi": ("miliardo", "miliardi"), "mln": ("milione", "milioni"),
        "mld": ("miliardo", "miliardi"), "M": ("milione", "milioni"),
    },
    hour_words=frozenset(("ore", "ora", "alle", "dalle", "delle", "h")),
    clock_marks=":",
    fractions={
        2: ("mezzo", "mezzi"), 3: ("terzo", "terzi"), 4: ("quarto", "quarti"), 5: ("quinto", "quinti"),
        6: ("sesto", "sesti"),
        7: ("settimo", "settimi"), 8: ("ottavo", "ottavi"), 9: ("nono", "noni"), 10: ("decimo", "decimi"),
        100: ("centesimo", "centesimi"),
    },
    half={"": "mezzo", "f": "mezza"},
    and_half=" e mezzo",
    and_part="e",
    minus="meno",
    signs={"+": "più", "±": "più o meno", "~": "circa", "≈": "circa"},
    to="a",
    per="al",
    ordinal_marks={"º": "m", "ª": "f", "o": "m", "a": "f"},
    numbered=frozenset(
        "capitolo parte tomo volume atto fase guerra mondiale libro titolo articolo livello tipo classe".split()
    ),
    joints=frozenset(("e", "al", "o")),
    symbols={
        "&": "e", "+": "più", "=": "uguale", "@": "chiocciola", "%": "per cento", "×": "per", "÷": "diviso",
        "<": "minore di",
        ">": "maggiore di", "≤": "minore o uguale a", "≥": "maggiore o uguale a", "±": "più o meno", "≈": "circa",
        "°": "gradi", "€": "euro", "$": "dollari", "£": "sterline", "§": "paragrafo",
    },
    addresses={
        "@": "chiocciola", ".": "punto", "/": "barra", "-": "trattino", "_": "trattino basso", ":": "due punti",
        "?": "", "=": "",
        "&": "e", "#": "",
    },
    number_sign="numero",
    hashtag="hashtag",
    spelled=frozenset(("UE", "USA", "IA", "UK")),
    titles={
        "Sig": "signor", "Sigg": "signori", "Dott": "dottor", "Dr": "dottor", "Prof": "professor", "Ing": "ingegner",
        "Avv": "avvocato", "On": "onorevole", "Rev": "reverendo", "Mons": "monsignor", "Gen": "generale",
        "Cap": "capitano",
        "S": "san", "sig": "signor", "dott": "dottor", "prof": "professor", "ing": "ingegner", "avv": "avvocato",
    },
    dotted={
        "sec": "secolo", "ecc": "eccetera", "etc": "eccetera", "es": "esempio", "ca": "circa",
        "tel": "telefono", "Tel": "telefono",
        "max": "massimo", "min": "minimo", "cfr": "confronta", "ed": "edizione", "vs": "versus",
    },
    before_numbers={
        "n": "numero", "N": "numero", "n°": "numero", "N°": "numero", "nº": "numero", "num": "numero", "p": "pagina",
        "pp": "pagine", "pag": "pagina", "cap": "capitolo", "art": "articolo", "Art": "articolo", "vol": "volume",
        "fig": "figura", "Fig": "figura", "sec": "secolo", "co": "comma",
    },
    always={
        "Sig.ra": "signora", "Sig.na": "signorina", "sig.ra": "signora", "sig.na": "signorina",
        "Dott.ssa": "dottoressa",
        "dott.ssa": "dottoressa", "Prof.ssa": "professoressa", "prof.ssa": "professoressa", "a.C": "avanti Cristo",
        "d.C": "dopo Cristo", "p.es": "per esempio", "vs": "versus", "C++": "C più più",
    },
    pairs={("p", "es"): ("per", "esempio"), ("a", "C"): ("avanti", "Cristo"), ("d", "C"): ("dopo", "Cristo")},
)  # fmt: skip
