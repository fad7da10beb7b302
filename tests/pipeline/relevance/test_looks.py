"""The image model in its process: red is red, and what is wrong with its files is said."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from made_clip import LETTERS, text_model, vision_model, write_clip

from vidgend.errors import StepError, StepTimeout
from vidgend.pipeline.relevance import looks
from vidgend.pipeline.relevance.clip_files import clip_files
from vidgend.pipeline.relevance.clip_model import pixels_of
from vidgend.pipeline.relevance.clip_tokens import END, LENGTH, START, _letters, ranks_of, tokens_of
from vidgend.pipeline.relevance.looks import MIDDLE, ClipSimilarity, look_of
from vidgend.pipeline.relevance.port import SEEN_PX
from vidgend.pipeline.relevance.select import build_looks

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(folder: Path, rgb: tuple[int, int, int]) -> Path:
    path = folder / "{:02x}{:02x}{:02x}.rgb".format(*rgb)
    np.full((SEEN_PX, SEEN_PX, 3), rgb, np.uint8).tofile(path)
    return path


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[ClipSimilarity]:
    made = ClipSimilarity(clip_files(folder))
    try:
        yield made
    finally:
        await made.aclose()


@pytest_asyncio.fixture
async def clip(tmp_path: Path) -> AsyncIterator[ClipSimilarity]:
    async with opened(write_clip(tmp_path / "clip")) as made:
        yield made


async def test_a_picture_fits_the_words_for_it_and_the_process_ends_when_it_is_closed(
    clip: ClipSimilarity, tmp_path: Path
) -> None:
    pictures = [picture(tmp_path, RED), picture(tmp_path, BLUE)]
    (red, blue) = await clip.compare(["A RED sky", "blue"], pictures)
    assert red[0] > 0.9 > 0.1 > red[1]
    assert blue[1] > 0.9 > 0.1 > blue[0]
    assert clip._service.running
    await clip.aclose()
    assert not clip._service.running
    assert await clip.compare(["A RED sky", "blue"], pictures) == [red, blue]


async def test_nothing_to_compare_starts_no_process(clip: ClipSimilarity, tmp_path: Path) -> None:
    assert await clip.compare([], [picture(tmp_path, RED)]) == []
    assert await clip.compare(["red"], []) == [[]]
    assert not clip._service.running


async def test_a_folder_that_is_not_whole_is_told_with_what_is_missing(tmp_path: Path) -> None:
    async with opened(tmp_path / "nowhere") as none:
        assert "is not a folder" in none.problem
    folder = write_clip(tmp_path / "clip")
    (folder / "merges.txt").unlink()
    (folder / "onnx" / "text_model.onnx").unlink()
    async with opened(folder) as half:
        assert "has no merges.txt, no onnx/text_model.onnx" in half.problem
        with pytest.raises(StepError, match=r"no onnx/text_model\.onnx"):
            await half.compare(["red"], [picture(tmp_path, RED)])
        assert not half._service.running


async def test_a_smaller_kind_of_a_model_will_do_and_another_model_has_another_identity(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip", kind="_quantized")
    small = clip_files(folder)
    assert (small.problem, small.text.name) == ("", "text_model_quantized.onnx")
    identity = ClipSimilarity(small).identity
    write_clip(folder)
    assert clip_files(folder).text.name == "text_model.onnx"
    assert ClipSimilarity(clip_files(folder)).identity != identity


@pytest.mark.parametrize(
    ("vision", "text", "said"),
    [
        (b"no model at all", None, "vision_model.onnx"),
        (vision_model(gives="pooler_output"), None, "gives pooler_output, but no image_embeds"),
        (vision_model(takes="input"), None, "takes input"),
        (vision_model(axes=(3,)), None, "gives no vector"),
        (None, text_model(width=4), "text_embeds has 4 numbers and image_embeds 3"),
    ],
)
async def test_files_that_are_another_model_are_refused(
    tmp_path: Path, vision: bytes | None, text: bytes | None, said: str
) -> None:
    async with opened(write_clip(tmp_path / "clip", vision=vision, text=text)) as other:
        with pytest.raises(StepError) as failed:
            await other.compare(["red"], [picture(tmp_path, RED)])
        assert said in failed.value.detail


@pytest.mark.parametrize("content", ['{"a": 1}', "[]", "{", f'{{"{START}": "x", "{END}": 2}}'])
async def test_a_vocabulary_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    folder = write_clip(tmp_path / "clip")
    (folder / "vocab.json").write_text(content)
    async with opened(folder) as other:
        with pytest.raises(StepError):
            await other.compare(["red"], [picture(tmp_path, RED)])


async def test_a_model_that_wants_to_know_where_the_text_ends_is_told(tmp_path: Path) -> None:
    async with opened(write_clip(tmp_path / "clip", text=text_model(masked=True))) as masked:
        assert (await masked.compare(["red"], [picture(tmp_path, RED)]))[0][0] > 0.9


async def test_a_file_of_another_size_is_no_picture(clip: ClipSimilarity, tmp_path: Path) -> None:
    cut = picture(tmp_path, RED)
    cut.write_bytes(cut.read_bytes()[:-1])
    with pytest.raises(StepError, match="is not a picture of 224 x 224"):
        await clip.compare(["red"], [cut])


async def test_a_process_that_is_killed_is_an_error_and_a_new_one_answers(clip: ClipSimilarity, tmp_path: Path) -> None:
    red = picture(tmp_path, RED)
    before = await clip.compare(["red"], [red])
    child = clip._service._child
    assert child is not None
    os.kill(child.process.pid, signal.SIGSTOP)  # so that it cannot answer before it is dead
    asking = asyncio.create_task(clip.compare(["red"], [red]))
    async with asyncio.timeout(10):
        while not clip._service.busy:
            await asyncio.sleep(0)
    os.kill(child.process.pid, signal.SIGKILL)
    with pytest.raises(StepError, match="the image model ended unexpectedly"):
        await asking
    assert await clip.compare(["red"], [red]) == before


async def test_a_process_that_does_not_answer_is_stopped(
    clip: ClipSimilarity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = picture(tmp_path, RED)
    await clip.compare(["red"], [red])
    child = clip._service._child
    assert child is not None
    os.kill(child.process.pid, signal.SIGSTOP)
    monkeypatch.setattr(looks, "LOAD_S", 0.05)
    monkeypatch.setattr(looks, "EACH_S", 0.0)
    with pytest.raises(StepTimeout):
        await clip.compare(["red"], [red])
    assert not clip._service.running


async def test_cancelling_ends_the_process(clip: ClipSimilarity, tmp_path: Path) -> None:
    asking = asyncio.create_task(clip.compare(["red"], [picture(tmp_path, RED)]))
    async with asyncio.timeout(10):
        while not clip._service.running:
            await asyncio.sleep(0)
    child = clip._service._child
    assert child is not None
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert child.process.returncode is not None and not clip._service.running


def test_the_middle_of_the_scale_is_as_likely_as_not_and_more_is_more() -> None:
    assert look_of(MIDDLE) == 0.5
    values = [look_of(cosine / 10) for cosine in range(-10, 11)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1


def test_pixels_are_as_the_published_preprocessing_has_them(tmp_path: Path) -> None:
    pixels = pixels_of(picture(tmp_path, (255, 128, 0)))
    assert (pixels.shape, pixels.dtype) == ((1, 3, SEEN_PX, SEEN_PX), np.float32)
    expected = [(1 - 0.4815) / 0.2686, (128 / 255 - 0.4578) / 0.2613, (0 - 0.4082) / 0.2758]
    assert pixels[0, :, 5, 7] == pytest.approx(expected, abs=1e-3)


def test_without_a_folder_there_is_nothing_that_looks() -> None:
    assert build_looks(None) is None


def test_pieces_are_those_of_the_published_tokenizer() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    merges = [
        "r e",
        "re d</w>",
        "d o",
        "do g</w>",
        "' s</w>",
        "1 0</w>",
        "c a",
        "f Ã",
        "a Ã",
        "w a",
        "Â ½</w>",
        "! !</w>",
    ]
    letters = _letters()
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(one.split()) for one in merges), START, END]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    pairs = [tuple(one.split()) for one in merges]
    theirs = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab=vocabulary, merges=pairs, unk_token=END, end_of_word_suffix="</w>")
    )
    theirs.normalizer = tokenizers.normalizers.Sequence(
        [
            tokenizers.normalizers.NFC(),
            tokenizers.normalizers.Replace(tokenizers.Regex(r"\s+"), " "),
            tokenizers.normalizers.Lowercase(),
        ]
    )
    split = tokenizers.Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(split, "removed", invert=True),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    ranks = ranks_of(["#version: 0.2", *merges])
    for text in [
        "A red dog", "the dog's 10 RED dogs", "don't we've !! 'tis ''s", "Über das Café, naïve!", "東京の夜 neon", "½²³ 1st", "",
        "emoji 🙂🙂 dog", " \t\n red\u00a0dog\u200b ", "a\u0301b", "x_y-z/10%", "#$&*()[]{}|~^`\\", "red" * 9, "İstanbul",
        "wave\u0300s wa’s “dog”", "a\x00b",
    ]:  # fmt: skip
        ids = theirs.encode(text).ids
        assert len(ids) <= LENGTH - 2, text
        expected = [vocabulary[START], *ids, *[vocabulary[END]] * (LENGTH - 1 - len(ids))]
        assert tokens_of(text, vocabulary, ranks) == expected, text


def test_a_long_text_is_cut_before_the_end_and_what_is_said_to_be_the_end_is_not() -> None:
    vocabulary = {
        piece: number for number, piece in enumerate([*LETTERS, *(f"{one}</w>" for one in LETTERS), START, END])
    }
    ids = tokens_of("a " * 500, vocabulary, {})
    assert (len(ids), ids[0], ids[-1], set(ids[1:-1])) == (
        LENGTH, vocabulary[START], vocabulary[END], {vocabulary["a</w>"]}
    )  # fmt: skip
    assert tokens_of(f"{END} a", vocabulary, {}).index(vocabulary[END]) > 10


def test_merges_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        ranks_of(["#version: 0.2", "a b c"])
