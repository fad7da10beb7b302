"""Chinese (Mandarin)."""

from __future__ import annotations

import re

from vidgend.pipeline.speech.languages.unspaced import Unspaced

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿")


def _below_myriad(value: int) -> str:
    said = "".join(
        _DIGITS[int(digit)] + (_PLACES[place] if digit != "0" else "")
        for digit, place in zip(f"{value:04d}", (3, 2, 1, 0), strict=True)
    )
    return re.sub("零+", "零", said).strip("零")


def _cardinal(value: int) -> str:
    groups = [(value // 10_000**power) % 10_000 for power in range(len(_MYRIADS))]
    said = ""
    for power in reversed(range(len(groups))):
        if groups[power]:
            gap = said and (groups[power] < 1000 or groups[power + 1] % 10 == 0)
            said += ("零" if gap else "") + _below_myriad(groups[power]) + _MYRIADS[power]
    return re.sub("^一十", "十", re.sub("(?:^|(?<=零))二(?=[千万亿])", "两", said)) or "零"


def _counting(value: int) -> str:
    return "两" if value == 2 else _cardinal(value)


def _year(value: int) -> str:
    return "".join(_DIGITS[int(digit)] for digit in str(value))


def _clock(hours: int, minutes: int) -> str:
    hour = f"{_counting(hours)}点"
    return hour if not minutes else f"{hour}{'零' if minutes < 10 else ''}{_cardinal(minutes)}分"


LANGUAGE = Unspaced(
    cardinal=_cardinal,
    counting=_counting,
    measures="个位名次天种家座条只张本台辆杯岁倍",
    year=_year,
    point="点",
    percent="百分之{}",
    units={
        "km/h": "公里每小时", "km": "公里", "cm": "厘米", "mm": "毫米", "m": "米", "kg": "公斤", "mg": "毫克",
        "g": "克",
        "ml": "毫升", "mL": "毫升", "L": "升", "l": "升", "℃": "摄氏度", "°C": "摄氏度", "°": "度", "kWh": "千瓦时",
        "kW": "千瓦",
        "MW": "兆瓦", "W": "瓦", "MB": "兆字节", "GB": "吉字节", "TB": "太字节", "GHz": "吉赫兹", "MHz": "兆赫兹",
        "Hz": "赫兹",
        "m²": "平方米", "km²": "平方公里", "ha": "公顷", "kcal": "千卡",
    },
    currencies={"¥": "{}元", "$": "{}美元", "€": "{}欧元", "£": "{}英镑", "₹": "{}卢比"},
    date="{year}年{month}月{day}日",
    clock=_clock,
    minus="负",
    to="到",
    symbols={"&": "和", "+": "加", "=": "等于", "@": "艾特", "%": "百分之", "×": "乘", "÷": "除以", "½": "二分之一"},
    addresses={"@": "艾特", ".": "点", "/": "斜杠", "-": "杠", "_": "下划线"},
)  # fmt: skip
