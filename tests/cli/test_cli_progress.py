from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from standins.daemon_standin import DaemonStandin

from vidgend.cli.progress import Lines, View, span


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")]
)
def test_a_span_is_told_in_its_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_line_comes_with_a_new_stage_every_ten_percent_and_every_five_seconds() -> None:
    written: list[str] = []
    clock = _Clock()
    lines = Lines(written.append, clock)

    def show(state: str, percent: float, after_s: float) -> bool:
        clock.now += after_s
        before = len(written)
        lines.show(View(state=state, percent=percent))
        return len(written) > before

    assert show("planning", 0, 0)
    assert show("narrating", 1, 0.1)
    assert not show("narrating", 9, 0.1)
    assert show("narrating", 11, 0.1)
    assert not show("narrating", 12, 4.0)
    assert show("narrating", 13, 1.5)
    assert not show("narrating", 13, 60), "nothing moved"


def test_a_line_has_stage_percent_scene_and_the_time_left() -> None:
    written: list[str] = []
    Lines(written.append).show(View(state="rendering", percent=42, scenes_done=1, scenes_total=4, eta_s=20))
    Lines(written.append).show(View(state="rendering", percent=99, scenes_done=4, scenes_total=4))
    Lines(written.append).show(View(state="publishing", percent=99.6, scenes_done=4, scenes_total=4))
    rendering = [{"scene": number, "state": "rendering", "percent": 61.7 - number} for number in (2, 3, 5, 6, 9)]
    for count in (1, 2, 3, 5):
        segments = [{"scene": 1, "state": "done", "percent": 100.0}, *rendering[:count]]
        status = {"status": "rendering", "overall_progress": 50.2, "total_scenes": 9, "segments": segments}
        Lines(written.append).show(View.of_status(status))
    assert written == [
        "[ 42%] rendering, scene 2 of 4, about 20 s left",
        "[ 99%] rendering, scene 4 of 4",
        "[ 99%] finishing",
        "[ 50%] rendering, scene 2 of 9 (59%)",
        "[ 50%] rendering, scenes 2 (59%) and 3 (58%) of 9",
        "[ 50%] rendering, scenes 2 (59%), 3 (58%) and 5 (56%) of 9",
        "[ 50%] rendering, scenes 2 (59%), 3 (58%), 5 (56%) and 2 more of 9",
    ]


def test_a_video_is_made_though_nobody_reads_how_far_it_is(daemon: DaemonStandin, home: Path) -> None:
    daemon.completes([{"status": "rendering", "overall_progress": 42.0}])
    reader, writer = os.pipe()
    os.close(reader)  # as behind `2>&1 | head -1`, when it has its line
    command = [sys.executable, "-m", "vidgend", "--url", daemon.url, "generate", "the sea", "-o", "sea.mp4"]
    done = subprocess.run(command, cwd=home, stdout=writer, stderr=writer, timeout=60)
    os.close(writer)
    assert done.returncode == 0 and (home / "sea.mp4").exists()


def test_a_job_that_is_held_up_says_by_what() -> None:
    written: list[str] = []
    lines = Lines(written.append)
    parked = "waiting 37 s for another try: pexels did not answer"
    for status in (
        {"status": "queued", "current_step": "waiting in the queue", "queue_position": 1001},
        {"status": "queued", "current_step": "the queue is paused: new disk", "queue_paused": True},
        {"status": "retrieving", "overall_progress": 5.0},
        {"status": "queued", "overall_progress": 5.0, "current_step": parked, "retry_at": "2026-01-01T00:00:37Z"},
        {"status": "queued", "overall_progress": 5.0, "current_step": parked[:-4], "retry_at": "2026-01-01T00:00:37Z"},
        {"status": "planning", "current_step": "writing the storyboard"},
    ):
        lines.show(View.of_status(status))
    assert written == [
        "[  0%] waiting for its turn, more than 1000 before it",
        "[  0%] the queue is paused: new disk",
        "[  5%] finding pictures",
        f"[  5%] {parked}",
        "[  0%] planning",
    ]


def _on_terminal(term: str, home: Path) -> tuple[int, str, str]:
    """Run generate with its stderr on a terminal; (exit code, stdout, what the terminal got)."""
    master, slave = pty.openpty()
    root = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root, "TERM": term, "COLUMNS": "100"}
    command = [sys.executable, "-m", "vidgend", "generate", "the sea", "-o", "sea"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environ) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux says EIO when the last holder of the other end is gone
                break
            if not chunk:
                break
            shown += chunk
        stdout, _ = process.communicate(timeout=20)
    os.close(master)
    return process.returncode, stdout.decode(), shown.decode()


def test_a_terminal_gets_a_bar_and_stdout_stays_plain(daemon: DaemonStandin, home: Path) -> None:
    rendering = {"status": "rendering", "overall_progress": 42.0, "scenes_processed": 1, "total_scenes": 4, "eta_s": 20}
    daemon.completes([rendering])
    code, stdout, shown = _on_terminal("xterm-256color", home)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert code == 0
    assert re.search(r"rendering .* 42% 1/4 scenes about 20 s left", plain)
    assert "[ 42%]" not in plain
    assert stdout.startswith("sea.mp4: ") and "\x1b" not in stdout


def test_a_dumb_terminal_gets_lines(daemon: DaemonStandin, home: Path) -> None:
    daemon.completes([{"status": "rendering", "overall_progress": 42.0}])
    code, _, shown = _on_terminal("dumb", home)
    assert code == 0
    assert "[ 42%] rendering" in shown and "\x1b" not in shown
