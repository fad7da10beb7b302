"""Any file that a camera, a phone or a download may be: shown as it is meant, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import media
import numpy as np
import pytest
from screening import clip_of, outcome, rgb, show, show_clip

from vidgend.errors import MediaUnreadable
from vidgend.pipeline.clip_facts import examine
from vidgend.pipeline.ffmpeg import Ffmpeg

RED, GREEN, BLUE, GREY = (200, 30, 40), (30, 180, 60), (40, 60, 210), (128, 128, 128)


def near(pixel: np.ndarray, colour: tuple[int, int, int], within: int = 6) -> bool:
    return bool(np.abs(pixel.astype(int) - np.array(colour)).max() <= within)


def plain(
    ffmpeg: Ffmpeg, path: Path, colour: tuple[int, int, int], chain: str, *codec: str, seconds: float = 1.5
) -> Path:
    """A picture of one colour. `chain` makes what is to be stored out of full-range RGB."""
    source = "color=0x{:02x}{:02x}{:02x}:s=320x180:r=30:d=".format(*colour) + str(seconds)
    return media.make(ffmpeg.path, ["-f", "lavfi", "-i", f"{source},format=gbrp{chain}", *codec], path)


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "4")


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE])
@pytest.mark.parametrize(
    ("matrix", "range_", "size", "tags"),
    [
        ("bt709", "tv", "1280x720", ("-colorspace", "bt709", "-color_range", "tv")),
        ("bt709", "tv", "1280x720", ()),  # HD that says nothing
        ("smpte170m", "tv", "320x240", ("-colorspace", "smpte170m")),
        ("smpte170m", "tv", "320x240", ()),  # SD that says nothing
        ("smpte170m", "tv", "1280x720", ("-colorspace", "smpte170m")),
        ("bt709", "pc", "1280x720", ("-colorspace", "bt709", "-color_range", "pc")),
    ],
)
async def test_colours_survive_whatever_matrix_and_range_they_are_stored_in(
    ffmpeg: Ffmpeg,
    tmp_path: Path,
    colour: tuple[int, int, int],
    matrix: str,
    range_: str,
    size: str,
    tags: tuple[str, ...],
) -> None:
    width, height = size.split("x")
    store = f",scale={width}:{height}:out_color_matrix={matrix}:out_range={range_},format=yuv420p"
    strip = "" if tags else ",setparams=colorspace=unknown:range=unknown"
    clip = plain(ffmpeg, tmp_path / "c.mp4", colour, store + strip, *H264, *tags)
    frames = await show(ffmpeg, clip, tmp_path, frames=10)
    assert near(frames[5, 90, 160], colour), frames[5, 90, 160]


async def test_a_png_and_a_jpeg_keep_their_colours(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    for name, codec in (("c.png", ("-c:v", "png")), ("c.jpg", ("-c:v", "mjpeg", "-q:v", "1"))):
        chain = ",format=rgb24" if name == "c.png" else ",scale=out_color_matrix=smpte170m:out_range=pc,format=yuvj444p"
        photo = plain(ffmpeg, tmp_path / name, RED, chain, *codec, "-frames:v", "1", "-f", "image2", "-update", "1")
        frames = await show(ffmpeg, photo, tmp_path, frames=6)
        assert near(frames[3, 90, 160], RED), (name, frames[3, 90, 160])


def pq(nits: float) -> float:
    share = (nits / 10_000) ** 0.1593017578125
    return float(((0.8359375 + 18.8515625 * share) / (1 + 18.6875 * share)) ** 78.84375)


def hlg(nits: float) -> float:
    light = (nits / 1000) ** (1 / 1.2)
    return float((3 * light) ** 0.5 if light <= 1 / 12 else 0.17883277 * np.log(12 * light - 0.28466892) + 0.55991073)


@pytest.mark.parametrize(("curve", "name"), [(pq, "smpte2084"), (hlg, "arib-std-b67")])
async def test_hdr_is_mapped_to_the_brightness_that_is_meant(
    ffmpeg: Ffmpeg, tmp_path: Path, curve: Callable[[float], float], name: str
) -> None:
    seen = []
    for nits in (1, 20, 100, 203, 600, 1000):
        code = round(curve(nits) * 1023)
        source = f"color=black:s=320x180:r=30:d=1,format=gbrp10le,lutrgb=r={code}:g={code}:b={code}"
        clip = media.make(
            ffmpeg.path,
            ["-f", "lavfi", "-i", f"{source},scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le",
             "-c:v", "libx265", "-x265-params", f"log-level=none:colorprim=bt2020:transfer={name}:colormatrix=bt2020nc",
             "-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", name],
            tmp_path / f"{name}{nits}.mp4",
        )  # fmt: skip
        pixel = (await show(ffmpeg, clip, tmp_path, frames=8))[4, 90, 160].astype(int)
        assert pixel.max() - pixel.min() <= 4  # grey stays grey
        seen.append(int(pixel.mean()))
    assert seen == sorted(seen)
    # Dark parts as they are (paper white is 203 nits, the display has gamma 2.4), white near white, no clipping below.
    for nits, code in zip((20, 100), seen[1:3], strict=True):
        assert abs(code - 255 * (0.8 * nits / 203) ** (1 / 2.4)) < 8, seen
    assert 205 < seen[3] < 240 and seen[3] + 10 < seen[5] and seen[5] >= 250, seen


async def test_wide_gamut_hdr_keeps_its_hue(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    # 100 nits of the red that BT.709 can just show, in BT.2020 primaries.
    code = [round(pq(100 * share) * 1023) for share in (0.6274, 0.0691, 0.0164)]
    source = "color=black:s=320x180:r=30:d=1,format=gbrp10le,lutrgb=r={}:g={}:b={}".format(*code)
    clip = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", f"{source},scale=out_color_matrix=bt2020:out_range=tv,format=yuv444p10le",
         "-c:v", "libx265", "-x265-params", "log-level=none:crf=4:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"],
        tmp_path / "red.mp4",
    )  # fmt: skip
    red, green, blue = (await show(ffmpeg, clip, tmp_path, frames=8))[4, 90, 160].astype(int)
    assert red > 150 and green < 40 and blue < 40


async def test_ten_bit_and_444_are_shown(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    for pixels in ("yuv420p10le", "yuv422p10le", "yuv444p", "gbrp"):
        chain = "" if pixels == "gbrp" else f",scale=out_color_matrix=bt709:out_range=tv,format={pixels}"
        codec = ("libx264rgb" if pixels == "gbrp" else "libx264", "-crf", "4", "-preset", "ultrafast")
        tags = () if pixels == "gbrp" else ("-colorspace", "bt709")
        clip = plain(ffmpeg, tmp_path / f"{pixels}.mp4", GREEN, chain, "-c:v", *codec, *tags)
        frames = await show(ffmpeg, clip, tmp_path, frames=8)
        assert near(frames[4, 90, 160], GREEN), (pixels, frames[4, 90, 160])


def quarters(ffmpeg: Ffmpeg, path: Path, size: str, *more: str, extra: tuple[str, ...] = (), frames: int = 45) -> Path:
    """Red and green above, blue and grey below."""
    width, height = (int(side) for side in size.split("x"))
    parts = [f"color=0x{r:02x}{g:02x}{b:02x}:s={width // 2}x{height // 2}:r=30" for r, g, b in (RED, GREEN, BLUE, GREY)]
    inputs = [part for source in parts for part in ("-f", "lavfi", "-i", source)]
    stack = "[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack" + "".join(f",{one}" for one in extra)
    return media.make(ffmpeg.path, [*inputs, "-filter_complex", stack, "-frames:v", str(frames), *more], path)


def corners(frame: np.ndarray) -> list[str]:
    names = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    height, width = frame.shape[:2]
    at = [(height // 4, width // 4), (height // 4, width * 3 // 4), (height * 3 // 4, width // 4)]
    at.append((height * 3 // 4, width * 3 // 4))
    return [
        min(names, key=lambda name: int(np.abs(frame[y, x].astype(int) - np.array(names[name])).sum())) for y, x in at
    ]


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (90, ["green", "grey", "red", "blue"]),
        (180, ["grey", "blue", "green", "red"]),
        (270, ["blue", "red", "grey", "green"]),
    ],
)
async def test_a_phone_that_was_held_any_way_gives_an_upright_picture(
    ffmpeg: Ffmpeg, tmp_path: Path, degrees: int, expected: list[str]
) -> None:
    flat = quarters(ffmpeg, tmp_path / "flat.mp4", "640x360", *H264)
    turned = media.make(
        ffmpeg.path, ["-display_rotation", str(degrees), "-i", str(flat), "-c", "copy"], tmp_path / "t.mp4"
    )
    facts = await examine(ffmpeg, turned)
    size = "180x320" if degrees != 180 else "320x180"
    assert (facts["width_px"] > facts["height_px"]) == (degrees == 180)
    assert corners((await show(ffmpeg, turned, tmp_path, frames=8, size=size))[4]) == expected


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


UPRIGHT = {
    1: ["red", "green", "blue", "grey"], 2: ["green", "red", "grey", "blue"], 3: ["grey", "blue", "green", "red"],
    4: ["blue", "grey", "red", "green"], 5: ["red", "blue", "green", "grey"], 6: ["blue", "red", "grey", "green"],
    7: ["grey", "green", "blue", "red"], 8: ["green", "grey", "red", "blue"],
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_is_turned_as_its_exif_says(ffmpeg: Ffmpeg, tmp_path: Path, orientation: int) -> None:
    photo = quarters(ffmpeg, tmp_path / "p.jpg", "640x360", "-f", "image2", "-update", "1", frames=1)
    photo.write_bytes(with_exif(photo.read_bytes(), orientation))
    size = "180x320" if orientation >= 5 else "320x180"
    assert corners((await show(ffmpeg, photo, tmp_path, frames=6, size=size))[3]) == UPRIGHT[orientation]


@pytest.mark.parametrize("size", ["321x181", "319x239", "177x99", "1919x1079", "50x90"])
async def test_odd_sizes_are_shown(ffmpeg: Ffmpeg, tmp_path: Path, size: str) -> None:
    clip = media.clip(ffmpeg.path, tmp_path / "c.mp4", size=size, extra=("-pix_fmt", "yuv444p"))
    assert len(await show(ffmpeg, clip, tmp_path, frames=20)) == 20


async def test_a_squeezed_picture_is_spread_again(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """A circle in 4:3 pixels: as high as it is wide in the end."""
    circle = (
        "color=black:s=720x576:r=25:d=1,format=gray,geq=lum='if(lt(hypot((X-360)*64/45,Y-288),150),255,0)',setsar=64/45"
    )
    clip = media.make(ffmpeg.path, ["-f", "lavfi", "-i", circle, *H264, "-pix_fmt", "yuv420p"], tmp_path / "c.mp4")
    white = (await show(ffmpeg, clip, tmp_path, frames=8))[4, :, :, 0] > 128
    across, down = int(white.any(axis=0).sum()), int(white.any(axis=1).sum())
    assert abs(across - down) <= 3 and 80 < down < 110


async def test_a_variable_frame_rate_keeps_its_time(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """One second at 30, one at 5, one at 30 frames a second; brightness tells the time."""
    clip = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", "color=black:s=160x90:r=30:d=3,format=gray,geq=lum='16+T*60'",
         "-vf", "select='not(between(t,1,2))+not(mod(n,6))'", "-fps_mode", "vfr", *H264, "-pix_fmt", "yuv420p"],
        tmp_path / "v.mp4",
    )  # fmt: skip
    levels = (await show(ffmpeg, clip, tmp_path, frames=84))[:, 90, 160, 0].astype(float)
    steps = np.diff(levels)
    assert (steps >= -1).all() and levels[-1] - levels[0] == pytest.approx(60 * 83 / 30, abs=8)
    assert abs(float(levels[42]) - (levels[0] + levels[-1]) / 2) < 12


async def test_interlaced_video_shows_no_combs(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    moving = "testsrc2=s=720x576:r=50:d=2,crop=360:288:'mod(n*9,300)':100,scale=720:576,tinterlace=interleave_top"
    flagged = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")

    def combs(frames: np.ndarray) -> float:
        luma = frames.astype(float).mean(axis=3)
        return float((np.abs(2 * luma[:, 1:-1] - luma[:, :-2] - luma[:, 2:]) > 60).mean())

    for name, more in {"flagged.mp4": flagged, "silent.mkv": ("-c:v", "ffv1")}.items():
        codec = () if "-c:v" in more else ("-c:v", "libx264", "-pix_fmt", "yuv420p")
        clip = media.make(
            ffmpeg.path,
            ["-f", "lavfi", "-i", f"{moving},setfield={'tff' if codec else 'auto'}", *codec, *more],
            tmp_path / name,
        )
        facts = await examine(ffmpeg, clip)
        assert facts["interlaced"], name
        left = await show_clip(
            ffmpeg, clip_of(facts | {"interlaced": ""}), clip, tmp_path, frames=20, size="720x576", fps="25"
        )
        done = await show(ffmpeg, clip, tmp_path, frames=20, size="720x576", fps="25")
        assert combs(done) < combs(rgb(ffmpeg.path, left, "720x576")) / 3


async def test_progressive_video_is_not_taken_for_interlaced(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=0.5", "-pix_fmt", "yuv420p", "-c:v", "ffv1"]
    assert (await examine(ffmpeg, media.make(ffmpeg.path, source, tmp_path / "c.mkv")))["interlaced"] == ""


async def test_what_is_transparent_is_black(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    half = (
        "color=0xc81e28:s=320x180:r=30:d=1.5,format=gbrap,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,160),255,0)'"
    )
    for name, codec in {
        "a.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
        "a.png": ("-frames:v", "1", "-pix_fmt", "rgba", "-f", "image2", "-update", "1"),
        "a.gif": ("-vf", "split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse"),
    }.items():
        path = media.make(ffmpeg.path, ["-f", "lavfi", "-i", half, *codec], tmp_path / name)
        frame = (await show(ffmpeg, path, tmp_path, frames=8))[4].astype(int)
        assert frame[90, 60, 0] > 150, name
        assert frame[90, 300].max() < 24, name


async def test_a_gif_and_an_animated_webp_move(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=200x112:d=4:r=10"]
    paths = [media.make(ffmpeg.path, source, tmp_path / "a.gif")]
    if "webp_anim" in (await ffmpeg.look(["-demuxers"], cwd=tmp_path, timeout_s=20)).stdout.decode():
        paths.append(media.make(ffmpeg.path, [*source, "-c:v", "libwebp_anim", "-loop", "0"], tmp_path / "a.webp"))
    for path in paths:
        facts = await examine(ffmpeg, path)
        assert facts["kind"] == "video" and facts["duration_s"] == pytest.approx(4.0, abs=0.2)
        frames = (await show(ffmpeg, path, tmp_path, frames=60)).astype(int)
        assert len(frames) == 60
        assert sum(np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) > 0.2) >= 15


async def test_one_frame_is_shown_as_a_photo_and_moves(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    one = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-frames:v", "1", *H264], tmp_path / "one.mp4"
    )
    still = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=0.03,loop=60:1", *H264], tmp_path / "still.mp4"
    )
    for path in (one, still):
        assert (await examine(ffmpeg, path))["kind"] == "photo"
        frames = (await show(ffmpeg, path, tmp_path, frames=40)).astype(int)
        assert len(frames) == 40 and np.abs(frames[39] - frames[0]).mean() > 2


def clock(ffmpeg: Ffmpeg, path: Path, seconds: float, size: str = "320x180") -> Path:
    """Brightness is the time: from dark to bright over the clip."""
    source = f"color=black:s=160x90:r=30:d={seconds},format=gray,geq=lum='30+T*{180 / seconds}',scale={size.replace('x', ':')}"
    return media.make(ffmpeg.path, ["-f", "lavfi", "-i", source, *H264, "-pix_fmt", "yuv420p"], path)


@pytest.mark.parametrize(("seconds", "frames"), [(0.4, 150), (1.0, 180), (2.5, 150)])
async def test_a_clip_that_is_far_too_short_goes_there_and_back_without_a_jump_or_a_stop(
    ffmpeg: Ffmpeg, tmp_path: Path, seconds: float, frames: int
) -> None:
    levels = (await show(ffmpeg, clock(ffmpeg, tmp_path / "c.mp4", seconds), tmp_path, frames=frames))[:, 90, 160, 0]
    steps = np.diff(levels.astype(int))
    assert len(levels) == frames
    per_frame = 180 / seconds / 30
    assert np.abs(steps).max() <= per_frame * 1.6 + 2  # no jump, such as from the end to the start
    still = max(len(run) for run in "".join("." if step == 0 else "x" for step in steps).split("x"))
    assert still <= 2  # never stands still longer than slow motion does
    assert (steps > 0).any() and (steps < 0).any()
    assert levels.max() > 190 and levels.min() < 50  # all of it is shown


def test_going_there_and_back_takes_no_memory_for_the_frames(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """The 75 frames alone are 233 MB."""
    path = media.clip(ffmpeg.path, tmp_path / "c.mp4", seconds=2.5, size="1920x1080")
    word, megabytes = outcome(ffmpeg, path, within_s=120, frames=180)
    assert word == "shown" and megabytes < 230


async def test_a_clip_that_is_a_little_too_short_is_slowed_down(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    levels = (await show(ffmpeg, clock(ffmpeg, tmp_path / "c.mp4", 2.0), tmp_path, frames=84))[:, 90, 160, 0]
    steps = np.diff(levels.astype(int))
    assert (steps >= 0).all() and (steps[-6:] > 0).sum() >= 2
    assert levels[-1] > 190


async def test_sound_without_a_picture_is_refused_with_the_reason(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    sound = ["-f", "lavfi", "-i", "sine=d=1"]
    cover = media.make(
        ffmpeg.path, ["-f", "lavfi", "-i", "color=red:s=90x90", "-frames:v", "1"], tmp_path / "cover.png"
    )
    for name, more in {
        "a.mp4": (), "a.m4a": ("-f", "ipod"), "a.mp3": ("-f", "mp3"),
        "cover.mp4": ("-i", str(cover), "-map", "0", "-map", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic"),
    }.items():  # fmt: skip
        path = media.make(ffmpeg.path, [*sound, *more], tmp_path / name)
        with pytest.raises(MediaUnreadable, match="sound"):
            await examine(ffmpeg, path)


async def test_a_clip_with_sound_is_shown_without_it(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    both = [
        "-f",
        "lavfi",
        "-i",
        "sine=d=2",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:d=2:r=30",
        "-shortest",
        "-pix_fmt",
        "yuv420p",
    ]
    assert len(await show(ffmpeg, media.make(ffmpeg.path, both, tmp_path / "c.mp4"), tmp_path)) == 30


async def test_a_photo_of_fifty_megapixels_is_shown_and_a_larger_one_refused(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    for name, codec in {"big.jpg": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), "big.png": ("-pix_fmt", "rgb24")}.items():
        photo = media.make(
            ffmpeg.path,
            ["-f", "lavfi", "-i", "testsrc2=s=8640x5760:r=1", "-frames:v", "1", *codec, "-f", "image2", "-update", "1"],
            tmp_path / name,
        )
        assert len(await show(ffmpeg, photo, tmp_path, frames=10, size="640x360")) == 10
    too_large = media.make(
        ffmpeg.path,
        ["-f", "lavfi", "-i", "color=red:s=9000x6000:r=1", "-frames:v", "1", "-f", "image2", "-update", "1"],
        tmp_path / "huge.png",
    )
    with pytest.raises(MediaUnreadable, match="50 megapixels"):
        await examine(ffmpeg, too_large)
