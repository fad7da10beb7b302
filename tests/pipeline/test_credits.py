"""What is said of those who made clips and songs: the entries, the sentences, the text, and the card's script."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from vidgend.models import Brief, Clip, Credit, MediaCredit, Scene, Storyboard
from vidgend.pipeline.captions.fonts import FontCatalog, fonts_folder
from vidgend.pipeline.captions.presets import Frame
from vidgend.pipeline.card_ass import Card, card_script
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.credit_words import credit_words
from vidgend.pipeline.credits import PAINTED, credits_of, sentence, short_names, song_credits
from vidgend.pipeline.credits_to_card import lay_out_card
from vidgend.pipeline.video_to_description import chapters_of, description_of

BRIEF = Brief(prompt="the sea")
SHIPPED = FontCatalog([fonts_folder()])
CC = "https://creativecommons.org/licenses/by/4.0/"


def credit(provider: str = "pexels", **more: Any) -> MediaCredit:
    return MediaCredit(
        **{"provider": provider, "kind": "video", "author": "Ada", "page_url": "https://x.org/1", **more}
    )


def scene(index: int, name: str, *, text: str = "Waves roll in.", frames: int = 60, **more: Any) -> Scene:
    clip = Clip(
        provider="pexels", id=name, kind="video", description=f"a {name}", query="", credit=Credit(provider="pexels"),
    )  # fmt: skip
    return Scene(
        index=index, narration=text, queries=(), frames=frames, start_frame=index * frames, clip=replace(clip, **more)
    )


def board(*scenes: Scene, title: str = "The sea", language: str = "en") -> Storyboard:
    return Storyboard(title=title, language=language, planner="", stretch=False, fps="30", scenes=scenes)


def test_each_clip_and_each_song_is_named_once_with_where_it_is_seen() -> None:
    scenes = (scene(0, "wave"), scene(1, "boat"), scene(2, "wave"), scene(3, "mine", provider="upload"))
    music = {"tracks": [{"title": "Tide", "licence": "MIT"}, {"title": "Ebb", "licence": "", "author": "Clara"}]}
    found = credits_of(BRIEF, scenes, song_credits(music))
    assert [(one.kind, one.title, one.scenes) for one in found] == [
        ("video", "a wave", (1, 3)), ("video", "a boat", (2,)), ("upload", "a mine", (4,)), ("music", "Tide", ()),
        ("music", "Ebb", ()),
    ]  # fmt: skip
    assert found[0].seconds == ((0.0, 2.0), (4.0, 6.0)) and found[3].seconds == ()
    assert [one.author for one in found[3:]] == ["Tide", "Clara"], "the title, where nobody is known"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (credit(), "Video by Ada on Pexels: https://x.org/1"),
        (credit(kind="photo"), "Photo by Ada on Pexels: https://x.org/1"),
        (credit("pixabay"), "Video by Ada from Pixabay: https://x.org/1"),
        (credit("pixabay_photos", kind="photo"), "Photo by Ada from Pixabay: https://x.org/1"),
        (credit(author=""), "Video from Pexels: https://x.org/1"),
        (
            credit("openverse", kind="photo", title="Gulls", licence="CC BY 4.0", licence_url=CC),
            f'"Gulls" by Ada is licensed under CC BY 4.0 {CC}: https://x.org/1 (changed: cut and cropped)',
        ),
        (
            credit("wikimedia", title="Gulls", licence="CC0 1.0", author=""),
            '"Gulls" is marked with CC0 1.0: https://x.org/1',
        ),
        (credit("library", page_url=""), "Video by Ada"),
        (credit("library", author="", page_url=""), ""),
        (credit("upload", kind="upload", author="", page_url=""), ""),
        (credit("generated", kind="generated", author=""), PAINTED),
        (credit("music", kind="music", title="Tide", author="Tide", licence="MIT", page_url=""), 'Music: "Tide" (MIT)'),
        (credit("music", kind="music", title="Tide", author="Bo", page_url="javascript:1"), 'Music: "Tide" by Bo'),
    ],
)
def test_the_sentences_are_those_that_the_services_ask_for(one: MediaCredit, said: str) -> None:
    assert sentence(one) == said


def test_what_a_provider_says_cannot_break_the_line() -> None:
    bad = scene(0, "wave", credit=Credit(provider="pexels", author="A\nVideo by B\u202e" + "x" * 999))
    (found,) = credits_of(BRIEF, (bad,), ())
    assert found.author.startswith("A Video by Bxx") and len(found.author) == 200
    assert "\n" not in sentence(found)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "file:///etc/passwd", "//x.org/1", "https://x.org/\nVideo by B", "https://x.org/\u202efdp.exe",
        "https://x.org/ a", "https://x.org/\u200b", "https://x.org/" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_plain_address_of_a_page_is_named_nowhere(url: str) -> None:
    given = Credit(provider="pexels", author="Ada", page_url=url, author_url=url, licence_url=url, licence="CC BY 4.0")
    (found,) = credits_of(BRIEF, (scene(0, "wave", credit=given),), ())
    assert (found.page_url, found.author_url, found.licence_url) == ("", "", "")
    (song,) = song_credits({"tracks": [{"title": "Tide", "licence": "", "page_url": url, "licence_url": url}]})
    (heard,) = credits_of(BRIEF, (), (song,))
    assert sentence(heard) == 'Music: "Tide"'


@pytest.mark.parametrize("name", ["\u200b", "\u200d\u200d", "\u202e\u2066", " \t\n", "\ufeff"])
def test_a_name_of_which_nothing_is_seen_is_none(name: str) -> None:
    (found,) = credits_of(BRIEF, (scene(0, "wave", credit=Credit(provider="pexels", author=name)),), ())
    assert found.author == "" and sentence(found) == "Video from Pexels"


@pytest.mark.parametrize("name", ["\u200b", "\u200d", "\ufe0f", "\u00ad", "\u2060", "\u0301", ""])
def test_a_card_stands_any_name(name: str) -> None:
    frame = Frame(width_px=1080, height_px=1920)
    names = [(name, ""), (name, name), (name, "Pexels"), ("Ada", name)]
    faces = SHIPPED.preference(None, "en")
    made = card_script(names, heading="Footage", more="{count} more", frame=frame, faces=faces, until_s=4.0)
    assert any("Ada" in text for *_, text in lines(made))


def test_a_description_has_title_summary_and_each_sentence_once() -> None:
    scenes = (scene(0, "wave", text="The tide turns. Gulls cry."), scene(1, "boat"))
    text = description_of(BRIEF, board(*scenes), [credit(), credit(), credit("generated", kind="generated", author="")])
    assert text == (f"The sea\n\nThe tide turns.\n\nFootage:\nVideo by Ada on Pexels: https://x.org/1\n{PAINTED}\n")
    german = description_of(replace(BRIEF, language="de"), board(scene(0, "wave", text="The sea.")), [])
    assert german == "The sea\n", "a summary that says what the title says is left out, and so are empty credits"


def test_chapters_begin_at_zero_and_last_ten_seconds_each() -> None:
    brief = BRIEF
    texts = ["Rivers begin small. Really.", "", "They grow.", "They meet.", "The sea takes all.", "The end."]
    long = board(*(scene(at, "x", text=text, frames=30 * 28) for at, text in enumerate(texts)))
    assert chapters_of(brief, long) == [
        ("0:00", "Rivers begin small."), ("0:56", "They grow."), ("1:24", "They meet."), ("1:52", "The sea takes all."),
        ("2:20", "The end."),
    ]  # fmt: skip
    assert "Chapters:\n0:00 Rivers begin small.\n0:56" in description_of(brief, long, [])
    many = board(*(scene(at, "x", text=f"Part {at}.", frames=30 * 4) for at in range(60)))
    times = [at for at, _ in chapters_of(brief, many)]
    assert times[:2] == ["0:00", "0:20"] and len(times) == 12
    assert chapters_of(brief, board(*many.scenes[:29])) == [], "a short video has none"
    assert chapters_of(brief, board(*(scene(at, "x", frames=30 * 70) for at in range(2)))) == [], "two are too few"


def test_the_length_of_a_card_follows_the_scenes() -> None:
    asked = replace(BRIEF, credits_card=True)
    assert [card_frames(asked, count) for count in (1, 4, 10, 200)] == [105, 150, 240, 240]
    assert card_frames(BRIEF, 4) == 0
    assert card_frames(replace(asked, fps="30000/1001"), 1) == 105


def card(count: int, frame: Frame, *, name: str = "Author {}") -> Card:
    names = [(name.format(number), "Pexels") for number in range(count)]
    return card_script(
        names, heading="Footage", more="and {count} more", frame=frame, faces=SHIPPED.preference(None, "en"), until_s=5.0
    )  # fmt: skip


def lines(made: Card) -> list[tuple[float, float, float, str]]:
    """(x, y, size in pixels, text) of each line of text."""
    found = []
    for row in made.ass.splitlines():
        place = re.search(r"\\pos\(([\d.]+),([\d.]+)\)\\fad", row)
        if row.startswith("Dialogue: 1") and place:
            text = row.split(",,", 1)[1].split(",,")[-1]
            size = float(re.search(r"\\fs([\d.]+)", row)[1])  # type: ignore[index]
            found.append((float(place[1]), float(place[2]), size, re.sub(r"{.*?}", "", text)))
    return found


@pytest.mark.parametrize("count", [0, 1, 3, 8, 12, 13, 14, 15, 16, 25, 40, 200])
@pytest.mark.parametrize(
    "frame",
    [
        Frame(width_px=1920, height_px=1080), Frame(width_px=1920, height_px=1080, bar_px=138),
        Frame(width_px=1080, height_px=1920), Frame(width_px=1080, height_px=1080), Frame(width_px=1080, height_px=1350),
        Frame(width_px=320, height_px=180),
    ],
    ids=lambda frame: f"{frame.width_px}x{frame.height_px}-{frame.bar_px}",
)  # fmt: skip
def test_all_names_stand_in_the_safe_area_or_are_counted(count: int, frame: Frame) -> None:
    made = card(count, frame)
    found = lines(made)
    assert made.shown > 0 or not count
    texts = [text for *_, text in found]
    assert texts[0] == "Footage"
    assert (f"and {count - made.shown} more" in texts[-1]) == (made.shown < count)
    assert len(texts) == 1 + made.shown + (made.shown < count)
    for _, y, size, text in found:
        assert y >= frame.top_px - 1 and y + size <= frame.height_px - frame.bottom_px + size * 0.35, text
        assert size >= 0.03 * frame.short_px
    columns: dict[float, list[float]] = {}
    for x, y, size, _ in found[1:]:
        assert all(abs(y - other) >= size for other in columns.setdefault(x, []))
        columns[x].append(y)
    assert len(columns) <= (2 if frame.shape == "tall" else 3)


def test_a_name_that_is_too_long_is_cut_and_never_leaves_its_column() -> None:
    frame = Frame(width_px=1080, height_px=1920)
    made = card(3, frame, name="Maximiliane-Theodora {} " + "von und zu Hohenstein " * 8)
    texts = [text for *_, text in lines(made)][1:]
    assert all("…" in text and text.endswith("Pexels") for text in texts)


def test_names_that_no_font_draws_are_counted_and_signs_are_only_left_out() -> None:
    faces = SHIPPED.preference(None, "en")
    frame = Frame(width_px=640, height_px=360)
    names = [
        ("王小明", "Pexels"),
        ("Ada \U0001f338", "Pexels"),
        ("محمد علي", "Pexels"),
        ("प्रिया", "Pexels"),
        ("x{\\b1}", "P"),
        ("\U0001f338", "Pexels"),
    ]
    made = card_script(names, heading="Footage", more="and {count} more", frame=frame, faces=faces, until_s=4.0)
    texts = [text for *_, text in lines(made)]
    assert made.shown == 4 and "王" in made.undrawn and any("2 more" in text for text in texts)
    assert any(text.startswith("Ada") for text in texts)
    assert "{\\b1}" not in made.ass.replace("\\{", ""), "braces of a name are no commands"


async def test_a_heading_that_no_font_draws_is_english_and_a_card_without_names_says_who_made_it() -> None:
    brief = replace(BRIEF, credits_card=True, language="zh")
    shown, told = await lay_out_card(brief, [credit(author="王")], language="zh", scenes=1, fonts=SHIPPED)
    assert "Footage" in shown.ass and told is not None and "Chinese" in told.wanted
    alone, told = await lay_out_card(replace(brief, language="hi"), [], language="hi", scenes=1, fonts=SHIPPED)
    assert "vidgend" in alone.ass and "से" in alone.ass and told is None


def test_short_names_are_each_said_once() -> None:
    rows = short_names(
        [
            credit(), credit(page_url="https://x.org/2"), credit("generated", kind="generated", author=""),
            credit("upload", kind="upload", author="", title="IMG_1"), credit("openverse", author="Bo", licence="CC BY 4.0"),
            credit("music", kind="music", author="Tide", title="Tide", licence="MIT"),
        ]
    )  # fmt: skip
    assert rows == (("Ada", "Pexels"), ("Bo", "CC BY 4.0"), ("Tide", ""))


def test_every_language_of_the_best_voices_has_its_words() -> None:
    for language in ("de", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"):
        words = credit_words(language)
        assert words != credit_words("en") and "{count}" in words.more, language
