"""Types told by content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.media_kind import sniff


@pytest.mark.parametrize(
    ("head", "demuxer", "kind", "suffix"),
    [
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "mov", "video", ".mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ", "mov", "video", ".mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "mov", "video", ".mov"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00M4A isomiso2", "mov", "audio", ".m4a"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "matroska", "video", ".mkv"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "matroska", "video", ".webm"),
        (b"GIF89a\x40\x01\xc8\x00", "gif", "video", ".gif"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "png_pipe", "photo", ".png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "jpeg_pipe", "photo", ".jpg"),
        (b"RIFF\x0a\x0f\x00\x00WEBPVP8 ", "webp_pipe", "photo", ".webp"),
        (b"RIFF\x0a\x0f\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10", "webp_pipe", "photo", ".webp"),
        (b"RIFF\x0a\x0f\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00", "webp_anim", "video", ".webp"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x22TSSE", "mp3", "audio", ".mp3"),
        (b"\xff\xfb\x90\x64\x00", "mp3", "audio", ".mp3"),
        (b"RIFF\x8a\xac\x00\x00WAVEfmt ", "wav", "audio", ".wav"),
        (b"OggS\x00\x02\x00\x00", "ogg", "audio", ".ogg"),
        (b"fLaC\x00\x00\x00\x22", "flac", "audio", ".flac"),
    ],
)
def test_known_files_are_known(head: bytes, demuxer: str, kind: str, suffix: str) -> None:
    found = sniff(head)
    assert found is not None
    assert (found.demuxer, found.kind, found.suffix) == (demuxer, kind, suffix)
    assert "/" in found.content_type


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nfile:///etc/passwd",
        b"ffconcat version 1.0\nfile 'secret.ts'\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
        b"textftyp and so on",
        b"\xff\xfeu\x00t\x00f\x00",
        b"ID3 is a kind of tag, says this text",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00mif1heic",
        b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1",
        b"\xff\xf1\x50\x80",
        b"Og",
    ],
)
def test_playlists_pages_and_unwanted_types_are_nothing(head: bytes) -> None:
    assert sniff(head) is None


ASCII = st.characters(min_codepoint=9, max_codepoint=126)


@given(st.text(alphabet=ASCII, max_size=80).filter(lambda text: not text.startswith("GIF8")))
def test_no_plain_text_is_media(text: str) -> None:
    assert sniff(text.encode()) is None


@given(st.binary(max_size=80))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    sniff(head)
