"""The stand-ins from the command line, as docs/footage.md tells to try them."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import httpx
import media
import pytest
from standins import stock_standin

from vidgend.pipeline.ffmpeg import Ffmpeg


@pytest.mark.parametrize(("options", "header"), [((), "Repr-Digest"), (("--digest", ""), None)])
def test_files_have_checksums_and_clips_have_pictures(
    ffmpeg: Ffmpeg, tmp_path: Path, options: tuple[str, ...], header: str | None
) -> None:
    media.clip(ffmpeg.path, tmp_path / "sea-waves.mp4", seconds=0.5)
    command = Path(stock_standin.__file__).with_name("pexels_standin.py")
    arguments = [sys.executable, str(command), "--folder", str(tmp_path), "--ffmpeg", ffmpeg.path, *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as standin:
        try:
            assert standin.stdout is not None
            origin = json.loads(standin.stdout.readline())["base_url"]
            answer = httpx.get(
                f"{origin}/videos/search", params={"query": "sea"}, headers={"Authorization": "test-key"}
            ).json()
            (found,) = answer["videos"]
            file = httpx.get(found["video_files"][0]["link"])
            picture = httpx.get(found["image"])
        finally:
            standin.terminate()
    sha256 = base64.b64encode(hashlib.sha256(file.content).digest()).decode()
    assert file.content == (tmp_path / "sea-waves.mp4").read_bytes()
    assert file.headers.get("Repr-Digest") == (f"sha-256=:{sha256}:" if header else None)
    assert picture.headers["Content-Type"] == "image/jpeg" and picture.content.startswith(b"\xff\xd8\xff")
    assert len(picture.content) < 200_000
