"""Credits of whole jobs: what the result says, the text beside the video, the closing card."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest
from test_rerender import board, edit, names, render
from workshop import candidate, clips, encodes, finished_steps, make, result, settings_for, workshop

from vidgend.models import Candidate, Credit
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.footage.fake import FakeFootage
from vidgend.pipeline.music.fake import FakeMusic
from vidgend.pipeline.music.folder import FolderMusic
from vidgend.pipeline.music.port import Track
from vidgend.pipeline.probe import packets

AUTHORS = ("Ada Lovelace", "محمد علي", "प्रिया शर्मा", "Grace Hopper", "Zoë Ångström", "Linus")
TEXTS = ("The sea is calm.", "A boat comes in.", "Gulls follow.")
SCENES = [{"narration": text, "query": "sea"} for text in TEXTS]


def authored(number: int) -> Candidate:
    name = f"clip{number}"
    credit = Credit(
        provider="pexels", author=AUTHORS[number], author_url=f"https://x.example/@{number}",
        page_url=f"https://x.example/{name}", licence="Pexels License",
    )  # fmt: skip
    return replace(candidate(name, provider="pexels"), credit=credit)


def stock(files: dict[str, Path]) -> FakeFootage:
    return FakeFootage({"*": tuple(authored(number) for number in range(len(files)))}, files, name="pexels")


async def luma(ffmpeg: Ffmpeg, video: Path, folder: Path, *, first: int, count: int) -> np.ndarray:
    """Frames of a video of 320x180, as grey pictures."""
    shown = await ffmpeg.capture(
        [
            "-i", str(video), "-vf", f"select='between(n,{first},{first + count - 1})',format=gray", "-fps_mode",
            "passthrough", "-f", "rawvideo", "pipe:1",
        ],
        cwd=folder,
    )  # fmt: skip
    return np.frombuffer(shown.stdout, np.uint8).reshape(-1, 180, 320)


async def test_a_card_with_the_names_comes_after_the_last_scene(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    music = media.tone(tmp_path / "music.wav", seconds=2)
    async with workshop(tmp_path / "data", providers=(stock(files),), music=music) as runtime:
        plain = result(await make(runtime, scenes=SCENES, transitions="dissolve"))
        before = await encodes(runtime)
        job = await make(runtime, scenes=SCENES, transitions="dissolve", credits_card=True)
        made = result(job)
        assert await encodes(runtime) == before, "all scenes and transitions are those of the video without a card"
        card = round((3 + 3 * 0.5) * 30)
        assert made.report["frames"] == plain.report["frames"] + card
        assert made.duration_s == pytest.approx(plain.duration_s + card / 30)
        assert made.report["passed"] and made.report["encodes_per_frame"] == pytest.approx(
            card / made.report["frames"], abs=0.001
        )
        for role in ("srt", "vtt", "words"):
            assert made.files[role].digest == plain.files[role].digest, "the card is no caption"
        assert made.files["thumbnail"].digest == plain.files["thumbnail"].digest
        video = await runtime.assets.local(made.files["video"].digest)
        tracks = await packets(ffmpeg, video)
        assert tracks["video"].packets == made.report["frames"]
        assert abs(tracks["video"].duration_s - tracks["audio"].duration_s) * 30 < 1
        shown = await luma(ffmpeg, video, tmp_path, first=plain.report["frames"], count=card)
        assert len(shown) == card
        middle = shown[card // 2]
        assert middle.mean() < 80, "it is dark"
        assert (middle > 180).sum() > 150, "and there is text on it"
        assert shown[0].max() < 40 and shown[-1].max() < 60, "from black and to black"
    # The same again is found, also by another process.
    async with workshop(tmp_path / "data", providers=(stock(files),), music=music) as runtime:
        again = result(await make(runtime, scenes=SCENES, transitions="dissolve", credits_card=True))
        assert again.report["steps"]["run"] == 0 and again.files["video"].digest == made.files["video"].digest


async def test_without_music_the_card_is_silent_and_nothing_is_wrong_with_that(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    async with workshop(tmp_path / "data", providers=(stock(files),)) as runtime:
        made = result(
            await make(runtime, scenes=SCENES, music="none", credits_card=True, aspect_ratio="9:16", style="noir")
        )
        assert made.report["passed"], [one for one in made.report["checks"] if not one["passed"]]
        assert made.report["black_s"] == [], "a dark card is meant"
        tracks = await packets(ffmpeg, await runtime.assets.local(made.files["video"].digest))
        assert abs(tracks["video"].duration_s - tracks["audio"].duration_s) * 30 < 1


async def test_an_edit_makes_the_card_anew_only_if_other_names_are_on_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 5)
    async with workshop(tmp_path / "data", providers=(stock(files),)) as runtime:
        job = await make(runtime, scenes=SCENES, transitions="dissolve", credits_card=True)
        first = result(job)
        cold, steps = await encodes(runtime), await finished_steps(runtime)
        await edit(runtime, job.id, scenes=[{"index": 3, "narration": "Gulls follow it, slowly."}])
        made, reuse = await render(runtime, job.id)
        assert await encodes(runtime) - cold == {"segment": 1, "transition": 1}
        assert (await finished_steps(runtime))["card"] == steps["card"] == 1, "the names are the same"
        assert "card 3" in names(reuse)[0]
        sounds = (await finished_steps(runtime))["sound"]
        shown = (await board(runtime, job.id)).scenes
        used = {scene.clip.id for scene in shown if scene.clip}
        spare = next(one for one in shown[1].candidates if one.id not in used)
        await edit(runtime, job.id, scenes=[{"index": 2, "clip": {"provider": "pexels", "id": spare.id}}])
        warm = await encodes(runtime)
        swapped, reuse = await render(runtime, job.id)
        assert await encodes(runtime) - warm == {"segment": 1, "transition": 2}
        after = await finished_steps(runtime)
        assert after["card"] == 2 and "card 3" in names(reuse)[1]
        assert after["sound"] == sounds, "the sound stays"
        assert spare.credit.author in {credit.author for credit in swapped.credits}
        assert swapped.report["frames"] == made.report["frames"]
        # Without the card, and with it again.
        await edit(runtime, job.id, credits_card=False)
        without, reuse = await render(runtime, job.id)
        assert not reuse.rebuilt and without.report["frames"] == made.report["frames"] - 135
        assert first.report["passed"] and swapped.report["passed"]


async def test_each_output_has_a_card_of_its_own_and_a_review_comes_before_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 4)
    scenes = SCENES[:2]
    async with workshop(tmp_path / "data", providers=(stock(files),)) as runtime:
        job = await make(
            runtime, scenes=scenes, credits_card=True, review=True, transitions="cut",
            outputs=[{}, {"aspect_ratio": "9:16"}],
        )  # fmt: skip
        assert job.state == "awaiting_review" and (await finished_steps(runtime))["card"] == 0
        made, _ = await render(runtime, job.id)
        assert (await finished_steps(runtime))["card"] == 2
        assert {len(made.files_of(name)) for name in (None, "9x16")} == {7}
        assert [one.duration_s for one in made.outputs] == [made.duration_s] * 2


async def test_credits_say_who_made_what_and_where_it_is_seen(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    tone = media.tone(tmp_path / "music.wav", seconds=2)
    track = Track(
        path=tone, place="a.wav", title="Waves", mood="calm", licence="CC BY 4.0", author="Clara",
        page_url="https://m.example/waves", licence_url="https://creativecommons.org/licenses/by/4.0/",
    )  # fmt: skip
    async with workshop(tmp_path / "data", providers=(stock(files),), library=FakeMusic((track,))) as runtime:
        made = result(await make(runtime, scenes=SCENES, transitions="cut"))

        async def text(role: str) -> str:
            return (await runtime.assets.local(made.files[role].digest)).read_text(encoding="utf-8")

        written: list[dict[str, Any]] = json.loads(await text("credits"))
        assert [one["kind"] for one in written] == ["video", "video", "music"]
        assert [one["author"] for one in written] == [*AUTHORS[:2], "Clara"]
        assert {"provider", "author", "author_url", "page_url", "licence", "title", "licence_url"} < set(written[0])
        scenes = sorted(number for one in written for number in one["scenes"])
        assert scenes == [1, 2, 3], "one of the clips is shown twice"
        whole = [span for one in written for span in one["seconds"]]
        assert sum(end - start for start, end in whole) == pytest.approx(made.duration_s, abs=0.01)
        assert [one.author for one in made.credits] == [one["author"] for one in written]
        described = await text("description")
        assert "Footage and music:\nVideo by Ada Lovelace on Pexels: https://x.example/clip0\n" in described
        licence = "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"
        assert f'Music: "Waves" by Clara ({licence}): https://m.example/waves' in described
        assert made.files["description"].name == "description.txt"


async def test_settings_say_whether_there_is_a_card_and_a_description(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    settings = settings_for(
        tmp_path / "data", VIDGEND_CREDITS__CARD="true", VIDGEND_CREDITS__DESCRIPTION="false"
    )  # fmt: skip
    async with workshop(tmp_path / "data", settings=settings, providers=(stock(files),)) as runtime:
        made = result(await make(runtime, scenes=SCENES[:1]))
        assert "description" not in made.files and (await finished_steps(runtime))["card"] == 1
        result(await make(runtime, scenes=SCENES[:1], credits_card=False))
        assert (await finished_steps(runtime))["card"] == 1


async def test_a_song_of_ones_own_is_called_as_its_tags_say(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 2)
    folder = tmp_path / "music"
    folder.mkdir()
    tone = media.tone(tmp_path / "tone.wav", seconds=2)
    media.make(
        ffmpeg.path,
        [
            "-i", str(tone), "-metadata", "title=Ebb\n    artist          : Nobody", "-metadata", "artist=Клара",
            "-metadata", "copyright=CC BY 4.0", "-f", "ogg", "-c:a", "libvorbis",
        ],
        folder / "a.ogg",
    )  # fmt: skip
    async with workshop(tmp_path / "data", providers=(stock(files),), library=FolderMusic(folder)) as runtime:
        made = result(await make(runtime, scenes=SCENES[:1]))
        (song,) = [one for one in made.credits if one.kind == "music"]
        assert (song.title, song.author, song.licence) == ("Ebb", "Клара", "CC BY 4.0")


@pytest.mark.parametrize("fps", ["24000/1001", "60000/1001"])
async def test_a_card_is_exact_at_any_rate_whatever_the_authors_are_called(
    ffmpeg: Ffmpeg, tmp_path: Path, fps: str
) -> None:
    files = clips(ffmpeg.path, tmp_path / "clips", 3)
    hostile = ("\u200b", "{\\p1}m 0 0\\N{\\an1}, a}", "\u202eA\nb" + "W" * 400)
    found = tuple(
        replace(authored(number), credit=Credit(provider="pexels", author=name, page_url="javascript:1"))
        for number, name in enumerate(hostile)
    )
    provider = FakeFootage({"*": found}, files, name="pexels")
    settings = settings_for(tmp_path / "data", VIDGEND_RENDER__RESOLUTION="256x144")
    async with workshop(tmp_path / "data", settings=settings, providers=(provider,)) as runtime:
        made = result(await make(runtime, scenes=SCENES, transitions="dissolve", credits_card=True, fps=fps))
        tracks = await packets(ffmpeg, await runtime.assets.local(made.files["video"].digest))
        words = (await runtime.assets.local(made.files["description"].digest)).read_text(encoding="utf-8")
    assert made.report["passed"] and tracks["video"].packets == made.report["frames"]
    assert abs(tracks["video"].duration_s - tracks["audio"].duration_s) < 1 / 1000
    ends = [span[1] for one in made.credits for span in one.seconds]
    assert made.report["frames"] == round((max(ends) + 4.5) * Fraction(fps))
    assert "javascript" not in words and "\u202e" not in words and words.count("\n") == len(words.splitlines())
