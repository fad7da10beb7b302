"""Tracks by mood."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vidgend.pipeline.music.folder import FolderMusic
from vidgend.pipeline.music.packaged import PACKAGE, PackagedMusic, packaged_folder
from vidgend.pipeline.vocabulary import MOODS, nearest_mood, text_mood

OGG = b"OggS\x00\x02" + b"\x00" * 60


def put(path: Path, data: bytes = OGG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_the_package_has_28_tracks_in_five_moods_and_is_not_imported() -> None:
    before = PACKAGE in sys.modules
    music = PackagedMusic()
    assert music.moods() == MOODS
    folder = packaged_folder()
    assert folder is not None
    assert len(list(folder.glob("*/*.opus"))) == 28
    assert (PACKAGE in sys.modules) is before


@pytest.mark.parametrize(
    ("word", "mood"),
    [("calm", "calm"), ("Melancholic", "nostalgic"), ("epic", "energetic"), ("romantic", "tender"), ("zxq", "calm")],
)
def test_any_mood_word_gets_the_nearest_packaged_mood(word: str, mood: str) -> None:
    tracks = PackagedMusic().tracks(word, seed=1)
    assert len(tracks) in (5, 6)
    for track in tracks:
        assert track.mood == mood
        assert track.path.parent.name == mood
        assert track.licence.startswith("MIT")


def test_the_seed_decides_the_order_and_every_track_comes_first_for_some_seed() -> None:
    music = PackagedMusic()
    orders = [music.tracks("happy", seed=seed) for seed in range(60)]
    assert orders == [music.tracks("happy", seed=seed) for seed in range(60)]
    assert all(len(set(order)) == 6 for order in orders)
    assert len({order[0].path for order in orders}) == 6


def test_without_the_package_there_is_no_music(tmp_path: Path) -> None:
    music = PackagedMusic(tmp_path)
    assert music.moods() == ()
    assert music.tracks("calm", seed=1) == ()


def test_a_folder_or_a_word_in_a_name_is_a_mood(tmp_path: Path) -> None:
    calm = put(tmp_path / "Calm" / "lake.opus")
    epic = put(tmp_path / "my epic theme.ogg")
    music = FolderMusic(tmp_path)
    assert [track.path for track in music.tracks("calm", seed=1)] == [calm]
    assert [track.path for track in music.tracks("energetic", seed=1)] == [epic]
    assert music.moods() == ("calm", "energetic")


def test_a_folder_of_the_users_own_name_can_be_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "calm" / "a.ogg")
    want = put(tmp_path / "brand" / "jingle.ogg")
    assert [(track.path, track.fits) for track in FolderMusic(tmp_path).tracks("Brand", seed=1)] == [(want, True)]
    named = put(tmp_path / "jazz" / "happy tune.ogg")
    (jazz,) = FolderMusic(tmp_path).tracks("jazz", seed=1)
    assert (jazz.path, jazz.fits) == (named, True), "whatever mood its name suggests besides"
    assert [track.fits for track in FolderMusic(tmp_path).tracks("polka", seed=1)] == [False] * 3


def test_a_mood_that_no_file_has_gets_any_track(tmp_path: Path) -> None:
    want = put(tmp_path / "track01.ogg")
    assert [(track.path, track.mood) for track in FolderMusic(tmp_path).tracks("tender", seed=3)] == [(want, "")]


def test_only_sound_by_name_and_content_counts(tmp_path: Path) -> None:
    put(tmp_path / "calm.mp3", b"#EXTM3U\nfile:///etc/passwd")
    put(tmp_path / "calm.txt")
    put(tmp_path / ".calm.ogg")
    (tmp_path / "link.ogg").symlink_to(put(tmp_path.parent / "outside.ogg"))
    assert FolderMusic(tmp_path).tracks("calm", seed=1) == ()
    assert FolderMusic(tmp_path / "gone").tracks("calm", seed=1) == ()


def test_texts_suggest_moods() -> None:
    assert text_mood("A beautiful sunset over the ocean") == "calm"
    assert text_mood("Motivational gym workout") == "energetic"
    assert text_mood("tax law") is None
    assert nearest_mood("euphoric/high") == "happy"
