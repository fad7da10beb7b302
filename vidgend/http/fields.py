"""The kinds of values that clients send, each checked and described alike in all bodies and queries.

A number, a text and a yes or no are what JSON has for them: `"1"` is no number and `"yes"` no truth. The patterns mean
the same to pydantic, to ECMAScript (which JSON Schema follows) and to whoever makes up requests from the document.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
)

from vidgend.pipeline.captions.presets import PRESETS
from vidgend.pipeline.styles import STYLES
from vidgend.pipeline.vocabulary import has_words
from vidgend.setting_types import NO_NUL

MAX_SCENES = 200
LETTER = r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xa9]"
"""A letter or digit, or a sign beyond ASCII: not all that read patterns know `\\p{L}`, which could tell them apart."""
_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f\ufeff]"


class Body(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _integral(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_rate(value: float | str) -> float | str:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,4}|/[0-9]{1,6})?", value):
        raise ValueError(f"not a frame rate: {value[:40]!r}")
    return value


def _searchable(text: str) -> str:
    if not has_words(text):
        raise ValueError("must hold a letter or digit to search for")
    return text.strip()


Flag = StrictBool
Real = StrictFloat
"""Whole numbers are real ones, too."""
_WHOLE = BeforeValidator(_integral)
"""JSON has one kind of number: 3.0 is 3. Bounds stand before it, or pydantic's schema does not know them."""
SceneNumber = Annotated[StrictInt, Field(ge=1, le=MAX_SCENES), _WHOLE]
SceneCount = Annotated[StrictInt, Field(ge=0, le=MAX_SCENES), _WHOLE]
VersionNumber = Annotated[StrictInt, Field(ge=1, le=999_999_999), _WHOLE]
Priority = Annotated[StrictInt, Field(ge=-100, le=100), _WHOLE]
Seed = Annotated[StrictInt, Field(ge=0, le=2**31 - 1), _WHOLE]
PerQuery = Annotated[StrictInt, Field(ge=1, le=20), _WHOLE]

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Query = Annotated[
    str, StringConstraints(max_length=200, pattern=rf"^[^\x00]*{LETTER}[^\x00]*$"), AfterValidator(_searchable)
]
"""Words to search for: a letter or digit among them."""
Narration = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
Author = Annotated[
    str, StringConstraints(max_length=100, pattern=rf"^[^\x00]*{_VISIBLE}[^\x00]*$"), AfterValidator(str.strip)
]
AssetId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Of an upload: the SHA-256 of its bytes."""
VoiceName = Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)]
Mood = Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]
FontName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
# What these may be is told by the document alone: a name that there is not has an error of its own, which lists them.
StyleName = Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(STYLES)})]
PresetName = Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(PRESETS)})]
_RATES = r"^0{0,3}([1-9][0-9]?|1[01][0-9])(\.[0-9]{1,4})?$|^0{0,3}120(\.0{1,4})?$|^[0-9]{1,6}/[0-9]{1,6}$"
_AnyFps = (
    Annotated[Real, Field(json_schema_extra={"minimum": 1, "maximum": 120})]
    | Annotated[str, Field(json_schema_extra={"pattern": _RATES})]
)
Fps = Annotated[_AnyFps, AfterValidator(_written_rate)]
"""What is out of range, `parse_fps` says better; the document says which that is."""
_WEB = r'^[Hh][Tt][Tt][Pp][Ss]?://([^\s\x00-\x20/?#@\\:\[\]%<>"^`{|}]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][^\s\x00-\x20]*)?$'
CallbackUrl = Annotated[str, StringConstraints(max_length=2000, pattern=_WEB)]
MediaUrl = Annotated[str, StringConstraints(max_length=8000, pattern=_WEB)]


def unset(*names: str) -> dict[str, Any]:
    """A schema for objects where these fields say nothing."""
    return {"properties": {name: {"type": "null"} for name in names}}


def given(name: str, *others: str, **like: Any) -> dict[str, Any]:
    """A schema for objects that have the field `name`, of the type or otherwise as `like` says, and none of the
    others."""
    return {"required": [name], "properties": {name: like, **{other: {"type": "null"} for other in others}}}


def not_both(first: str, second: str) -> dict[str, Any]:
    """A schema for objects where one of these fields says nothing."""
    return {"anyOf": [unset(first), unset(second)]}
