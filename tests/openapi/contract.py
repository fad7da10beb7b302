"""schemathesis against a real daemon: all its checks over the whole OpenAPI document, with stateful links.

`python tests/openapi/contract.py --cases 5000` (`make test-contract`) prints the sums and fails on the first exception.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE.parent / "process")]

import media  # noqa: E402
from daemon_process import Daemon  # noqa: E402
from standins.speech_standin import SpeechStandin  # noqa: E402

from vidgend.pipeline.ffmpeg import FfmpegTool  # noqa: E402

KEY = "vg_0123456789abcdef0123456789abcdef"
ENVIRON = {
    "VIDGEND_HTTP__API_KEY": KEY, "VIDGEND_RENDER__RESOLUTION": "320x180", "VIDGEND_RENDER__PRESET": "ultrafast",
    "VIDGEND_FOOTAGE__PROVIDERS": "generated", "VIDGEND_PLANNER__ENGINE": "builtin", "VIDGEND_MUSIC__ENABLED": "false",
    "VIDGEND_ALIGNER__ENGINE": "proportional", "VIDGEND_FOOTAGE__RELEVANCE": "bm25",
    "VIDGEND_LIMITS__REQUESTS_PER_S": "0", "VIDGEND_LIMITS__ANONYMOUS_PER_S": "0", "VIDGEND_QUEUE__MAX_QUEUED": "100000", "VIDGEND_STORE__MIN_FREE_BYTES": "0",
}  # fmt: skip
CONFIG = """
hooks = "contract_hooks"
continue-on-failure = true
request-timeout = 30
# An event stream of a job that waits has no end: its first event is looked at.
max-stream-events = 1

[auth.openapi.key]
bearer = "{key}"

[checks.negative_data_rejection]
# 412 and 416: what If-Match and Range say is compared with what is there, whatever they look like.
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "415", "416", "422", "5xx"]

[dictionaries]
jobs = {{ values = {jobs} }}
uploads = {{ values = {uploads} }}

[parameters]
"path.job_id" = {{ dictionary = "jobs", probability = 0.6 }}
"path.digest" = {{ dictionary = "uploads", probability = 0.6 }}
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What schemathesis found. `report` is its own JSON report; `sums` are those of the hooks."""

    exit_code: int
    report: dict[str, Any]
    sums: dict[str, dict[str, int]]
    output: str

    @property
    def cases(self) -> int:
        return int(self.report["test_cases"]["generated"])


async def check(folder: Path, *, cases: int, seed: int, phases: str = "examples,coverage,fuzzing,stateful") -> Outcome:
    """Start a daemon in `folder`, make a few jobs and uploads, and check the document.

    At least `cases` cases in all phases together: half of them are made up at random, the others are the boundaries of
    every field and the chains of linked requests, whose number follows from the document.
    """
    async with SpeechStandin() as speech:
        voice = {"VIDGEND_SPEECH__ENGINE": "server", "VIDGEND_SPEECH__SERVER__BASE_URL": speech.base_url}
        daemon = Daemon(folder=folder, environ=ENVIRON | voice)
        await daemon.start()
        try:
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
                jobs, uploads, count = await _furnish(http, daemon.url, folder)
            return await _run(
                folder, daemon.url, jobs, uploads, examples=math.ceil(cases / count / 2), seed=seed, phases=phases
            )
        finally:
            await daemon.terminate()


async def _furnish(http: aiohttp.ClientSession, url: str, folder: Path) -> tuple[list[str], list[str], int]:
    """Jobs in all states that last, and uploads of each kind. Then the queue is paused. Answers with their ids, and how
    many operations there are."""
    body = {"scenes": [{"narration": "The sea."}], "quality": "draft", "captions": False, "music": "none"}
    wishes: list[dict[str, Any]] = [{}, {"review": True}, {"seed": 7}]
    jobs = [await _submit(http, url, body | wish) for wish in wishes]
    for job_id in jobs:
        async with asyncio.timeout(120):
            while (await _get(http, f"{url}/mcp/status/{job_id}"))["status"] not in ("completed", "awaiting_review"):
                await asyncio.sleep(0.2)
    async with http.post(f"{url}/mcp/pause", json={}) as answer:
        answer.raise_for_status()
    waiting, cancelled = await _submit(http, url, body), await _submit(http, url, body)
    async with http.post(f"{url}/mcp/cancel/{cancelled}") as answer:
        answer.raise_for_status()
    ffmpeg = (await FfmpegTool().get()).path
    files = [
        media.clip(ffmpeg, folder / "clip.mp4", seconds=2, size="320x180"),
        media.make(ffmpeg, ["-f", "lavfi", "-i", "testsrc=s=320x180:d=1", "-frames:v", "1"], folder / "photo.png"),
        media.tone(folder / "tone.wav", seconds=2),
    ]
    uploads = []
    for file in files:
        async with http.post(f"{url}/mcp/assets", params={"name": file.name}, data=file.read_bytes()) as answer:
            assert answer.status == 201, await answer.text()
            uploads.append((await answer.json())["asset_id"])
    document = await _get(http, f"{url}/openapi.json")
    count = sum(len(operations) for operations in document["paths"].values())
    return [*jobs, waiting, cancelled], uploads, count


async def _submit(http: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> str:
    async with http.post(f"{url}/mcp/generate", json=body) as answer:
        assert answer.status == 202, await answer.text()
        return str((await answer.json())["job_id"])


async def _get(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with http.get(url) as answer:
        answer.raise_for_status()
        found: dict[str, Any] = await answer.json(content_type=None)
        return found


async def _run(
    folder: Path, url: str, jobs: list[str], uploads: list[str], *, examples: int, seed: int, phases: str
) -> Outcome:
    config, report, told = folder / "schemathesis.toml", folder / "report.json", folder / "told.json"
    config.write_text(CONFIG.format(key=KEY, jobs=json.dumps(jobs), uploads=json.dumps(uploads)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{url}/openapi.json",
        "--phases", phases, "--max-examples", str(examples), "--seed", str(seed), "--report", "json,ndjson",
        "--report-json-path", str(report), "--report-ndjson-path", str(folder / "events.ndjson"), "--no-color",
        "--generation-database", "none", "--suppress-health-check", "all", "--no-shrink",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
             "CONTRACT_TOLD": str(told), "CONTRACT_KEY": KEY, "CONTRACT_JOBS": json.dumps(jobs)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    assert report.is_file() and told.is_file(), text
    return Outcome(
        exit_code=process.returncode or 0,
        report=json.loads(report.read_text()),
        sums=json.loads(told.read_text()),
        output=text,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The OpenAPI document against a real daemon.")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--keep", type=Path, help="folder to work in, and to leave the reports in")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wishes.keep or Path(temporary)
        outcome = asyncio.run(check(folder, cases=wishes.cases, seed=wishes.seed, phases=wishes.phases))
    print(outcome.output)
    print("Refusals that no schema can foresee:")
    for reason, times in sorted(outcome.sums["excused"].items(), key=lambda one: -one[1]):
        print(f"{times:7d}  {reason}")
    print(f"{outcome.cases} cases, exit code {outcome.exit_code}")
    sys.exit(outcome.exit_code or outcome.cases < wishes.cases)


if __name__ == "__main__":
    main()
