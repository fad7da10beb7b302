"""What all answers have in common: how they are made, how they become JSON, and what the document says of them.

A field without a default is in every answer, as null if there is nothing to say. A field that may be missing has a
default, and is missing unless it was given; one made with `absent` is missing also where it was given as None.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from vidgend.http.answers import json_bytes


def _more_may_come(schema: dict[str, Any]) -> None:
    """Fields may be added to an answer, so the document does not say that there are no others."""
    schema.pop("additionalProperties", None)


def _never_null(schema: dict[str, Any]) -> None:
    """A field that is missing where it has no value is never null."""
    schema.pop("default", None)
    kinds = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
    if len(kinds) == 1:
        schema |= kinds[0]
    elif kinds:
        schema["anyOf"] = kinds


def absent(description: str) -> Any:
    """A field that is left out where it is None."""
    return Field(default=None, description=description, json_schema_extra=_never_null)


class View(BaseModel):
    """An answer, or a part of one. The builders make it with `model_construct`: the values are our own and need no
    check, and a text with half of a surrogate pair, which pydantic takes for none, must not fail the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_more_may_come)

    _left_out: ClassVar[tuple[str, ...]] = ()
    """Fields that are left out where they are None."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._left_out = tuple(
            name for name, field in cls.model_fields.items() if field.json_schema_extra is _never_null
        )

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # type: ignore[override]
        """Several times as fast as pydantic's own, which looks for aliases and fills in defaults. What is not given is
        not there."""
        for name in cls._left_out:
            if values.get(name) is None:
                values.pop(name, None)
        made = cls.__new__(cls)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_fields_set__", _fields_set or set(values))
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


_set = object.__setattr__  # since views are frozen


AnyView = TypeVar("AnyView", bound=View)


def with_members(view: AnyView, members: dict[str, Any]) -> AnyView:
    """The same view with members that its class does not know. For classes with `extra="allow"`."""
    made = view.model_copy()
    _set(made, "__pydantic_extra__", members)
    return made


def dump(view: BaseModel) -> dict[str, Any]:
    """As JSON values."""
    return view.model_dump(by_alias=True, exclude_unset=True, warnings=False)


def dump_json(view: BaseModel) -> bytes:
    """As UTF-8 JSON and a line's end. Not by pydantic, which takes no half of a surrogate pair."""
    return json_bytes(dump(view))


Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC, whole seconds."""
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
"""Always absolute."""
