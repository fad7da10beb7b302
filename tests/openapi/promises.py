"""What the OpenAPI document promises, as lines: a line that goes is a promise that is broken, a new one is none.

`python tests/openapi/promises.py` writes them down anew, after a change that is meant.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from vidgend.http.app import OPERATIONS
from vidgend.http.openapi import document

PLACE = Path(__file__).with_name("promises.txt")
_CODE = re.compile(r"`(\w+)`: ")
_METHODS = ("get", "post", "patch", "put", "delete")


def published() -> dict[str, Any]:
    """The document of a server that asks for keys, as its clients have it."""
    return json.loads(json.dumps(document(OPERATIONS, version="0", needs_key=True)))  # type: ignore[no-any-return]


def promises(told: Mapping[str, Any]) -> list[str]:
    """One line for each thing that a client may send, and for each that it may rely on in an answer."""
    found: dict[str, None] = {}
    schemas = told["components"]["schemas"]
    for path, operations in told["paths"].items():
        for method in _METHODS:
            if method in operations:
                name = f"{method.upper()} {path}"
                found |= dict.fromkeys(f"{name} {line}" for line in _operation(operations[method], schemas))
    return sorted(found)


def _operation(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f"is called {told['operationId']}"
    for parameter in told.get("parameters", ()):
        for line in _taken(parameter["schema"], schemas, f"{parameter['in']} {parameter['name']}", ()):
            yield f"takes {line}"
    for kind, media in told.get("requestBody", {}).get("content", {}).items():
        for line in _taken(media["schema"], schemas, kind, ()):
            yield f"takes {line}"
    for status, answer in told["responses"].items():
        kinds = answer.get("content", {})
        yield f"answers {status} {', '.join(kinds) or 'without content'}"
        yield from (f"answers {status} {code}" for code in _CODE.findall(answer["description"]))
        if status.startswith("2"):
            for media in kinds.values():
                for line in _given(media.get("schema", {}), schemas, "", ()):
                    yield f"answers {status} with {line}"
        for link in answer.get("links", {}).values():
            yield f"answers {status} with a link to {link['operationId']}"


def _forms(schema: Mapping[str, Any], schemas: Mapping[str, Any], seen: tuple[str, ...]) -> Iterator[Any]:
    """Each form of a value without its references, and the references that led there."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _forms(schemas[name], schemas, (*seen, name))
        return
    forms = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if "type" not in schema and forms:
        for form in forms:
            yield from _forms(form, schemas, seen)
    else:
        yield schema, seen


def _taken(schema: Mapping[str, Any], schemas: Mapping[str, Any], at: str, seen: tuple[str, ...]) -> Iterator[str]:
    for form, way in _forms(schema, schemas, seen):
        kind = form.get("type", "anything")
        if form.get("required"):
            yield f"{at}: {kind} that needs {', '.join(sorted(form['required']))}"
        elif "enum" in form or "const" in form:
            yield from (f"{at}: {value!r}" for value in form.get("enum", [form.get("const")]))
        else:
            yield f"{at}: {kind}"
        for name, field in form.get("properties", {}).items():
            yield from _taken(field, schemas, f"{at}/{name}", way)
        if "items" in form:
            yield from _taken(form["items"], schemas, f"{at}/-", way)


def _given(schema: Mapping[str, Any], schemas: Mapping[str, Any], at: str, seen: tuple[str, ...]) -> Iterator[str]:
    kinds = sorted({str(form.get("type", "anything")) for form, _ in _forms(schema, schemas, seen)})
    yield f"{at or 'a body'}: {' or '.join(kinds)}"
    for form, way in _forms(schema, schemas, seen):
        for name, field in form.get("properties", {}).items():
            if name in form.get("required", ()):
                yield f"{at}/{name} always"
            yield from _given(field, schemas, f"{at}/{name}", way)
        if "items" in form:
            yield from _given(form["items"], schemas, f"{at}/-", way)


if __name__ == "__main__":
    PLACE.write_text("\n".join(promises(published())) + "\n", encoding="utf-8")
