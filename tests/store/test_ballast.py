import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vidgend.store.ballast import Ballast


def test_the_ballast_takes_up_real_space_and_gives_it_back_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 2**20)
    assert not ballast.present
    assert ballast.ensure(0)
    assert ballast.present
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 2**20
    assert (tmp_path / "ballast").stat().st_mode & 0o077 == 0
    assert ballast.drop()
    assert not ballast.drop()
    assert not ballast.present


def test_the_ballast_is_not_made_when_too_little_would_be_left(tmp_path: Path) -> None:
    space = os.statvfs(tmp_path)
    ballast = Ballast(tmp_path / "ballast", 2**20)
    assert not ballast.ensure(space.f_bavail * space.f_frsize)
    assert list(tmp_path.iterdir()) == []


def test_a_ballast_of_another_size_or_cut_off_by_a_crash_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "ballast").write_bytes(b"half")
    assert Ballast(tmp_path / "ballast", 8192).ensure(0)
    assert (tmp_path / "ballast").stat().st_size == 8192
    assert Ballast(tmp_path / "ballast", 4096).ensure(0)
    assert (tmp_path / "ballast").stat().st_size == 4096


def test_no_ballast_is_wanted_with_a_size_of_nothing(tmp_path: Path) -> None:
    assert not Ballast(tmp_path / "ballast", 0).ensure(0)
    assert list(tmp_path.iterdir()) == []


def test_only_one_of_many_threads_is_told_that_it_made_space(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 4096)
    assert ballast.ensure(0)
    answers: list[bool] = []
    gate = threading.Barrier(8)

    def drop() -> None:
        gate.wait()
        answers.append(ballast.drop())

    threads = [threading.Thread(target=drop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == 1


def on_a_small_disk(folder: Path, *arguments: str) -> dict[str, object]:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    disk = folder / "disk"
    disk.mkdir()
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if (tried := subprocess.run(probe, capture_output=True, text=True)).returncode != 0:
        pytest.skip(f"no tmpfs may be mounted here: {tried.stderr.strip()}")
    script = Path(__file__).with_name("full_disk.py")
    run = subprocess.run(
        ["unshare", "-m", sys.executable, str(script), str(disk), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    said: dict[str, object] = json.loads(run.stdout)
    return said


@pytest.mark.process
def test_on_a_really_full_disk_the_ballast_lets_the_database_record_what_happened(tmp_path: Path) -> None:
    said = on_a_small_disk(tmp_path)
    assert said.pop("refused_when_nothing_is_left") == 3, said
    assert said.pop("small_failed") == []
    assert said.pop("too_big") == "StorageFull"
    assert said.pop("integrity") == "ok"
    assert [name for name, value in said.items() if value is not True] == []


@pytest.mark.process
def test_a_start_on_a_really_full_disk_gives_the_ballast_up_and_says_so_where_there_is_none(tmp_path: Path) -> None:
    said = on_a_small_disk(tmp_path, "start")
    assert said.pop("without_ballast") == "StorageFull"
    assert said.pop("without_lock") == "StorageFull"
    assert said.pop("with_ballast") == "started after 1"
    assert [name for name, value in said.items() if value is not True] == []
