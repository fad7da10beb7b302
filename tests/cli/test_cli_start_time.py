"""What makes the program start fast: the heavy packages are not imported where they are not needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from standins.daemon_standin import JOB, DaemonStandin

HEAVY = ("aiohttp", "httpx", "numpy", "onnxruntime", "rich", "aiosqlite")
_REPORT = """
import sys
from vidgend.cli import main
try:
    main()
finally:
    print(*[name for name in {names!r} if name in sys.modules], file=sys.stderr)
"""


def _imported(*arguments: str, names: tuple[str, ...] = HEAVY) -> tuple[int, str]:
    code = _REPORT.format(names=names)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr.splitlines()[-1]


def test_asking_a_daemon_imports_nothing_heavy(daemon: DaemonStandin) -> None:
    daemon.completes()
    assert _imported("status", JOB) == (0, "")
    assert _imported("generate", "the sea", "--detach") == (0, "")
    daemon.answers["GET", "/mcp/queue"] = (200, {"paused": False, "jobs": {}})
    daemon.answers["DELETE", f"/mcp/jobs/{JOB}"] = (204, None)
    assert _imported("queue") == (0, "")
    assert _imported("delete", JOB) == (0, "")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["generate", "--help"], ["webhooks", "--help"], ["styles"]]
)
def test_help_does_not_even_import_pydantic(arguments: list[str]) -> None:
    assert _imported(*arguments, names=(*HEAVY, "pydantic", "ssl", "asyncio")) == (0, "")


def test_the_client_is_light() -> None:
    code = f"import sys; from vidgend.client import Vidgend, verify_webhook; print([name for name in {(*HEAVY, 'pydantic', 'asyncio', 'click')!r} if name in sys.modules])"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
