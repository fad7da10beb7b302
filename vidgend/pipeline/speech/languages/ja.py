"""Japanese: numbers become kanji, which a reader of Japanese knows how to say before every counter."""

from __future__ import annotations

from vidgend.pipeline.speech.languages.grammar import num
from vidgend.pipeline.speech.languages.unspaced import Unspaced


def _cardinal(value: int) -> str:
    return num(value, "ja")


def _clock(hours: int, minutes: int) -> str:
    return f"{_cardinal(hours)}時{_cardinal(minutes) + '分' if minutes else ''}"


LANGUAGE = Unspaced(
    cardinal=_cardinal,
    counting=_cardinal,
    measures="個人本枚回",
    year=_cardinal,
    point="点",
    percent="{}パーセント",
    units={
        "km/h": "キロメートル毎時", "km": "キロメートル", "cm": "センチメートル", "mm": "ミリメートル",
        "m": "メートル",
        "kg": "キログラム", "mg": "ミリグラム", "g": "グラム", "ml": "ミリリットル", "mL": "ミリリットル",
        "L": "リットル", "l": "リットル",
        "℃": "度", "°C": "度", "°": "度", "kWh": "キロワット時", "kW": "キロワット", "MW": "メガワット",
        "W": "ワット", "MB": "メガバイト",
        "GB": "ギガバイト", "TB": "テラバイト", "GHz": "ギガヘルツ", "MHz": "メガヘルツ", "Hz": "ヘルツ",
        "m²": "平方メートル",
        "km²": "平方キロメートル", "ha": "ヘクタール", "kcal": "キロカロリー",
    },
    currencies={"¥": "{}円", "$": "{}ドル", "€": "{}ユーロ", "£": "{}ポンド", "₹": "{}ルピー"},
    date="{year}年{month}月{day}日",
    clock=_clock,
    minus="マイナス",
    to="から",
    symbols={
        "&": "アンド", "+": "プラス", "=": "イコール", "@": "アットマーク", "%": "パーセント", "×": "かける",
        "÷": "割る", "½": "二分の一",
    },
    addresses={"@": "アットマーク", ".": "ドット", "/": "スラッシュ", "-": "ハイフン", "_": "アンダーバー"},
)  # fmt: skip
