"""Where text may be cut: grapheme clusters, and the line breaking of scripts that use no spaces. Pure.

Chinese and Japanese follow the usual rules (kinsoku): no line begins with a closing mark, a small kana or a mark that
belongs to what stands before it, none ends with an opening one. Thai and its kin are only kept from being cut inside a
syllable's marks: their words need a dictionary.
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

_SMALL_KANA = "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶｧｨｩｪｫｬｭｮｯ"
_MARKS = "、。，．・：；！？!?,.:;%％‰℃°…‥ーｰ～〜々〻ゝゞヽヾ｡､･ﾞﾟ）］｝〕〉》」』】〗〙〟"
_NEVER_FIRST = frozenset(_SMALL_KANA + _MARKS)
_NEVER_LAST = frozenset("$£¥€＄￥￡№#＃@＠〝（［｛〔〈《「『【〖〘")
_INSEPARABLE = frozenset("…‥—―〳〴〵")
_THAI_LEADING = frozenset("เแโใไເແໂໃໄ")
_THAI_TRAILING = frozenset("ะาำๅๆฯະາຳໆຯ")
_JOINERS = "\u200c\u200d"


def is_joined(char: str) -> bool:
    """Whether `char` belongs to the character before it: marks, joiners, skin tones."""
    return (
        category(char)[0] == "M" or char in _JOINERS or char in _THAI_TRAILING or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def clusters(text: str) -> list[str]:
    """What a reader takes for one character each."""
    found: list[str] = []
    for char in text:
        if found and (
            is_joined(char)
            or found[-1][-1] == "\u200d"
            or found[-1] in _THAI_LEADING
            or (len(found[-1]) == 1 and min(char, found[-1]) >= "\U0001f1e6" and max(char, found[-1]) <= "\U0001f1ff")
        ):
            found[-1] += char
        else:
            found.append(char)
    return found


def width(text: str) -> float:
    """Room that a text takes, in ordinary letters: full-width ones two, capitals and the like more than one."""
    return sum(
        0.0
        if category(char) in ("Mn", "Me", "Cf")
        else 2.0
        if east_asian_width(char) in "WF"
        else 1.5
        if char in "WMQ@%"
        else 1.25
        if char.isupper()
        else 1.0
        for char in text
    )


def reading_length(text: str) -> int:
    """Characters that a reader must take in; a full-width one is worth two letters."""
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _is_ideographic(char: str) -> bool:
    return east_asian_width(char) in "WF" and not ("\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff")


def _may_break(left: str, right: str) -> bool:
    before, after = left[-1], right[0]
    if not (_is_ideographic(left[0]) or _is_ideographic(after)):
        return False
    if (
        after in _NEVER_FIRST
        or category(after) in ("Pe", "Pf")
        or before in _NEVER_LAST
        or category(before) in ("Ps", "Pi")
    ):
        return False
    return not (before in _INSEPARABLE and after in _INSEPARABLE)


def tokens(text: str) -> list[str]:
    """A word cut wherever a line may end inside it; one token where it may not."""
    found: list[str] = []
    for cluster in clusters(text):
        if found and not _may_break(found[-1], cluster):
            found[-1] += cluster
        else:
            found.append(cluster)
    return found


def cut(text: str, most: float) -> list[str]:
    """`text` in parts of at most that width, cut between clusters. For words that no line can hold."""
    parts, room = [""], most
    for cluster in clusters(text):
        size = width(cluster)
        if parts[-1] and size > room:
            parts.append("")
            room = most
        parts[-1] += cluster
        room -= size
    return parts


def _kind(char: str) -> str:
    if "\u3040" <= char <= "\u309f":
        return "hiragana"
    if "\u30a0" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9f":
        return "katakana"
    return "han" if _is_ideographic(char) else "other"


_COSTS = {
    ("hiragana", "han"): 3.0,
    ("hiragana", "katakana"): 3.0,
    ("hiragana", "other"): 3.0,
    ("katakana", "katakana"): 14.0,
    ("han", "hiragana"): 12.0,
    ("han", "katakana"): 4.0,
    ("katakana", "han"): 5.0,
    ("other", "other"): 12.0,
}


def inner_cost(left: str, right: str) -> float:
    """How bad it is to break inside a word that has no spaces: a change of script is most often a word's border."""
    return _COSTS.get((_kind(left[-1]), _kind(right[0])), 8.0)
