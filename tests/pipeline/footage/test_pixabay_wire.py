"""What is read from Pixabay's answers, in the shape that its documentation shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgend.errors import ProviderGarbage
from vidgend.pipeline.footage.pixabay_wire import parse_photos, parse_videos


def file(name: str, width: int, height: int, size: int) -> dict[str, Any]:
    url = f"https://cdn.pixabay.com/video/2015/08/08/125-135736646_{name}"
    return {"url": f"{url}.mp4", "width": width, "height": height, "size": size, "thumbnail": f"{url}.jpg"}


def video(**changes: Any) -> dict[str, Any]:
    return {
        "id": 125,
        "pageURL": "https://pixabay.com/videos/id-125/",
        "type": "film",
        "tags": "flowers, yellow, blossom, flowers",
        "duration": 12,
        "videos": {
            "large": {"url": "", "width": 0, "height": 0, "size": 0, "thumbnail": ""},
            "medium": file("medium", 1920, 1080, 6615235),
            "small": file("small", 1280, 720, 3562083),
            "tiny": file("tiny", 640, 360, 1030736),
        },
        "views": 4462,
        "user_id": 1281706,
        "user": "A. Person",
        "userImageURL": "https://cdn.pixabay.com/user/2015/10/16/09-28-45-303_250x250.png",
        **changes,
    }


def photo(**changes: Any) -> dict[str, Any]:
    return {
        "id": 195893,
        "pageURL": "https://pixabay.com/photos/blossom-bloom-flower-195893/",
        "type": "photo",
        "tags": "blossom, bloom, flower",
        "previewURL": "https://cdn.pixabay.com/photo/2013/10/15/09/12/flower-195893_150.jpg",
        "previewWidth": 150,
        "previewHeight": 84,
        "webformatURL": "https://pixabay.com/get/35bbf209e13e39d2_640.jpg",
        "webformatWidth": 640,
        "webformatHeight": 360,
        "largeImageURL": "https://pixabay.com/get/ed6a99fd0a76647_1280.jpg",
        "imageWidth": 4000,
        "imageHeight": 2250,
        "imageSize": 4731420,
        "user_id": 48777,
        "user": "Josch13",
        **changes,
    }


def page(*hits: Any) -> bytes:
    return json.dumps({"total": len(hits), "totalHits": len(hits), "hits": list(hits)}).encode()


def test_a_video_becomes_a_candidate_with_the_sizes_that_there_are() -> None:
    (found,) = parse_videos(page(video()))
    assert (found.provider, found.id, found.kind, found.duration_s) == ("pixabay", "125", "video", 12)
    assert [(item.width_px, item.size_bytes) for item in found.renditions] == [
        (1920, 6615235), (1280, 3562083), (640, 1030736),
    ]  # fmt: skip
    assert (found.width_px, found.height_px) == (1920, 1080)
    assert found.tags == ("flowers", "yellow", "blossom")
    assert found.preview_url is not None and found.preview_url.endswith("_tiny.jpg")
    assert found.credit.author_url == "https://pixabay.com/users/A.%20Person-1281706/"
    assert found.credit.page_url == "https://pixabay.com/videos/id-125/"
    assert found.credit.licence == "Pixabay Content License"


def test_a_video_without_words_in_its_address_is_described_by_its_tags() -> None:
    assert parse_videos(page(video()))[0].description == "flowers, yellow, blossom"
    assert parse_videos(page(video()))[0].credit.title == ""
    named = video(pageURL="https://pixabay.com/videos/waves-at-dusk-125/")
    assert parse_videos(page(named))[0].description == "waves at dusk"


def test_a_photo_is_as_large_as_its_largest_public_file() -> None:
    (found,) = parse_photos(page(photo()))
    assert (found.id, found.kind, found.description) == ("photo-195893", "photo", "blossom bloom flower")
    assert [(item.width_px, item.height_px) for item in found.renditions] == [(1280, 720), (640, 360)]
    assert (found.width_px, found.height_px, found.duration_s) == (1280, 720, None)


def test_an_account_with_full_access_has_larger_files() -> None:
    more = {"fullHDURL": "https://pixabay.com/get/ed_1920.jpg", "imageURL": "https://pixabay.com/get/ed.jpg"}
    (found,) = parse_photos(page(photo(**more)))
    assert [item.width_px for item in found.renditions] == [4000, 1920, 1280, 640]
    assert [item.size_bytes for item in found.renditions] == [4731420, 0, 0, 0]


@pytest.mark.parametrize(
    "bad",
    [{"id": 0}, {"videos": {}}, {"videos": []}, {"duration": -1}, {"tags": ["a"]}, {"videos": {"tiny": {"url": "x"}}}],
)
def test_one_bad_video_does_not_spoil_the_rest(bad: dict[str, Any]) -> None:
    assert [item.id for item in parse_videos(page(video(**bad), video(), None, 7))] == ["125"]
    with pytest.raises(ProviderGarbage):
        parse_videos(page(video(**bad)))


@pytest.mark.parametrize(
    "bad", [{"imageWidth": 0}, {"largeImageURL": "javascript:alert(1)", "webformatURL": None}, {"imageHeight": "x"}]
)
def test_one_bad_photo_does_not_spoil_the_rest(bad: dict[str, Any]) -> None:
    assert [item.id for item in parse_photos(page(photo(**bad), photo(), [], "x"))] == ["photo-195893"]
    with pytest.raises(ProviderGarbage):
        parse_photos(page(photo(**bad)))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"hits": 1}', b"\xff\xfe", b"[" * 99_999, b'{"videos": []}'])
def test_an_answer_of_another_shape_is_garbage(body: bytes) -> None:
    for parse in (parse_videos, parse_photos):
        with pytest.raises(ProviderGarbage, match="Pixabay"):
            parse(body)


def test_an_empty_answer_is_no_match() -> None:
    assert parse_videos(page()) == parse_photos(page()) == ()


def test_names_and_tags_cannot_break_out_of_their_place() -> None:
    odd = video(user="../../x?<b>\n", tags="a\x1b[31m, " + "b" * 99 + ", ok", pageURL="javascript:alert(1)")
    (found,) = parse_videos(page(odd))
    assert found.credit.author_url == "https://pixabay.com/users/..%2F..%2Fx%3F%3Cb%3E-1281706/"
    assert found.tags == ("a [31m", "ok") and found.credit.page_url == ""
