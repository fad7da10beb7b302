"""What is written beside and into files: read where it is meant, bounded, and never trusted."""

from __future__ import annotations

import json

import pytest

from vidgend.pipeline.footage.library_words import (
    MAX_TAG,
    MAX_TAGS,
    MAX_TEXT,
    Caption,
    by_name,
    of_header,
    of_sidecar,
    of_xmp,
)

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The red barn</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>farm</rdf:li><rdf:li>dusk &amp; fog</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_a_name_is_read_with_its_folders_innermost_first() -> None:
    assert by_name("2019/Lisbon_trip/red-tram_2.mp4") == Caption(text="red tram 2", tags=("Lisbon trip", "2019"))


def test_xmp_is_read_from_a_sidecar_and_from_inside_a_photo() -> None:
    told = Caption(text="The red barn", tags=("farm", "dusk & fog"))
    assert of_sidecar("a.xmp", XMP.encode()) == told
    assert of_xmp(b"\xff\xd8\xff\xe1\x00\xffhttp://ns.adobe.com/xap/1.0/\0" + XMP.encode() + b"\xff\xda\0\0") == told


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<x:xmpmeta", b"<x:xmpmeta></x:xmpmeta>", b"<x:xmpmeta xmlns:x='a'><b></x:xmpmeta>", b"\0" * 900,
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><!DOCTYPE a [<!ENTITY b 'c'>]>&b;</x:xmpmeta>",
        b"<x:xmpmeta>" * 20_000, b"<x:xmpmeta " * 20_000,
        b"<x:xmpmeta xmlns:x='a' xmlns:d='http://purl.org/dc/elements/1.1/'>" + b"<d:title>" * 9_000 + b"</d:title>" * 9_000
        + b"</x:xmpmeta>",
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_xmp_says_nothing(raw: bytes) -> None:
    assert of_xmp(raw) == Caption()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"3",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b'{"title": 3, "tags": {"a": 1}}',
    ],
)
def test_what_is_no_description_says_nothing(raw: bytes) -> None:
    assert of_sidecar("a.json", raw) == Caption()


def test_everything_is_bounded_and_one_line() -> None:
    told = of_sidecar(
        "a.json",
        json.dumps({"title": "a\x00b\nc\u202e" * 9000, "tags": ["t" * 999] + [f"{n}" for n in range(9000)]}).encode(),
    )
    assert len(told.text) <= MAX_TEXT and told.text.isprintable() and told.text.startswith("a b c")
    assert len(told.tags) == MAX_TAGS and len(told.tags[0]) == MAX_TAG
    assert len((told + told).text) <= MAX_TEXT and (told + told).tags == told.tags


def test_a_headers_keywords_are_tags_and_the_rest_is_text() -> None:
    said = (("title", "Harbour"), ("keywords", "sea; gulls,boats"), ("comment", "harbour"))
    assert of_header(said) == Caption(text="Harbour. harbour", tags=("sea", "gulls", "boats"))
