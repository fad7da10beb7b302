"""Which fields there are where a request has one that there is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel


def known_fields(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The names of the fields that could stand at `loc`, pydantic's place of an error, which also names the members of
    unions."""
    models = [model]
    for step in loc[:-1]:
        below = [
            one.model_fields[step].annotation for one in models if isinstance(step, str) and step in one.model_fields
        ]
        models = [found for annotation in below for found in _models_in(annotation)] or models
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
