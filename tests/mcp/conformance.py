"""Runs the official conformance suite: against our server with the suite's own tools, and against the real daemon.

`make conformance`. It needs npm, which fetches the suite and the Node that it wants. Nothing else of vidgend does.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NODE = "node@22"
STABLE, NEXT = "@modelcontextprotocol/conformance@0.1.16", "@modelcontextprotocol/conformance@0.2.0-alpha.12"
"""The newest release, which knows 2025-11-25, and the newest of all, which knows 2026-07-28 and tasks as well."""
TASKS = (
    "tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal",
    "tasks-mrtr-input", "tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-required-task-error",
    "tasks-mrtr-composition",
)  # fmt: skip
DAEMON_OLD = ("server-initialize", "server-session-lifecycle", "ping")
DAEMON_BOTH = (
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
)
DAEMON_NEW = (
    "sep-2164-resource-not-found",
    "caching",
    "http-header-validation",
    "input-required-result-unsupported-methods",
)
"""What needs no tools of the suite's own."""
KNOWN = ("--expected-failures", str(HERE / "conformance-expected.yml"))
_COUNTS = re.compile(r"(?:Total: |Passed: )(\d+)(?:/\d+,| passed,) (\d+) failed")


@dataclass(frozen=True, kw_only=True)
class Counts:
    name: str
    passed: int
    failed: int
    ended_well: bool


def run(name: str, suite: str, url: str, *options: str) -> Counts:
    """Once more if it went wrong: some cases wait no longer than a second, which is little on a busy machine."""
    counts = run_once(name, suite, url, *options)
    return counts if counts.ended_well else run_once(f"{name}, again", suite, url, *options)


def run_once(name: str, suite: str, url: str, *options: str) -> Counts:
    argv = ["npx", "--yes", f"--package={NODE}", f"--package={suite}", "conformance", "server", "--url", url, *options]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    found = _COUNTS.findall(done.stdout)
    counts = Counts(
        name=name,
        passed=int(found[-1][0]) if found else 0,
        failed=int(found[-1][1]) if found else 0,
        ended_well=done.returncode == 0 and bool(found),
    )
    print(
        f"{'ok ' if counts.ended_well else 'BAD'} {counts.passed:4} passed {counts.failed:3} failed  {name}", flush=True
    )
    if not counts.ended_well:
        print(done.stdout[-4000:], done.stderr[-2000:], flush=True)
    return counts


@asynccontextmanager
async def started(*argv: str, environ: dict[str, str] | None = None) -> AsyncIterator[str]:
    """A server as a process, and the address that its first line ends with."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *argv, stdout=asyncio.subprocess.PIPE, env={**os.environ, **(environ or {})}
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        yield line.split()[-1]
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def main() -> int:
    all_counts = []
    places = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    async with started(str(HERE / "conformance_server.py"), environ={"PYTHONPATH": places}) as url:
        for name, suite, options in (
            ("the release, 2025-11-25", STABLE, ("--suite", "all", *KNOWN)),
            ("the next release, 2025-11-25", NEXT, ("--suite", "all", "--spec-version", "2025-11-25", *KNOWN)),
            ("the next release, 2026-07-28", NEXT, ("--suite", "all", "--spec-version", "2026-07-28")),
            *((f"the next release, {one}", NEXT, ("--scenario", one)) for one in TASKS),
        ):
            all_counts.append(await asyncio.to_thread(run, name, suite, url, *options))
    with tempfile.TemporaryDirectory() as folder:
        environ = {"VIDGEND_DATA_DIR": folder, "VIDGEND_HTTP__PORT": "0", "VIDGEND_LOG__LEVEL": "warning"}
        async with started("-m", "vidgend", "serve", environ=environ) as base:
            for version, scenarios in (
                ("2025-11-25", (*DAEMON_OLD, *DAEMON_BOTH)), ("2026-07-28", (*DAEMON_BOTH, *DAEMON_NEW)),
            ):  # fmt: skip
                for one in scenarios:
                    options = ("--scenario", one, "--spec-version", version)
                    name = f"vidgend serve, {version}, {one}"
                    all_counts.append(await asyncio.to_thread(run, name, NEXT, f"{base}/mcp", *options))
    passed, failed = sum(one.passed for one in all_counts), sum(one.failed for one in all_counts)
    print(f"{passed} passed, {failed} failed")
    return 0 if all(one.ended_well for one in all_counts) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
