"""A vidgend without a server that dies in a step of its own: like a power cut, with no word to anybody.

    python tests/process/dying_daemon.py FOLDER CLIPS BODIES [--die-in KIND] [--with TEXT]

Sends the jobs of the file BODIES at its first start, then works until all have ended. With `--die-in` it sends SIGKILL
to itself at the beginning of the first step of that kind whose arguments contain TEXT. With `--quiet` it waits until
that step is the only one that runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import workshop

from vidgend.http.wire import GenerateBody
from vidgend.parts import Parts
from vidgend.pipeline.executor.port import StepFunction, StepOutput, StepRun
from vidgend.runtime import Runtime

QUIET_S = 0.2


def dying(parts: Parts, kind: str, text: str, *, quiet: bool) -> Parts:
    """The same parts, with a step that kills."""
    executor = parts.executor
    work: StepFunction = executor._registry[kind]

    async def step(args: dict[str, Any], run: StepRun) -> StepOutput:
        if text not in json.dumps(args):
            return await work(args, run)
        alone_s = 0.0
        while quiet and alone_s < QUIET_S:
            await asyncio.sleep(0.02)
            alone_s = alone_s + 0.02 if len(executor._running) == 1 else 0.0
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")

    executor._registry[kind] = step
    return parts


async def work(options: argparse.Namespace) -> None:
    clips = {path.stem: path for path in sorted(options.clips.glob("*.mp4"))}
    build = workshop.builder(providers=(workshop.fake_footage(clips),))

    def build_dying(*args: Any, **more: Any) -> Parts:
        parts = build(*args, **more)
        return dying(parts, options.die_in, options.text, quiet=options.quiet) if options.die_in else parts

    settings = workshop.settings_for(options.folder, VIDGEND_QUEUE__MAX_CONCURRENT_JOBS=str(options.jobs))
    async with Runtime.open(settings, build=build_dying) as runtime:
        if not sum((await runtime.jobs.counts()).values()):
            for body in json.loads(options.bodies.read_text()):
                await runtime.submit_generate(GenerateBody(**body))
        while any(not job.ended for job in await runtime.jobs.page(limit=1000)):
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--die-in", default="")
    parser.add_argument("--with", dest="text", default="")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--jobs", type=int, default=3, help="jobs that run at once")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
