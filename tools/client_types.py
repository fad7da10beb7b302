"""Makes vidgend/client/types.py, what the API takes and answers as typed dictionaries, from the OpenAPI document.

    python tools/client_types.py > vidgend/client/types.py

A test compares the two, so they cannot drift apart.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

HEAD = '''\
"""What the API takes and answers, as typed dictionaries. Made by tools/client_types.py from the OpenAPI document.

A newer daemon may answer with more fields. What is `NotRequired` is left out where there is nothing to say.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict
'''
_WIDTH = 120
_SIMPLE = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
}


def python_name(schema_name: str) -> str:
    """`StatusView` is an answer and needs no addition."""
    return schema_name.removesuffix("View")


def python_type(schema: Mapping[str, Any]) -> str:
    """The type of the values that a schema describes."""
    if "$ref" in schema:
        return python_name(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"Literal[{_quoted(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(_quoted(one) for one in schema['enum'])}]"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(python_type(one) for one in schema[key]))
    if len(schema.get("allOf", ())) == 1:
        return python_type(schema["allOf"][0])
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(python_type({**schema, "type": one}) for one in kind)
    if kind == "array":
        return f"list[{python_type(schema.get('items', {}))}]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"dict[str, {python_type(schema['additionalProperties'])}]"
    return _SIMPLE.get(str(kind), "Any")


def _quoted(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def class_of(name: str, schema: Mapping[str, Any]) -> str:
    """The class for an object schema."""
    if any(map(iskeyword, schema.get("properties", {}))):
        return _called(name, schema)
    required = set(schema.get("required", ()))
    lines = [f"class {python_name(name)}(TypedDict):"]
    for field, one in schema.get("properties", {}).items():
        kind = python_type(one)
        lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
        if one.get("description"):
            lines += _docstring(one["description"])
    return "\n".join(lines if len(lines) > 1 else [*lines, "    pass"])


def _called(name: str, schema: Mapping[str, Any]) -> str:
    """The same as a call, which takes names that a class cannot have, but no descriptions."""
    required = set(schema.get("required", ()))
    kinds = {field: python_type(one) for field, one in schema["properties"].items()}
    fields = {field: kind if field in required else f"NotRequired[{kind}]" for field, kind in kinds.items()}
    inside = ", ".join(f"{_quoted(field)}: {_quoted(kind)}" for field, kind in fields.items())
    return f"{python_name(name)} = TypedDict({_quoted(python_name(name))}, {{{inside}}})"


def _docstring(text: str) -> list[str]:
    words = re.sub(r"\s+", " ", text).strip().replace("\\", "\\\\")
    lines, line = [], '    """'
    for word in words.split(" "):
        if len(line) + len(word) + 4 > _WIDTH:
            lines.append(line.rstrip())
            line = "    "
        line += f"{word} "
    return [*lines, f'{line.rstrip()}"""']


def used_schemas(document: Mapping[str, Any]) -> set[str]:
    """The names of the schemas of bodies and answers, and of what these are made of."""
    schemas, found = document["components"]["schemas"], set[str]()
    calls = [call for path in document["paths"].values() for call in path.values()]
    left = _references([(call.get("requestBody"), call["responses"]) for call in calls])
    while left:
        found |= left
        left = _references([schemas[name] for name in left]) - found
    return found


def _references(value: Any) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(value)))


def module(document: Mapping[str, Any]) -> str:
    """The whole file for an OpenAPI document."""
    schemas = document["components"]["schemas"]
    names = sorted(name for name in used_schemas(document) if schemas[name].get("properties"))
    return HEAD + "".join(f"\n\n{class_of(name, schemas[name])}\n" for name in names)


def current() -> str:
    """The file as it should be."""
    from vidgend.http.app import OPERATIONS
    from vidgend.http.openapi import document

    text = module(document(OPERATIONS, version="", needs_key=False))
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "types.py", "-"]
    return subprocess.run(ruff, input=text, text=True, capture_output=True, check=True).stdout


if __name__ == "__main__":
    sys.stdout.write(current())
