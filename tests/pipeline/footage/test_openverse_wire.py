"""What is read from Openverse's answers, in the shape that its API describes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vidgend.errors import ProviderGarbage
from vidgend.models import Candidate
from vidgend.pipeline.footage.openverse_wire import parse_images


def image(**changes: Any) -> dict[str, Any]:
    return {
        "id": "4bc43a04-ef46-4544-a0c1-63c63f56e276",
        "title": "Tree Bark Photo",
        "indexed_on": "2023-01-09T06:10:45.466000Z",
        "foreign_landing_url": "https://stocksnap.io/photo/XNVBVXO3B7",
        "url": "https://cdn.stocksnap.io/img-thumbs/960w/XNVBVXO3B7.jpg",
        "creator": "A. Person",
        "creator_url": "https://person.example",
        "license": "by",
        "license_version": "2.0",
        "license_url": "https://creativecommons.org/licenses/by/2.0/",
        "provider": "stocksnap",
        "source": "stocksnap",
        "category": "photograph",
        "filesize": 435_000,
        "filetype": "jpg",
        "tags": [{"name": "tree", "accuracy": None}, {"name": "bark", "accuracy": 0.9}, {"accuracy": 1}, 7],
        "attribution": '"Tree Bark Photo" by A. Person is licensed under CC BY 2.0.',
        "fields_matched": [],
        "mature": False,
        "height": 640,
        "width": 960,
        "thumbnail": "https://api.openverse.org/v1/images/4bc43a04-ef46-4544-a0c1-63c63f56e276/thumb/",
        **changes,
    }


def page(*images: Any) -> bytes:
    return json.dumps({"result_count": 1, "page_count": 1, "page": 1, "results": list(images)}).encode()


def parse(*images: Any) -> tuple[Candidate, ...]:
    return parse_images(page(*images), ("cc0", "pdm", "by", "by-sa"))


def test_an_image_becomes_a_candidate_with_all_that_its_licence_asks_to_name() -> None:
    (found,) = parse(image())
    assert (found.provider, found.id, found.kind) == ("openverse", "4bc43a04-ef46-4544-a0c1-63c63f56e276", "photo")
    assert (found.description, found.tags) == ("Tree Bark Photo", ("tree", "bark"))
    assert (found.width_px, found.height_px, found.renditions[0].size_bytes) == (960, 640, 435_000)
    credit = found.credit
    assert (credit.title, credit.author, credit.author_url) == (
        "Tree Bark Photo", "A. Person", "https://person.example",
    )  # fmt: skip
    assert (credit.licence, credit.licence_url) == ("CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/")
    assert credit.page_url == "https://stocksnap.io/photo/XNVBVXO3B7"


@pytest.mark.parametrize(
    ("licence", "version", "name"),
    [
        ("cc0", "1.0", "CC0 1.0"),
        ("pdm", "1.0", "Public Domain Mark 1.0"),
        ("BY", "4.0", "CC BY 4.0"),
        ("by-sa", "3.0", "CC BY-SA 3.0"),
        ("by", None, "CC BY"),
        ("by", "<script>", "CC BY"),
        ("by-nc", "2.0", None),
        ("by-nd", "2.0", None),
        ("by-nc-sa", "2.0", None),
        ("sampling+", "1.0", None),
        ("", None, None),
    ],
)
def test_only_licences_that_allow_business_and_changes_are_taken(
    licence: str, version: str | None, name: str | None
) -> None:
    found = parse(image(license=licence, license_version=version))
    assert [item.credit.licence for item in found] == ([name] if name else [])


def test_of_those_the_ones_that_were_chosen_are_taken() -> None:
    both = page(image(), image(id="b", license="cc0"))
    assert [item.id for item in parse_images(both, ("cc0",))] == ["b"]


@pytest.mark.parametrize("unwanted", [{"mature": True}, {"filetype": "svg"}, {"filetype": "GIF"}])
def test_what_is_not_for_all_ages_or_no_photo_is_left_out(unwanted: dict[str, Any]) -> None:
    assert parse(image(**unwanted)) == ()


def test_much_may_be_missing() -> None:
    names = ("title", "creator", "creator_url", "filesize", "filetype", "tags", "height", "width", "thumbnail")
    (found,) = parse(image(**dict.fromkeys(names)))
    assert (found.description, found.width_px, found.preview_url, found.credit.author) == ("", 0, None, "")
    assert parse(image(title=None))[0].description == "tree, bark"


@pytest.mark.parametrize("bad", [{"id": "../x"}, {"id": 7}, {"url": "file:///etc/passwd"}, {"url": None}])
def test_one_bad_entry_does_not_spoil_the_rest(bad: dict[str, Any]) -> None:
    assert len(parse(image(**bad), image(), None, 7)) == 1
    with pytest.raises(ProviderGarbage):
        parse(image(**bad))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"results": 1}', b"\xff\xfe", b"[" * 99_999, b'{"hits": []}'])
def test_an_answer_of_another_shape_is_garbage(body: bytes) -> None:
    with pytest.raises(ProviderGarbage, match="Openverse"):
        parse_images(body, ("by",))
