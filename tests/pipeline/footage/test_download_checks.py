"""What headers prove about a file."""

from __future__ import annotations

import base64
import hashlib

import pytest

from vidgend.pipeline.footage.download_checks import (
    Part,
    checksum,
    content_length,
    content_range,
    far_off,
    strong_validator,
)

SHA256 = base64.b64encode(hashlib.sha256(b"a").digest()).decode()
SHA512 = base64.b64encode(hashlib.sha512(b"a").digest()).decode()
MD5 = base64.b64encode(hashlib.md5(b"a", usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("bytes 5-9/10", Part(first=5, last=9, total=10)),
        ("bytes 0-0/*", Part(first=0, last=0, total=None)),
        ("bytes 5-10/10", None),
        ("bytes 9-5/10", None),
        ("bytes */10", None),
        ("5-9/10", None),
        ("", None),
        ("bytes 5-9/" + "9" * 40, None),
    ],
)
def test_a_part_says_where_it_belongs_or_nothing(text: str, part: Part | None) -> None:
    assert content_range({"content-range": text}) == part


@pytest.mark.parametrize(
    ("text", "length"), [("12", 12), ("0", 0), ("", None), ("-1", None), ("1e3", None), ("²", None)]
)
def test_a_length_is_a_plain_number(text: str, length: int | None) -> None:
    assert content_length({"content-length": text}) == length


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"abc"'}, '"abc"'),
        ({"etag": 'W/"abc"'}, None),
        ({"etag": "abc"}, None),
        ({"etag": '"a\r\nX: y"'}, None),
        ({"last-modified": "Mon, 02 Jan 2023 03:04:05 GMT", "date": "Mon, 02 Jan 2023 03:05:05 GMT"},
         "Mon, 02 Jan 2023 03:04:05 GMT"),
        ({"last-modified": "Mon, 02 Jan 2023 03:04:05 GMT", "date": "Mon, 02 Jan 2023 03:04:55 GMT"}, None),
        ({"last-modified": "Mon, 02 Jan 2023 03:04:05 GMT"}, None),
        ({"last-modified": "yesterday", "date": "today"}, None),
        ({"etag": 'W/"a"', "last-modified": "Mon, 02 Jan 2023 03:04:05 GMT", "date": "Tue, 03 Jan 2023 03:04:05 GMT"},
         None),
        ({}, None),
    ],
)  # fmt: skip
def test_only_what_is_sure_validates(headers: dict[str, str], validator: str | None) -> None:
    assert strong_validator(headers) == validator


@pytest.mark.parametrize(
    ("headers", "of_whole", "of_part"),
    [
        ({"repr-digest": f"sha-256=:{SHA256}:"}, "sha256", "sha256"),
        ({"repr-digest": f"md5=:{MD5}:, sha-512=:{SHA512}:"}, "md5", "md5"),
        ({"digest": f"unixsum=30637, SHA-256={SHA256}"}, "sha256", "sha256"),
        ({"content-digest": f"sha-512=:{SHA512}:"}, "sha512", None),
        ({"content-md5": MD5}, "md5", None),
        ({"digest": "sha-256=short", "content-md5": "nonsense"}, None, None),
        ({"etag": '"d41d8cd98f00b204e9800998ecf8427e"'}, None, None),
    ],
)
def test_a_checksum_is_one_of_the_whole_file(
    headers: dict[str, str], of_whole: str | None, of_part: str | None
) -> None:
    whole, part = checksum(headers, whole=True), checksum(headers, whole=False)
    assert (whole and whole.algorithm, part and part.algorithm) == (of_whole, of_part)


def test_a_file_is_another_one_if_its_size_is_far_off() -> None:
    assert [far_off(size, 1000) for size in (499, 500, 2000, 2001)] == [True, False, False, True]
    assert not far_off(5, 0)
