"""The word lists behind `speakable.py`. English only."""

from __future__ import annotations

SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "@": "at", "%": "percent", "×": "times", "÷": "divided by",
    "<": "less than", ">": "more than", "≤": "at most", "≥": "at least", "±": "plus or minus", "≈": "about",
    "°": "degrees", "$": "dollars", "€": "euros", "£": "pounds", "§": "section",
}  # fmt: skip
"""A symbol that stands alone, and its words. What is in no table is not said."""

INNER_SYMBOLS = {
    **SYMBOLS, "/": "", "<": "", ">": "", "~": "", "_": "", "-": "", "*": "", "^": "", "$": "dollars",
}  # fmt: skip
"""The same inside a word such as `R&D` or `2+2=4`."""

IN_ADDRESSES = {
    "@": " at ", ".": " dot ", "/": " slash ", ":": " ", "?": " ", "=": " ", "&": " and ", "_": " ", "-": " ",
    "#": " ",
}  # fmt: skip

BEFORE_CLEANING = {
    "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅛": " 1/8", "µ": "u", "μ": "u",
    "’": "'", "²": "2", "³": "3",
}  # fmt: skip
"""Characters that lose their sense when they are normalised. The space of a fraction is taken off a lone one."""

MARKS = (
    ("?", "?"), ("!", "!"), ("…", "…"), ("…", "..."), ("—", "—"), ("—", "–"), ("—", "--"), (".", "."),
    (":", ":"), (";", ";"), (",", ","),
)  # fmt: skip
"""The mark that is spoken, and how it may be written; the strongest first."""

LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon", "θ": "theta",
    "λ": "lambda", "π": "pi", "σ": "sigma", "Σ": "sigma", "φ": "phi", "ω": "omega", "Ω": "omega", "ß": "ss",
    "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ð": "th", "þ": "th", "ı": "i",
}  # fmt: skip
"""Letters outside ASCII that an English reader can say. Other scripts are not said."""

TITLES = {
    "Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor", "Capt": "Captain",
    "Lt": "Lieutenant", "Sgt": "Sergeant", "Col": "Colonel", "Gen": "General", "Gov": "Governor",
    "Sen": "Senator", "Rep": "Representative", "Rev": "Reverend", "Hon": "Honorable", "Mt": "Mount",
    "Ft": "Fort", "Messrs": "Messieurs", "Pres": "President",
}  # fmt: skip
"""With a dot: never the end of a sentence, a name follows."""

DOTTED = {
    "etc": "et cetera", "vs": "versus", "Jr": "Junior", "Sr": "Senior", "Inc": "Incorporated",
    "Ltd": "Limited", "Co": "Company", "Corp": "Corporation", "Dept": "Department", "Est": "Established",
    "est": "established", "approx": "approximately", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Bros": "Brothers", "Univ": "University", "Jan": "January", "Feb": "February", "Apr": "April",
    "Aug": "August", "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November",
    "Dec": "December", "ft": "feet", "lbs": "pounds", "lb": "pounds", "oz": "ounces", "hrs": "hours",
    "hr": "hour", "mins": "minutes", "min": "minutes", "secs": "seconds", "sec": "seconds", "ca": "circa",
}  # fmt: skip

BEFORE_NUMBERS = {
    "No": "Number", "no": "number", "Nos": "Numbers", "Fig": "Figure", "fig": "figure", "Figs": "Figures",
    "Ch": "Chapter", "ch": "chapter", "p": "page", "pp": "pages", "Vol": "Volume", "vol": "volume",
    "Sec": "Section", "Art": "Article", "Mar": "March", "Jun": "June", "Jul": "July", "Eq": "Equation",
    "c": "circa",
}  # fmt: skip

ALWAYS = {
    "w/": "with", "w/o": "without", "b/c": "because", "vs": "versus", "Ph.D": "P H D", "PhD": "P H D",
    "c/o": "care of", "n/a": "not applicable", "N/A": "not applicable", "e.g": "for example",
    "i.e": "that is", "C++": "C plus plus", "C#": "C sharp", "F#": "F sharp", "aka": "also known as",
}  # fmt: skip

SPELLED = {"US": "U S", "USA": "U S ay", "UK": "U K", "EU": "E U", "UN": "U N", "IT": "I T", "AI": "ay I"}
"""Capitals that are also small words, or that a phonemiser takes for one."""

_SENTENCE_STARTERS = """
A An And As At But By For From He Her His How I If In It Its Most My No Now On Once One Our She So
Some That The Their Then There These They This Those To Today We What When Where While Who Why With
Yet You Your
"""
SENTENCE_STARTERS = frozenset(_SENTENCE_STARTERS.split())
"""After `U.S.` or `etc.` one of these very likely starts a new sentence; a name does not."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_SHORT_MONTHS = """
Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec
"""
SHORT_MONTHS = frozenset(_SHORT_MONTHS.split())

HALF_DAYS = {"am": "a.m.", "pm": "p.m.", "a.m": "a.m.", "p.m": "p.m."}
"""With dots, since the phonemiser reads `am` as the verb."""

SCALE_WORDS = frozenset(("thousand", "million", "billion", "trillion"))
COUNTRIES = {"US": "U S", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "HK": "Hong Kong"}

_NUMBERED = """
War Part Chapter Volume Book Act Phase Type Mark Class Level Stage Episode Season Title Article Bowl
Apollo Rocky
"""
NUMBERED = frozenset(_NUMBERED.split())
_REGNAL = """
Henry Elizabeth Louis George Charles Edward William James Richard Napoleon John Paul Benedict Pius
Leo Gregory Ramesses Ramses Philip Catherine Peter Nicholas Alexander Frederick Wilhelm Otto Ivan
Darius Xerxes Francis Mary Innocent
"""
REGNAL = frozenset(_REGNAL.split())
"""Names that a Roman numeral makes a ruler of: Henry VIII is Henry the eighth, Apollo XI is Apollo eleven."""

_LETTERED = """
vitamin plan grade type group class letter option section part appendix hepatitis team point
"""
LETTERED = frozenset(_LETTERED.split())

UNITS = {
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "nm": ("nanometer", "nanometers"),
    "um": ("micrometer", "micrometers"), "mi": ("mile", "miles"), "ft": ("foot", "feet"),
    "yd": ("yard", "yards"), "in": ("inch", "inches"), "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"), "mg": ("milligram", "milligrams"), "ug": ("microgram", "micrograms"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"), "L": ("liter", "liters"), "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"), "s": ("second", "seconds"), "sec": ("second", "seconds"),
    "ms": ("millisecond", "milliseconds"), "min": ("minute", "minutes"), "h": ("hour", "hours"),
    "hr": ("hour", "hours"), "hrs": ("hour", "hours"), "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"), "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "MW": ("megawatt", "megawatts"),
    "GW": ("gigawatt", "gigawatts"), "kWh": ("kilowatt hour", "kilowatt hours"), "V": ("volt", "volts"),
    "KB": ("kilobyte", "kilobytes"), "kB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
    "Mbps": ("megabit per second", "megabits per second"), "fps": ("frame per second", "frames per second"),
    "px": ("pixel", "pixels"), "°": ("degree", "degrees"), "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"), "km2": ("square kilometer", "square kilometers"),
    "m2": ("square meter", "square meters"), "m3": ("cubic meter", "cubic meters"),
    "cm3": ("cubic centimeter", "cubic centimeters"), "ha": ("hectare", "hectares"),
    "kcal": ("kilocalorie", "kilocalories"), "dB": ("decibel", "decibels"),
    "bpm": ("beat per minute", "beats per minute"), "mpg": ("mile per gallon", "miles per gallon"),
}  # fmt: skip
"""One and many. Attached to a number, or the word after one."""

_CLEAR_UNITS = """
km/h mph kph m/s kWh GHz MHz kHz fps kcal Mbps °C °F km2 m2 m3
"""
CLEAR_UNITS = frozenset(_CLEAR_UNITS.split())
"""Units that are nothing else, so that they are said without a number before them too."""
