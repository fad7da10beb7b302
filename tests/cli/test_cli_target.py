from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidgend.cli.target import choose_target, slug
from vidgend.errors import BadInput


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The sea, at night!", "the-sea-at-night"),
        ("  ...  ", "video"),
        ("../../etc/passwd", "etc-passwd"),
        ("Das Meer bei Nacht: größer", "das-meer-bei-nacht-größer"),
        ("夜の海", "夜の海"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word"),
        ("x" * 100, "x" * 48),
        ("a_b\x00c\n-d", "a-b-c-d"),
    ],
)
def test_a_prompt_becomes_a_short_safe_name(text: str, name: str) -> None:
    assert slug(text) == name
    assert len(name.encode()) < 200


def test_a_name_without_suffix_gets_one_and_the_others_stand_beside_it(home: Path) -> None:
    target = choose_target("clip", title="x", force=False, only_video=False)
    assert {role: path.name for role, path in target.paths.items()} == {
        "video": "clip.mp4", "srt": "clip.srt", "vtt": "clip.vtt", "words": "clip.words.json", "thumbnail": "clip.jpg",
        "description": "clip.description.txt",
    }  # fmt: skip


def test_trying_the_folder_leaves_no_trace(home: Path) -> None:
    choose_target(None, title="the sea", force=False, only_video=True)
    assert list(home.iterdir()) == []


def test_a_folder_that_takes_the_place_of_a_file_is_refused(home: Path) -> None:
    (home / "sea.mp4").mkdir()
    assert choose_target("sea.mp4", title="x", force=True, only_video=True).video == Path("sea.mp4/x.mp4")
    with pytest.raises(BadInput, match=r"sea\.mp4 is a folder"):
        choose_target("sea", title="x", force=True, only_video=True)


@pytest.mark.parametrize("output", ["/dev/null", "pipe.mp4", "sea.mp4"])
def test_what_is_no_regular_file_is_never_replaced(home: Path, output: str) -> None:
    os.mkfifo(home / "pipe.mp4")
    os.mkfifo(home / "sea.srt")
    with pytest.raises(BadInput, match="no regular file"):
        choose_target(output, title="The sea", force=True, only_video=False)


def test_files_appear_all_together_or_not_at_all(home: Path) -> None:
    target = choose_target("sea", title="x", force=False, only_video=False)
    during: list[str] = []

    def video(part: Path) -> None:
        part.write_text("video")

    def srt(part: Path) -> None:
        during.extend(path.name for path in home.iterdir() if not path.name.startswith("."))
        raise BadInput("no subtitles")

    with pytest.raises(BadInput, match="no subtitles"):
        target.write({"video": video, "srt": srt})
    assert during == []
    assert list(home.iterdir()) == []


def test_an_old_file_stays_until_the_new_one_is_whole(home: Path) -> None:
    (home / "sea.mp4").write_text("old")
    target = choose_target("sea", title="x", force=True, only_video=True)

    def video(part: Path) -> None:
        part.write_text("new")
        assert (home / "sea.mp4").read_text() == "old"

    assert target.write({"video": video}) == {"video": Path("sea.mp4")}
    assert (home / "sea.mp4").read_text() == "new"
    assert [path.name for path in home.iterdir()] == ["sea.mp4"]
