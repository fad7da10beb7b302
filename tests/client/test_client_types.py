"""The typed dictionaries of the client say what the API's own document says, and real answers look like them."""

from __future__ import annotations

import ast
import runpy
from asyncio import to_thread
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from standins.services_standin import World

from vidgend.client import Vidgend, types
from vidgend.http.app import OPERATIONS

ROOT = Path(__file__).parents[2]


def test_the_file_is_the_one_that_the_tool_makes() -> None:
    recipe = runpy.run_path(str(ROOT / "tools" / "client_types.py"))
    kept = (ROOT / "vidgend" / "client" / "types.py").read_text()
    why = "run: python tools/client_types.py > vidgend/client/types.py"
    assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(recipe["current"]())), why


def test_every_operation_that_has_a_body_or_an_answer_is_described() -> None:
    for operation in OPERATIONS:
        for model in (operation.answer, operation.body):
            if isinstance(model, type) and model.model_fields:
                assert is_typeddict(getattr(types, model.__name__.removesuffix("View"))), model


def _check(value: Any, kind: Any) -> None:
    """That a value has all that its description demands, all the way down, and nothing that it does not name."""
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        assert set(value) <= set(hints), (kind, set(value) - set(hints))
        for name, hint in hints.items():
            optional = get_origin(hint) is NotRequired
            if name in value:
                _check(value[name], get_args(hint)[0] if optional else hint)
            else:
                assert optional, (kind, name)
    elif get_origin(kind) is list:
        for one in value:
            _check(one, get_args(kind)[0])
    elif get_origin(kind) is dict:
        for one in value.values():
            _check(one, get_args(kind)[1])
    elif isinstance(value, dict):
        for one in get_args(kind):
            if is_typeddict(one):
                _check(value, one)


@pytest.mark.parametrize("state", ["queued", "running", "completed"])
async def test_answers_are_as_described(world: World, url: str, state: str) -> None:
    client = Vidgend(url)
    if state == "queued":
        job = (await to_thread(lambda: client.generate(prompt="The sea")))["job_id"]
    else:
        made = await world.running() if state == "running" else (await world.completed())[0]
        job = made.id
    _check(await to_thread(client.status, job), types.Status)
    _check(await to_thread(lambda: next(client.jobs())), types.Summary)
    if state == "completed":
        _check(await to_thread(client.result, job), types.Result)
    for answer, kind in (
        (client.queue, types.Queue), (client.voices, types.Voices), (client.styles, types.Styles),
        (client.usage, types.Usage),
    ):  # fmt: skip
        _check(await to_thread(answer), kind)
