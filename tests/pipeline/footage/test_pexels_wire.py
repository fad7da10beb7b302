"""What is read from Pexels' answers, in the recorded shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgend.errors import ProviderGarbage
from vidgend.pipeline.footage.pexels_wire import parse_search, rank, slug_words
from vidgend.pipeline.footage.port import FootageQuery


def video(**changes: Any) -> dict[str, Any]:
    """One entry as Pexels sends it."""
    files = [
        ("hd", "video/mp4", 1080, 1920, 29.97),
        ("sd", "video/mp4", 360, 640, 29.97),
        ("hls", "application/x-mpegURL", None, None, None),
        ("hls", "application/x-mpegURL", 1080, 1920, 30),
    ]
    return {
        "id": 2834230,
        "width": 1080,
        "height": 1920,
        "duration": 3,
        "full_res": None,
        "tags": ["couch", 7],
        "url": "https://www.pexels.com/video/a-pet-dog-on-a-couch-2834230/",
        "image": "https://images.pexels.com/videos/2834230/free-video-2834230.jpg",
        "avg_color": None,
        "user": {"id": 1, "name": "A. Person", "url": "https://www.pexels.com/@person"},
        "video_files": [
            {"id": 1, "quality": quality, "file_type": kind, "width": width, "height": height, "fps": fps,
             "link": f"https://videos.pexels.com/{quality}.mp4", "size": 1}
            for quality, kind, width, height, fps in files
        ],
        "video_pictures": [],
        **changes,
    }  # fmt: skip


def page(*videos: Any) -> bytes:
    return json.dumps({"page": 1, "per_page": 15, "total_results": len(videos), "videos": list(videos)}).encode()


def test_a_video_becomes_a_candidate_with_its_mp4_files_alone() -> None:
    (found,) = parse_search(page(video()))
    assert (found.provider, found.id, found.kind, found.duration_s) == ("pexels", "2834230", "video", 3)
    assert found.description == "a pet dog on a couch couch"
    assert [(item.width_px, item.height_px) for item in found.renditions] == [(1080, 1920), (360, 640)]


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "x"},
        {"video_files": []},
        {"video_files": [{"file_type": "video/mp4", "width": 0, "height": 10, "link": "https://a"}]},
        {"video_files": "none"},
        {"duration": -1},
        {"user": []},
    ],
)
def test_one_bad_entry_does_not_spoil_the_rest(bad: dict[str, Any]) -> None:
    assert [item.id for item in parse_search(page(video(**bad), video(), None, 7))] == ["2834230"]
    with pytest.raises(ProviderGarbage):
        parse_search(page(video(**bad)))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"videos": 1}', b"\xff\xfe", b"[" * 99_999, b'{"photos": 1}'])
def test_an_answer_of_another_shape_is_garbage(body: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        parse_search(body)


def test_an_empty_answer_is_no_match() -> None:
    assert parse_search(page()) == ()


def test_links_of_people_and_pages_are_web_links_or_nothing() -> None:
    (found,) = parse_search(page(video(user={"name": "x", "url": "javascript:alert(1)"}, url="data:text/html,x")))
    assert found.credit.author_url == ""
    assert found.credit.page_url == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://www.pexels.com/video/a-pet-dog-on-a-couch-2834230/", "a pet dog on a couch"),
        ("https://www.pexels.com/video/dog-4057316", "dog"),
        ("https://www.pexels.com/video/2834230/", ""),
        ("https://www.pexels.com/de-de/video/hund-1/?x=1", "hund"),
        ("", ""),
    ],
)
def test_the_description_is_the_words_of_the_address(url: str, words: str) -> None:
    assert slug_words(url) == words


def named(number: int, slug: str, **changes: Any) -> dict[str, Any]:
    return video(id=number, url=f"https://www.pexels.com/video/{slug}-{number}/", tags=[], **changes)


def order(*videos: dict[str, Any], **query: Any) -> list[str]:
    wanted = FootageQuery(**{"text": "red car", "width_px": 1080, "height_px": 1920, **query})
    return [item.id for item in rank(parse_search(page(*videos)), wanted)]


def test_equals_stay_in_pexels_order() -> None:
    assert order(named(1, "red-car"), named(2, "red-cars"), named(3, "a-red-car")) == ["1", "2", "3"]


def test_a_clip_that_names_the_thing_passes_one_that_does_not() -> None:
    assert order(named(1, "blue-sky"), named(2, "red-cars")) == ["2", "1"]


def test_a_long_enough_clip_passes_a_short_one() -> None:
    assert order(named(1, "red-car", duration=2), named(2, "red-car", duration=8), duration_s=5) == ["2", "1"]


def test_the_right_shape_passes_every_word() -> None:
    wide = [{"file_type": "video/mp4", "width": 1920, "height": 1080, "link": "https://a"}]
    assert order(named(1, "red-car", video_files=wide), named(2, "sky")) == ["2", "1"]


def test_a_preview_is_a_picture_from_a_third_of_the_video_and_else_the_one_that_is_cut_to_shape() -> None:
    def pictures(*urls: object) -> list[object]:
        return [{"id": 1, "nr": number, "picture": url} for number, url in enumerate(urls)]

    def preview(**changes: Any) -> str | None:
        return parse_search(page(video(**changes)))[0].preview_url

    fine = [f"https://images.example/{number}.jpeg" for number in range(6)]
    assert preview(video_pictures=pictures(*fine)) == fine[2]
    assert preview(video_pictures=list(reversed(pictures(*fine)))) == fine[2], "by number, not by place"
    assert preview(video_pictures=pictures(fine[0], None, "file:///etc/passwd")) == fine[0]
    cut = video()["image"]
    for odd in ([], None, "x", [{"nr": 1}, 7], pictures("https://a/" + "x" * 2000)):
        assert preview(video_pictures=odd) == cut
    assert preview(image=None) is None and preview(image="ftp://x") is None and preview(image=7) is None
