"""What a file really is, told by its first bytes. A name proves nothing.

ffmpeg guesses a format from content as well, and so a playlist called `holiday.mp4` makes it open other files.
Callers sniff first and then force the demuxer (`-f`) that is named here. Text formats (HLS, ffconcat, SVG) have no
entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Demuxer = Literal[
    "mov", "matroska", "gif", "png_pipe", "jpeg_pipe", "webp_pipe", "webp_anim", "mp3", "wav", "ogg", "flac"
]

HEAD_BYTES = 64
"""How many leading bytes `sniff` wants to see; fewer are fine for a file that has no more."""

_MOV_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A "})
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"jxl "})
_LARGEST_FIRST_ATOM_BYTES = 1024
"""A real `ftyp` is some dozens of bytes; a larger number is text that happens to say `ftyp`."""


@dataclass(frozen=True, kw_only=True)
class MediaType:
    """`demuxer` is ffmpeg's name for `-f`; `suffix` a file name ending with its dot."""

    demuxer: Demuxer
    kind: Literal["video", "photo", "audio"]
    content_type: str
    suffix: str


_MP4 = MediaType(demuxer="mov", kind="video", content_type="video/mp4", suffix=".mp4")
_M4A = MediaType(demuxer="mov", kind="audio", content_type="audio/mp4", suffix=".m4a")
_QUICKTIME = MediaType(demuxer="mov", kind="video", content_type="video/quicktime", suffix=".mov")
_MATROSKA = MediaType(demuxer="matroska", kind="video", content_type="video/x-matroska", suffix=".mkv")
_WEBM = MediaType(demuxer="matroska", kind="video", content_type="video/webm", suffix=".webm")
_GIF = MediaType(demuxer="gif", kind="video", content_type="image/gif", suffix=".gif")
_PNG = MediaType(demuxer="png_pipe", kind="photo", content_type="image/png", suffix=".png")
_JPEG = MediaType(demuxer="jpeg_pipe", kind="photo", content_type="image/jpeg", suffix=".jpg")
_WEBP = MediaType(demuxer="webp_pipe", kind="photo", content_type="image/webp", suffix=".webp")
_WEBP_ANIMATION = MediaType(demuxer="webp_anim", kind="video", content_type="image/webp", suffix=".webp")
_MP3 = MediaType(demuxer="mp3", kind="audio", content_type="audio/mpeg", suffix=".mp3")
_WAV = MediaType(demuxer="wav", kind="audio", content_type="audio/wav", suffix=".wav")
_OGG = MediaType(demuxer="ogg", kind="audio", content_type="audio/ogg", suffix=".ogg")
_FLAC = MediaType(demuxer="flac", kind="audio", content_type="audio/flac", suffix=".flac")


def sniff(head: bytes) -> MediaType | None:
    """The type of the file that starts with `head`; None for everything that vidgend does not feed to ffmpeg.

    None too for HEIC and AVIF pictures. Only newer ffmpegs have the demuxer for animated WebP.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if head.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _GIF
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _WEBM if b"webm" in head[:HEAD_BYTES] else _MATROSKA
    if head.startswith(b"RIFF"):
        return _riff(head)
    if head.startswith(b"OggS\x00"):
        return _OGG
    if head.startswith(b"fLaC"):
        return _FLAC
    if head[4:8] in _MOV_ATOMS:
        return _mov(head)
    return _MP3 if _is_mp3(head) else None


def _riff(head: bytes) -> MediaType | None:
    form = head[8:12]
    if form == b"WAVE":
        return _WAV
    if form != b"WEBP":
        return None
    animated = head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0x02)
    return _WEBP_ANIMATION if animated else _WEBP


def _mov(head: bytes) -> MediaType | None:
    if head[4:8] != b"ftyp":
        return _QUICKTIME
    if not 8 <= int.from_bytes(head[:4], "big") <= _LARGEST_FIRST_ATOM_BYTES:
        return None
    brand = head[8:12]
    if brand in _STILL_BRANDS:
        return None
    if brand in _AUDIO_BRANDS:
        return _M4A
    return _QUICKTIME if brand == b"qt  " else _MP4


def _is_mp3(head: bytes) -> bool:
    """An ID3v2 tag, or a frame header of MPEG audio layer II or III with a legal bit rate and sample rate.

    Source: ISO/IEC 11172-3, 2.4.1.3. Layer I is left out: its sync word is also the byte order mark of UTF-16.
    """
    if head.startswith(b"ID3"):
        return len(head) > 9 and head[3] in (2, 3, 4) and all(byte < 0x80 for byte in head[6:10])
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 0b11, head[1] >> 1 & 0b11
    bit_rate, sample_rate = head[2] >> 4, head[2] >> 2 & 0b11
    return version != 0b01 and layer in (0b01, 0b10) and bit_rate not in (0, 0b1111) and sample_rate != 0b11
