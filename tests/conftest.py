from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

import pytest

from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool

sys.path.insert(0, str(Path(__file__).parent))


def pytest_sessionstart() -> None:
    """Thousands of tests are collected, and looking through them again and again for garbage takes as long."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """The ffmpeg that vidgend would use here."""
    return asyncio.run(FfmpegTool().get())
