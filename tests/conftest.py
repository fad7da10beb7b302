from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from vidgend.pipeline.ffmpeg import Ffmpeg, FfmpegTool

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def ffmpeg() -> Ffmpeg:
    """The ffmpeg that vidgend would use here."""
    return asyncio.run(FfmpegTool().get())
