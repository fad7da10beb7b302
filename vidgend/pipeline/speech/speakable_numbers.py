"""The shapes in which texts of any language write numbers, and what is said for each. Pure.

A number may be spread over several written words (`1 250,50 €`): `quantity` answers for all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from vidgend.pipeline.speech.languages.grammar import Here, Language
from vidgend.pipeline.speech.speakable_counts import counted
from vidgend.pipeline.speech.speakable_number import HALVES, Number, count, part


def lone_number(core: str, language: Language) -> str | None:
    """The words for a number that stands by itself or inside a word."""
    said = quantity([core], [""], 0, language)
    return said[0] if said else None


def quantity(cores: Sequence[str], closings: Sequence[str], index: int, language: Language) -> list[str] | None:
    """What is said for the words from `index` on that make one number with what it counts; None if there is none."""
    here = _here(cores, closings, index)
    spoken = _time(here, language) or _date(here, language) or _ordinal(here, language) or _fraction(here, language)
    return spoken or counted(cores, closings, index, language)


def _here(cores: Sequence[str], closings: Sequence[str], index: int) -> Here:
    around = [cores[at] if 0 <= at < len(cores) else "" for at in range(index - 2, index + 3)]
    return Here(
        before_that=around[0],
        before=around[1],
        core=around[2],
        after=around[3],
        after_that=around[4],
        next_to=not closings[index],
    )


def _time(here: Here, language: Language) -> list[str] | None:
    follows = here.next_to and here.after in language.hour_words
    marks = language.clock_marks + ("." if follows or here.before.lower() in language.hour_words else "")
    match = re.fullmatch(rf"(\d{{1,2}})([{marks}])([0-5]\d)(?::[0-5]\d)?(?:h|min|m)?", here.core)
    if not match and here.before in language.hour_words and here.before_that.isdecimal():
        return [language.cardinal(int(here.core), "")] if re.fullmatch(r"0\d", here.core) else None  # 8 h 05
    if not match or int(match[1]) > 24:
        return None
    follows = follows and match[2] != "h"
    start, rest = language.clock(int(match[1]), int(match[3]), follows)
    return [start, rest] if follows else [f"{start} {rest}".strip()]


def _date(here: Here, language: Language) -> list[str] | None:
    iso = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", here.core)
    dots = "." if language.dotted_dates else ""
    written = re.fullmatch(rf"(\d{{1,2}})([/\-{dots}])(\d{{1,2}})\2(\d{{4}}|\d\d)", here.core)
    if iso:
        year, month, day = int(iso[1]), int(iso[2]), int(iso[3])
    elif written:
        day, month, year = int(written[1]), int(written[3]), int(written[4])
        if month > 12:
            day, month = month, day
        if len(written[4]) == 2:
            year += 2000 if year < 50 else 1900
    else:
        return _without_year(here, language)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    named_month = language.months[month - 1]
    return [language.date.format(day=language.day(day, here), month=named_month, year=language.year(year))]


def _without_year(here: Here, language: Language) -> list[str] | None:
    """`12/04`, and the first of a month that is written out."""
    short = re.fullmatch(r"(\d{1,2})/(0[1-9])", here.core)
    if short and 1 <= int(short[1]) <= 31:
        beginning = language.date.partition("{month}")[0]
        return [beginning.format(day=language.day(int(short[1]), here)) + language.months[int(short[2]) - 1]]
    month = here.after_that if language.date_of and here.after.lower() == language.date_of else here.after
    if here.core in ("1", "01") and here.next_to and month.lower() in map(str.lower, language.months):
        return [language.day(1, here)]
    return None


def _ordinal(here: Here, language: Language) -> list[str] | None:
    match = re.fullmatch(r"(\d{1,4})\.?([^\W\d_]+|[ºª])", here.core)
    if match and int(match[1]) and match[2] in language.ordinal_marks:
        gender = language.ordinal_marks[match[2]]
        if gender == "m" and "short" in language.ordinal_marks.values() and _noun_after(here, language) == "m":
            gender = "short"
        return [language.ordinal(int(match[1]), gender)]
    degree = re.fullmatch(r"(\d{1,2})°", here.core)
    if degree and "º" in language.ordinal_marks and 0 < int(degree[1]) <= 12:
        noun = _noun_after(here, language)
        if noun:
            return _ordinal(replace(here, core=f"{degree[1]}{'ª' if noun == 'f' else 'º'}"), language)
    return None


def _noun_after(here: Here, language: Language) -> str:
    """The gender of the noun behind, "" if none is."""
    return language.gender(here.after) if here.next_to and here.after.islower() else ""


def _fraction(here: Here, language: Language) -> list[str] | None:
    match = re.fullmatch(rf"(\d*)([{''.join(HALVES)}])", here.core)
    top, bottom = HALVES[match[2]] if match else (0, 0)
    whole = match[1] if match else ""
    if not match:
        match = re.fullmatch(r"(\d)/(\d{1,2})", here.core)
        if not match:
            return None
        top, bottom = int(match[1]), int(match[2])
    spoken = part(top, bottom, language.gender(here.after) if here.next_to and here.after else "", language)
    if not spoken:
        return None
    if here.before.isdecimal():  # 1 1/2
        return [language.and_half if (top, bottom) == (1, 2) else f"{language.and_part} {spoken}".strip()]
    if not whole:
        return [spoken]
    if (top, bottom) == (1, 2):
        joined = "" if language.and_half.startswith(" ") else "m"  # zweieinhalb
        return [f"{count(Number(whole), language, joined)}{language.and_half}"]
    return [f"{count(Number(whole), language)} {language.and_part} {spoken}"]
