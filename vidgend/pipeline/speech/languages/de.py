"""German: ordinals with a dot take the ending that the words before them ask for."""

from __future__ import annotations

import re
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language, num
from vidgend.pipeline.speech.numbers_en import roman

_MONTHS = tuple("Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split())
_NEUTER = frozenset(
    "Jahrhundert Jahrhunderts Jahrtausend Jahrtausends Mal Kapitel Jahr Lebensjahr Stockwerk Semester Quartal".split()
)
_NOUNS = _NEUTER | frozenset(
    """Klasse Platz Stock Runde Jahrestag Geburtstag Weltkrieg Etage Tag Woche Stunde Minute Auflage Staffel Folge
    Teil Band Akt Bezirk Sonntag Advent Liga Generation Stelle Person Versuch Präsident Kanzler Monat Sinfonie
    Symphonie""".split()
)
_WEAK = frozenset(
    """am im vom zum beim zur dem den des einem einen eines einer seinem seinen seiner seines ihrem ihren ihrer ihres
    ab seit nach vor von bis diesem diesen jedem jeden unserem unseren""".split()
)
_PREPOSITIONS = frozenset(
    "in an auf aus mit nach von zu bei seit während vor hinter über unter neben ab gegenüber innerhalb".split()
)
_WITH_E = frozenset("die das ins ans aufs diese dieses eine seine ihre unsere jede jedes".split())
_JOINTS = frozenset(("und", "bis", "oder"))
_STARTERS = frozenset(
    """Aber Als Am An Auch Auf Aus Bei Bis Da Dabei Damals Damit Danach Dann Darum Das Dass Dazu Denn Der Des Deshalb
    Die Dies Diese Dieser Dieses Doch Dort Ein Eine Einer Er Es Für Heute Hier Ich Ihr Ihre Im In Ist Jetzt Man Mit
    Nach Nein Noch Nun Nur Ob Schon Seit Sie Sind So Und Unter Viele Von Vor War Warum Was Weil Wenn Wer Wie Wir Wo
    Zu Zum Zur Zwar Über""".split()
)
_KINGS = frozenset(
    """Ludwig Karl Heinrich Friedrich Wilhelm Otto Konrad Napoleon Georg Johannes Paul Benedikt Pius Leo Gregor Ramses
    Nikolaus Alexander Philipp Franz Ferdinand Leopold Maximilian Rudolf Albrecht August Eduard Richard Iwan Peter
    Joseph Elisabeth Katharina Maria Margarete Felipe Juan Carlos Innozenz Urban Clemens Christian Gustav""".split()
)
_QUEENS = frozenset("Elisabeth Katharina Maria Margarete".split())


def _cardinal(value: int, gender: str) -> str:
    if value == 1:
        return {"": "eins", "f": "eine"}.get(gender, "ein")
    return num(value, "de").replace("einstausend", "eintausend")


def _ordinal(value: int, ending: str) -> str:
    return num(value, "de", "ordinal").replace("einstausend", "eintausend") + ending


def _year(value: int) -> str:
    return num(value, "de", "year") if 1100 <= value < 2000 else _cardinal(value, "")


_MASCULINE = frozenset("Name Ende Auge Käse Junge Gebäude Gebirge Interesse Kunde Affe Löwe Löwen".split())
_THINGS = frozenset("Kilo Kilogramm Gramm Pfund Kind Dutzend Glas Stück Mädchen".split())
_FEMININE = re.compile(
    r"(?:e|ung|heit|keit|ion|schaft|tät|ik|[Ll]iga|[Ss]tadt|[Ff]rau|[Nn]acht|[Ww]elt|[Pp]erson|[Kk]raft|[Zz]ahl)$"
)


def _gender(noun: str) -> str:
    if not noun[:1].isupper():
        return ""
    if noun in _NEUTER or noun in _THINGS:
        return "n"
    return "f" if noun not in _MASCULINE and _FEMININE.search(noun) else "m"


def _ending(here: Here, noun: str) -> str:
    """What the ordinal of `dritte` ends with before `noun` (a month if it is one)."""
    before, before_that = here.before.lower(), here.before_that.lower()
    if before in _JOINTS and before_that[:1].isdecimal():
        before, before_that = here.head.lower(), ""
    if before in _WEAK or (before == "der" and before_that in _PREPOSITIONS):
        return "n"
    if before == "der" or before in _WITH_E or (noun not in _MONTHS and _gender(noun) == "f"):
        return ""
    return "s" if noun in _NEUTER else "r"


def _is_counted(noun: str) -> bool:
    return noun in _NOUNS or noun.endswith(("liga", "klasse", "platz", "etage", "weltkrieg", "geburtstag", "runde"))


def _special(here: Here) -> tuple[str, str] | None:
    decade = re.fullmatch(r"(\d{2,4})er", here.core)
    if decade:
        return f"{_year(int(decade[1]))}er", ""
    if not here.dotted:
        return None
    if here.before.removesuffix("s") in _KINGS and roman(here.core):
        return _ruler(here), "may end"
    date = re.fullmatch(r"([1-9]|[012]\d|3[01])\.(0?[1-9]|1[012])", here.core)
    if date:
        month = _MONTHS[int(date[2]) - 1]
        return f"{_ordinal(int(date[1]), _ending(here, month))} {month}", "may end"
    noun = here.after
    if roman(here.core) and _is_counted(noun):
        return _ordinal(roman(here.core), _ending(here, noun)), "own"
    if not re.fullmatch(r"[1-9]\d{0,2}|0[1-9]", here.core):
        return None
    listed = noun in _JOINTS and re.fullmatch(r"\d{1,2}", here.after_that)
    introduced = here.before.lower() in _WEAK | _WITH_E | {"der"} and noun[:1].isupper() and noun not in _STARTERS
    small = here.before.lower() in {"der", "die", "das", "am", "im"} and noun[:1].islower()
    if noun in _MONTHS or _is_counted(noun) or listed or introduced or small:
        return _ordinal(int(here.core), _ending(here, noun if not listed else "Liga")), "own"
    return None


def _ruler(here: Here) -> str:
    value = roman(here.core)
    if here.before not in _KINGS:
        return f"des {_ordinal(value, 'n').capitalize()}"
    return f"{'die' if here.before in _QUEENS else 'der'} {_ordinal(value, '').capitalize()}"


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    return _cardinal(hours, "m"), f"Uhr {_cardinal(minutes, '')}" if minutes else "Uhr"


LANGUAGE = Language(
    cardinal=_cardinal,
    ordinal=_ordinal,
    gender=_gender,
    year=_year,
    clock=_clock,
    day=lambda day, here: _ordinal(day, _ending(here, "Januar")),
    special=_special,
    months=_MONTHS,
    date="{day} {month} {year}",
    dotted_dates=True,
    marks={",": "Komma", ".": "Punkt"},
    decimals_as_number=False,
    units={
        "km": ("Kilometer", "Kilometer"), "m": ("Meter", "Meter"), "cm": ("Zentimeter", "Zentimeter"),
        "mm": ("Millimeter", "Millimeter"), "nm": ("Nanometer", "Nanometer"), "kg": ("Kilogramm", "Kilogramm"),
        "g": ("Gramm", "Gramm"), "mg": ("Milligramm", "Milligramm"), "t": ("Tonne", "Tonnen"),
        "l": ("Liter", "Liter"),
        "L": ("Liter", "Liter"), "ml": ("Milliliter", "Milliliter"), "s": ("Sekunde", "Sekunden"),
        "min": ("Minute", "Minuten"), "h": ("Stunde", "Stunden"),
        "km/h": ("Kilometer pro Stunde", "Kilometer pro Stunde"),
        "m/s": ("Meter pro Sekunde", "Meter pro Sekunde"), "Hz": ("Hertz", "Hertz"),
        "MHz": ("Megahertz", "Megahertz"),
        "GHz": ("Gigahertz", "Gigahertz"), "W": ("Watt", "Watt"), "kW": ("Kilowatt", "Kilowatt"),
        "MW": ("Megawatt", "Megawatt"),
        "GW": ("Gigawatt", "Gigawatt"), "kWh": ("Kilowattstunde", "Kilowattstunden"), "V": ("Volt", "Volt"),
        "kB": ("Kilobyte", "Kilobyte"), "KB": ("Kilobyte", "Kilobyte"), "MB": ("Megabyte", "Megabyte"),
        "GB": ("Gigabyte", "Gigabyte"), "TB": ("Terabyte", "Terabyte"), "°": ("Grad", "Grad"),
        "°C": ("Grad Celsius", "Grad Celsius"),
        "°F": ("Grad Fahrenheit", "Grad Fahrenheit"), "m²": ("Quadratmeter", "Quadratmeter"),
        "qm": ("Quadratmeter", "Quadratmeter"), "km²": ("Quadratkilometer", "Quadratkilometer"),
        "m³": ("Kubikmeter", "Kubikmeter"), "ha": ("Hektar", "Hektar"), "kcal": ("Kilokalorie", "Kilokalorien"),
        "dB": ("Dezibel", "Dezibel"), "PS": ("P S", "P S"),
    },
    percent="Prozent",
    permille="Promille",
    currencies={
        "€": ("Euro", "Euro", "Cent", "Cent"), "EUR": ("Euro", "Euro", "Cent", "Cent"),
        "$": ("Dollar", "Dollar", "Cent", "Cent"), "US$": ("Dollar", "Dollar", "Cent", "Cent"),
        "USD": ("Dollar", "Dollar", "Cent", "Cent"), "£": ("Pfund", "Pfund", "Penny", "Pence"),
        "¥": ("Yen", "Yen", "Sen", "Sen"), "₹": ("Rupie", "Rupien", "Paisa", "Paise"),
        "R$": ("Real", "Real", "Centavo", "Centavos"), "CHF": ("Franken", "Franken", "Rappen", "Rappen"),
        "Euro": ("Euro", "Euro", "Cent", "Cent"), "Dollar": ("Dollar", "Dollar", "Cent", "Cent"),
    },
    cents="{number}",
    scales={
        "Tausend": ("Tausend", "Tausend"), "Million": ("Million", "Millionen"), "Millionen": ("Million", "Millionen"),
        "Milliarde": ("Milliarde", "Milliarden"), "Milliarden": ("Milliarde", "Milliarden"),
        "Mio": ("Million", "Millionen"), "Mrd": ("Milliarde", "Milliarden"), "Tsd": ("tausend", "tausend"),
        "Bio": ("Billion", "Billionen"),
    },
    hour_words=frozenset(("Uhr",)),
    clock_marks=":",
    fractions={
        2: ("halb", "halbe"), 3: ("Drittel", "Drittel"), 4: ("Viertel", "Viertel"), 5: ("Fünftel", "Fünftel"),
        6: ("Sechstel", "Sechstel"), 7: ("Siebtel", "Siebtel"), 8: ("Achtel", "Achtel"), 9: ("Neuntel", "Neuntel"),
        10: ("Zehntel", "Zehntel"), 100: ("Hundertstel", "Hundertstel"),
    },
    half={"": "ein halb", "m": "ein halber", "f": "eine halbe", "n": "ein halbes"},
    and_half="einhalb",
    minus="minus",
    signs={"+": "plus", "±": "plus minus", "~": "etwa", "≈": "etwa"},
    to="bis",
    per="pro",
    numbered=frozenset("kapitel teil band akt phase weltkrieg buch titel artikel stufe typ klasse".split()),
    joints=_JOINTS,
    symbols={
        "&": "und", "+": "plus", "=": "gleich", "@": "at", "%": "Prozent", "×": "mal", "÷": "geteilt durch",
        "<": "kleiner als",
        ">": "größer als", "≤": "höchstens", "≥": "mindestens", "±": "plus minus", "≈": "etwa", "°": "Grad",
        "€": "Euro",
        "$": "Dollar", "£": "Pfund", "§": "Paragraf",
    },
    addresses={
        "@": "at", ".": "Punkt", "/": "Schrägstrich", "-": "Minus", "_": "Unterstrich", ":": "Doppelpunkt", "?": "",
        "=": "",
        "&": "und", "#": "",
    },
    number_sign="Nummer",
    hashtag="Hashtag",
    spelled=frozenset(("EU", "USA", "KI", "UN", "AG", "UKW", "EDV")),
    titles={
        "Dr": "Doktor", "Prof": "Professor", "Hr": "Herr", "Fr": "Frau", "Hrn": "Herrn", "St": "Sankt",
        "Ing": "Ingenieur",
        "Dipl": "Diplom", "Co": "Co", "Mag": "Magister",
    },
    dotted={
        "usw": "und so weiter", "etc": "et cetera", "bzw": "beziehungsweise", "ca": "circa", "evtl": "eventuell",
        "ggf": "gegebenenfalls", "inkl": "inklusive", "max": "maximal", "min": "mindestens", "Str": "Straße",
        "Tel": "Telefon",
        "vgl": "vergleiche", "sog": "sogenannte", "geb": "geboren", "gest": "gestorben", "Jh": "Jahrhundert",
        "Jhd": "Jahrhundert",
        "Mio": "Millionen", "Mrd": "Milliarden", "Tsd": "Tausend", "Std": "Stunden", "Min": "Minuten",
        "Sek": "Sekunden",
        "usf": "und so fort", "Jan": "Januar", "Feb": "Februar", "Aug": "August", "Sept": "September",
        "Okt": "Oktober",
        "Nov": "November", "Dez": "Dezember", "jr": "junior", "sen": "senior", "vs": "versus",
    },
    before_numbers={
        "Nr": "Nummer", "S": "Seite", "Abb": "Abbildung", "Kap": "Kapitel", "Bd": "Band", "Art": "Artikel",
        "Abs": "Absatz",
        "Jg": "Jahrgang",
    },
    always={
        "z.B": "zum Beispiel", "d.h": "das heißt", "u.a": "unter anderem", "z.T": "zum Teil", "v.Chr": "vor Christus",
        "n.Chr": "nach Christus", "o.ä": "oder Ähnliches", "i.d.R": "in der Regel", "u.s.w": "und so weiter",
        "C++": "C plus plus",
    },
    pairs={
        ("z", "B"): ("zum", "Beispiel"), ("Z", "B"): ("zum", "Beispiel"), ("d", "h"): ("das", "heißt"),
        ("u", "a"): ("unter", "anderem"), ("z", "T"): ("zum", "Teil"), ("v", "Chr"): ("vor", "Christus"),
        ("n", "Chr"): ("nach", "Christus"), ("o", "ä"): ("oder", "Ähnliches"), ("v", "a"): ("vor", "allem"),
        ("s", "o"): ("siehe", "oben"),
        ("s", "u"): ("siehe", "unten"),
    },
    starters=_STARTERS,
)  # fmt: skip

REGIONS = {
    "de-CH": replace(LANGUAGE, decimal=".", thousands="'"),
    "de-LI": replace(LANGUAGE, decimal=".", thousands="'"),
}
