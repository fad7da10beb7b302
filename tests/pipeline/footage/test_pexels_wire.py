"""What is read from Pexels' answers, in the recorded shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgend.errors import ProviderGarbage
from vidgend.pipeline.footage.pexels_wire import parse_photos, parse_videos
from vidgend.pipeline.footage.wire import slug_words


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
             "link": f"https://videos.pexels.com/{quality}.mp4", "size": 1670224}
            for quality, kind, width, height, fps in files
        ],
        "video_pictures": [],
        **changes,
    }  # fmt: skip


def page(*videos: Any) -> bytes:
    return json.dumps({"page": 1, "per_page": 15, "total_results": len(videos), "videos": list(videos)}).encode()


def test_a_video_becomes_a_candidate_with_its_mp4_files_alone() -> None:
    (found,) = parse_videos(page(video()))
    assert (found.provider, found.id, found.kind, found.duration_s) == ("pexels", "2834230", "video", 3)
    assert (found.description, found.tags) == ("a pet dog on a couch", ("couch",))
    assert [(item.width_px, item.height_px) for item in found.renditions] == [(1080, 1920), (360, 640)]
    assert [item.size_bytes for item in found.renditions] == [1670224, 1670224]
    assert (found.width_px, found.height_px, found.average_rgb) == (1080, 1920, None)
    assert found.credit.title == found.description and found.credit.licence == "Pexels License"


def test_a_colour_is_six_digits_or_none() -> None:
    for told, kept in (("#AbCdEf", "#abcdef"), ("#abc", None), ("red", None), (7, None), ("#abcdef; x", None)):
        assert parse_videos(page(video(avg_color=told)))[0].average_rgb == kept


@pytest.mark.parametrize("size", [None, -1, 0, "12", True, 1.5])
def test_a_size_that_is_none_is_not_known(size: object) -> None:
    files = [{"file_type": "video/mp4", "width": 640, "height": 360, "link": "https://a", "size": size}]
    assert parse_videos(page(video(video_files=files)))[0].renditions[0].size_bytes == 0


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
    assert [item.id for item in parse_videos(page(video(**bad), video(), None, 7))] == ["2834230"]
    with pytest.raises(ProviderGarbage):
        parse_videos(page(video(**bad)))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"videos": 1}', b"\xff\xfe", b"[" * 99_999, b'{"photos": 1}'])
def test_an_answer_of_another_shape_is_garbage(body: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        parse_videos(body)


def test_an_empty_answer_is_no_match() -> None:
    assert parse_videos(page()) == ()


def test_links_of_people_and_pages_are_web_links_or_nothing() -> None:
    (found,) = parse_videos(page(video(user={"name": "x", "url": "javascript:alert(1)"}, url="data:text/html,x")))
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


def photo(**changes: Any) -> dict[str, Any]:
    """One entry as Pexels documents it."""
    base = "https://images.pexels.com/photos/2014422/pexels-photo-2014422.jpeg"
    return {
        "id": 2014422,
        "width": 3024,
        "height": 3024,
        "url": "https://www.pexels.com/photo/brown-rocks-during-golden-hour-2014422/",
        "photographer": "A. Person",
        "photographer_url": "https://www.pexels.com/@person",
        "photographer_id": 680589,
        "avg_color": "#978E82",
        "src": {
            "original": base,
            "large2x": f"{base}?auto=compress&cs=tinysrgb&dpr=2&h=650&w=940",
            "large": f"{base}?auto=compress&cs=tinysrgb&h=650&w=940",
            "medium": f"{base}?auto=compress&cs=tinysrgb&h=350",
            "small": f"{base}?auto=compress&cs=tinysrgb&h=130",
            "portrait": f"{base}?auto=compress&cs=tinysrgb&fit=crop&h=1200&w=800",
            "landscape": f"{base}?auto=compress&cs=tinysrgb&fit=crop&h=627&w=1200",
            "tiny": f"{base}?auto=compress&cs=tinysrgb&dpr=1&fit=crop&h=200&w=280",
        },
        "liked": False,
        "alt": "Brown Rocks During Golden Hour",
        **changes,
    }


def photos(*entries: Any) -> bytes:
    return json.dumps({"page": 1, "per_page": 15, "total_results": len(entries), "photos": list(entries)}).encode()


def test_a_photo_becomes_a_candidate_with_the_sizes_that_are_not_cut_to_shape() -> None:
    (found,) = parse_photos(photos(photo()))
    assert (found.provider, found.id, found.kind, found.duration_s) == ("pexels", "photo-2014422", "photo", None)
    assert found.description == found.credit.title == "Brown Rocks During Golden Hour"
    assert found.average_rgb == "#978e82"
    assert [(item.width_px, item.height_px) for item in found.renditions] == [(3024, 3024), (1300, 1300), (650, 650)]
    assert (found.width_px, found.height_px) == (3024, 3024)
    assert found.preview_url is not None and found.preview_url.endswith("h=350")
    assert (found.credit.author, found.credit.author_url) == ("A. Person", "https://www.pexels.com/@person")


def test_a_photo_without_a_text_is_described_by_its_address() -> None:
    for alt in (None, "", "  ", 7):
        assert parse_photos(photos(photo(alt=alt)))[0].description == "brown rocks during golden hour"


def test_the_words_of_a_photo_are_one_bounded_line() -> None:
    (found,) = parse_photos(photos(photo(alt="a\x1b[31m\nb " + "x" * 9999)))
    assert found.description.startswith("a [31m b x") and len(found.description) <= 300


@pytest.mark.parametrize(
    "bad", [{"id": "x"}, {"width": 0}, {"height": 10**9}, {"src": {}}, {"src": {"original": "file:///etc/passwd"}}]
)
def test_one_bad_photo_does_not_spoil_the_rest(bad: dict[str, Any]) -> None:
    assert [item.id for item in parse_photos(photos(photo(**bad), photo(), None, 7))] == ["photo-2014422"]
    with pytest.raises(ProviderGarbage):
        parse_photos(photos(photo(**bad)))
    with pytest.raises(ProviderGarbage):
        parse_photos(page(video()))


def test_each_id_comes_once() -> None:
    assert len(parse_videos(page(video(), video()))) == 1


def test_a_preview_is_a_picture_from_a_third_of_the_video_and_else_the_one_that_is_cut_to_shape() -> None:
    def pictures(*urls: object) -> list[object]:
        return [{"id": 1, "nr": number, "picture": url} for number, url in enumerate(urls)]

    def preview(**changes: Any) -> str | None:
        return parse_videos(page(video(**changes)))[0].preview_url

    fine = [f"https://images.example/{number}.jpeg" for number in range(6)]
    assert preview(video_pictures=pictures(*fine)) == fine[2]
    assert preview(video_pictures=list(reversed(pictures(*fine)))) == fine[2], "by number, not by place"
    assert preview(video_pictures=pictures(fine[0], None, "file:///etc/passwd")) == fine[0]
    cut = video()["image"]
    for odd in ([], None, "x", [{"nr": 1}, 7], pictures("https://a/" + "x" * 2000)):
        assert preview(video_pictures=odd) == cut
    assert preview(image=None) is None and preview(image="ftp://x") is None and preview(image=7) is None
