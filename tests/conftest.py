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


_LONG = ("openapi", "contracts", "speech", "aligner", "relevance", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files whose tests are few and long first: begun last, one of two workers would wait for the other."""
    items.sort(key=lambda item: not (item.path.parent.name == "tests" or item.path.parent.name in _LONG))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """The ffmpeg that vidgend would use here."""
    return asyncio.run(FfmpegTool().get())
