"""What pydantic finds wrong with settings and requests, in the words of those who write them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

_PLAIN = {
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "extra_forbidden": "no such field",
    "missing": "this field is required",
    "none_required": "must be left out or null",
    "ip_v4_network": "not a network such as 192.168.1.0/24",
    "ip_v6_network": "not a network such as 192.168.1.0/24",
}


def in_words(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """`kind`, `message` and `context` are `type`, `msg` and `ctx` of one of pydantic's errors."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "too_short":
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"at least {least} items, not {context['actual_length']}"
    if kind == "too_long":
        most, there = context["max_length"], context["actual_length"]
        return f"at most {most} items" + (f", not {there}" if there is not None else "")
    return message.removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean fps?`, or nothing if no known name is like it."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""
