"""Some hundred cases of schemathesis against a real daemon; `make test-contract` runs thousands."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import check

pytestmark = pytest.mark.process


async def test_the_daemon_does_what_its_document_says(tmp_path: Path) -> None:
    found = await check(tmp_path, cases=60, seed=20, phases="examples,fuzzing,stateful")
    assert found.exit_code == 0, found.output
    assert found.cases > 60
    assert not [answer for answer in found.sums["answers"] if answer.split()[2].startswith("5")]
