"""Portuguese of Brazil, and of Portugal."""

from __future__ import annotations

import re
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language, before_noun, day_with_first, endings, num


def _counting(code: str, value: int, gender: str) -> str:
    spoken = num(value, code)
    if gender != "f":
        return spoken
    # What stands before a million stays masculine: dois milhões e duas mil pessoas.
    millions = re.search(r".*(?:lhão|lhões|lião|liões)\b", spoken)
    start = millions.end() if millions else 0
    tail = re.sub(r"entos\b", "entas", spoken[start:])
    return spoken[:start] + re.sub(r"\bum\b", "uma", re.sub(r"\bdois\b", "duas", tail))


def _brazilian(value: int, gender: str) -> str:
    return _counting("pt_BR", value, gender)


def _european(value: int, gender: str) -> str:
    return _counting("pt", value, gender)


def _ordinal(value: int, gender: str) -> str:
    if value >= 1000:
        return _brazilian(value, gender)
    spoken = num(value, "pt", "ordinal")
    return re.sub(r"o\b", "a", spoken) if gender == "f" else spoken


def _clock(hours: int, minutes: int, named: bool) -> tuple[str, str]:
    hour = _brazilian(hours, "f")
    if minutes:
        return f"{hour} e {_brazilian(minutes, '')}", "horas" if named else ""
    return hour, "hora" if hours == 1 else "horas"


_ARTICLES = frozenset("a o na no da do pela pelo à ao".split())
_gender = endings(
    "a|as|ção|ções|são|sões|dade|dades|gem|gens|vez|vezes|noite|noites|parte|partes|mulher|mulheres|"
    "cidade|cidades|classe|flores",
    "dia dias problema problemas programa programas sistema sistemas tema temas idioma idiomas clima planeta "
    "planetas mapa mapas poema poemas cinema quilogramas grama gramas miligrama quilograma metros",
    "a à ao aos as às até cada com como contra da das de desde do dos e é ela elas ele em entre era essa esta "
    "está eu foi há isso já lhe mais mas na nas nem no nos o ou para pela pelas pelo pelos por porque quando "
    "que quem são se sem ser seu sob sobre sua suas tem ter uma um vai mil",
)
_KINGS = frozenset(
    """Luís Carlos Henrique Filipe Felipe Napoleão Jorge João Paulo Bento Pio Leão Gregório Ramsés Nicolau Alexandre
    Frederico Guilherme Eduardo Afonso Sancho Dinis Pedro Fernando Manuel Sebastião José Miguel Francisco Ricardo
    Otão Ivan Inocêncio Urbano Clemente""".split()
)
_QUEENS = frozenset("Isabel Elizabeth Catarina Maria Margarida Cristina Cleópatra".split())


def _roman(value: int, here: Here) -> str | None:
    if here.before in _QUEENS:
        return _ordinal(value, "f") if value <= 10 else _brazilian(value, "")
    if here.before in _KINGS or here.before.lower() in ("século", "séculos", "séc", "sécs"):
        return _ordinal(value, "m") if value <= 10 else _brazilian(value, "")
    return before_noun(value, here, _ARTICLES, _gender, _ordinal)


LANGUAGE = Language(
    cardinal=_brazilian,
    ordinal=_ordinal,
    gender=_gender,
    year=lambda value: _brazilian(value, ""),
    clock=_clock,
    day=day_with_first("primeiro", _brazilian),
    roman=_roman,
    of=lambda noun: f"de {noun}",
    months=tuple("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro".split()),
    date="{day} de {month} de {year}",
    date_of="de",
    marks={",": "vírgula", ".": "ponto"},
    units={
        "km": ("quilômetro", "quilômetros"), "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"), "nm": ("nanômetro", "nanômetros"), "kg": ("quilograma", "quilogramas"),
        "g": ("grama", "gramas"), "mg": ("miligrama", "miligramas"), "t": ("tonelada", "toneladas"),
        "l": ("litro", "litros"), "L": ("litro", "litros"), "ml": ("mililitro", "mililitros"),
        "s": ("segundo", "segundos"),
        "min": ("minuto", "minutos"), "h": ("hora", "horas"), "km/h": ("quilômetro por hora", "quilômetros por hora"),
        "m/s": ("metro por segundo", "metros por segundo"), "Hz": ("hertz", "hertz"),
        "MHz": ("mega-hertz", "mega-hertz"),
        "GHz": ("giga-hertz", "giga-hertz"), "W": ("watt", "watts"), "kW": ("quilowatt", "quilowatts"),
        "MW": ("megawatt", "megawatts"), "GW": ("gigawatt", "gigawatts"),
        "kWh": ("quilowatt-hora", "quilowatts-hora"),
        "V": ("volt", "volts"), "kB": ("quilobyte", "quilobytes"), "KB": ("quilobyte", "quilobytes"),
        "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
        "°": ("grau", "graus"), "°C": ("grau Celsius", "graus Celsius"), "ºC": ("grau Celsius", "graus Celsius"),
        "°F": ("grau Fahrenheit", "graus Fahrenheit"), "m²": ("metro quadrado", "metros quadrados"),
        "km²": ("quilômetro quadrado", "quilômetros quadrados"), "m³": ("metro cúbico", "metros cúbicos"),
        "ha": ("hectare", "hectares"), "kcal": ("quilocaloria", "quilocalorias"), "dB": ("decibel", "decibéis"),
    },
    percent="por cento",
    permille="por mil",
    currencies={
        "R$": ("real", "reais", "centavo", "centavos"), "€": ("euro", "euros", "centavo", "centavos"),
        "EUR": ("euro", "euros", "centavo", "centavos"), "$": ("dólar", "dólares", "centavo", "centavos"),
        "US$": ("dólar", "dólares", "centavo", "centavos"), "USD": ("dólar", "dólares", "centavo", "centavos"),
        "£": ("libra", "libras", "pêni", "pence"), "¥": ("iene", "ienes", "sen", "sen"),
        "₹": ("rupia", "rupias", "paisa", "paisas"),
    },
    cents="e {number} {part}",
    scales={
        "mil": ("mil", "mil"), "milhão": ("milhão", "milhões"), "milhões": ("milhão", "milhões"),
        "bilhão": ("bilhão", "bilhões"), "bilhões": ("bilhão", "bilhões"), "trilhão": ("trilhão", "trilhões"),
        "trilhões": ("trilhão", "trilhões"), "mi": ("milhão", "milhões"), "bi": ("bilhão", "bilhões"),
        "M": ("milhão", "milhões"), "k": ("mil", "mil"),
    },
    hour_words=frozenset(("h", "hrs", "horas", "hora")),
    fractions={
        2: ("meio", "meios"), 3: ("terço", "terços"), 4: ("quarto", "quartos"), 5: ("quinto", "quintos"),
        6: ("sexto", "sextos"), 7: ("sétimo", "sétimos"), 8: ("oitavo", "oitavos"), 9: ("nono", "nonos"),
        10: ("décimo", "décimos"), 100: ("centésimo", "centésimos"),
    },
    half={"": "meio", "f": "meia"},
    and_half=" e meio",
    and_part="e",
    minus="menos",
    signs={"+": "mais", "±": "mais ou menos", "~": "cerca de", "≈": "cerca de"},
    to="a",
    per="por",
    ordinal_marks={"º": "m", "ª": "f", "o": "m", "a": "f"},
    numbered=frozenset(
        "capítulo parte tomo volume ato fase guerra mundial livro título artigo nível tipo classe episódio".split()
    ),
    joints=frozenset(("e", "ao", "a", "ou")),
    symbols={
        "&": "e", "+": "mais", "=": "igual a", "@": "arroba", "%": "por cento", "×": "vezes", "÷": "dividido por",
        "<": "menor que", ">": "maior que", "≤": "menor ou igual a", "≥": "maior ou igual a", "±": "mais ou menos",
        "≈": "cerca de", "°": "graus", "€": "euros", "$": "dólares", "£": "libras", "§": "parágrafo",
    },
    addresses={
        "@": "arroba", ".": "ponto", "/": "barra", "-": "hífen", "_": "sublinhado", ":": "dois pontos", "?": "",
        "=": "", "&": "e",
        "#": "",
    },
    number_sign="número",
    hashtag="hashtag",
    spelled=frozenset(("UE", "USA", "IA", "DNA")),
    titles={
        "Av": "avenida", "av": "avenida", "R": "rua",
        "Sr": "senhor", "Sra": "senhora", "Srs": "senhores", "Srta": "senhorita", "Dr": "doutor", "Dra": "doutora",
        "D": "dom", "Prof": "professor", "Profa": "professora", "Eng": "engenheiro", "Exmo": "excelentíssimo",
        "Sto": "santo",
        "Sta": "santa", "Gen": "general", "Cap": "capitão", "Pe": "padre",
    },
    dotted={
        "etc": "etcétera", "aprox": "aproximadamente",
        "tel": "telefone",
        "Tel": "telefone", "máx": "máximo", "mín": "mínimo", "ed": "edição", "Cia": "companhia", "Ltda": "limitada",
    },
    before_numbers={
        "n.º": "número", "nº": "número", "N.º": "número", "Nº": "número", "n°": "número", "N°": "número",
        "p": "página",
        "pág": "página", "págs": "páginas", "pp": "páginas", "cap": "capítulo", "art": "artigo", "Art": "artigo",
        "vol": "volume", "fig": "figura", "Fig": "figura", "séc": "século", "sécs": "séculos",
    },
    always={
        "p.ex": "por exemplo", "a.C": "antes de Cristo", "d.C": "depois de Cristo", "vs": "versus",
        "C++": "C mais mais",
        "EUA": "Estados Unidos", "Prof.ª": "professora", "Dr.ª": "doutora", "Sr.ª": "senhora",
    },
    pairs={
        ("p", "ex"): ("por", "exemplo"), ("a", "C"): ("antes de", "Cristo"), ("d", "C"): ("depois de", "Cristo"),
    },
)  # fmt: skip


def _portugal(names: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {unit: (one.replace("ô", "ó"), many.replace("ô", "ó")) for unit, (one, many) in names.items()}


REGIONS = {
    "pt-PT": replace(
        LANGUAGE,
        cardinal=_european,
        year=lambda value: _european(value, ""),
        day=day_with_first("um", _european),
        units=_portugal(dict(LANGUAGE.units)),
        currencies={**LANGUAGE.currencies, "€": ("euro", "euros", "cêntimo", "cêntimos")},
    ),
}
