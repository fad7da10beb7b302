"""The embedding model in its process: right vectors, right pieces, and nothing of it stays when it is not wanted."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from made_model import write_safetensors

from vidgend.errors import StepError
from vidgend.pipeline.relevance.child import Vectors
from vidgend.pipeline.relevance.embeddings import MIDDLE, EmbeddingSimilarity, fit_of
from vidgend.pipeline.relevance.minilm import MiniLm, read_safetensors
from vidgend.pipeline.relevance.model_files import FOLDER, VOCABULARY, WEIGHTS, LocalEmbeddings, find_embeddings
from vidgend.pipeline.relevance.port import FLOOR
from vidgend.pipeline.relevance.select import build_similarities, probe
from vidgend.pipeline.relevance.wordpiece import pieces_of, vocabulary_of


@pytest_asyncio.fixture
async def similarity(made_model: LocalEmbeddings) -> AsyncIterator[EmbeddingSimilarity]:
    made = EmbeddingSimilarity(made_model)
    yield made
    await made.aclose()


async def test_texts_are_compared_in_a_process_that_ends_when_it_is_closed(similarity: EmbeddingSimilarity) -> None:
    rows = await similarity.compare(["a dog", "waves on the rock"], ["a dog", "waves on the rock", "the cat"])
    assert [len(row) for row in rows] == [3, 3]
    assert rows[0][0] == rows[1][1] == max(value for row in rows for value in row)
    assert rows[0][0] == pytest.approx(fit_of(1.0), abs=1e-3)
    assert similarity._service.running
    await similarity.aclose()
    assert not similarity._service.running
    assert await similarity.compare(["a dog"], ["a dog"]) == [[pytest.approx(fit_of(1.0), abs=1e-3)]]


async def test_the_process_ends_by_itself_when_nobody_asks_and_comes_back(
    similarity: EmbeddingSimilarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity._service, "_idle_s", 0.05)
    first = await similarity.compare(["sea"], ["waves", "sand"])
    async with asyncio.timeout(10):
        while similarity._service.running:
            await asyncio.sleep(0.01)
    assert await similarity.compare(["sea"], ["waves", "sand"]) == first and similarity._service.running
    await similarity.aclose()
    assert not similarity._service.running


async def test_nothing_to_compare_starts_no_process(similarity: EmbeddingSimilarity) -> None:
    assert await similarity.compare([], ["a dog"]) == []
    assert await similarity.compare(["a dog"], []) == [[]]
    assert not similarity._service.running


async def test_a_model_that_is_another_one_is_said_to_be(tmp_path: Path) -> None:
    write_safetensors(tmp_path / WEIGHTS, {"weight": np.zeros((2, 2), np.float32)})
    (tmp_path / VOCABULARY).write_text("[CLS]\n[SEP]\n[UNK]\n")
    broken = EmbeddingSimilarity(LocalEmbeddings(folder=tmp_path, origin="a test"))
    with pytest.raises(StepError, match="another model"):
        await broken.compare(["a"], ["b"])
    await broken.aclose()


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]", (2**40).to_bytes(8, "little") + b"{}"])
def test_files_that_are_no_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ValueError):
        read_safetensors(tmp_path / WEIGHTS)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, made_model: LocalEmbeddings) -> None:
    whole = (made_model.folder / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="ends before"):
        read_safetensors(tmp_path / WEIGHTS)


def test_a_vector_does_not_depend_on_what_is_encoded_beside_it(made_model: LocalEmbeddings) -> None:
    model = MiniLm(made_model.folder)
    alone = model.encode(["a dog"])[0]
    among = model.encode([*["waves on the rock . a dog on the rock"] * 40, "a dog", ""])[40]
    assert np.linalg.norm(alone) == pytest.approx(1.0, abs=1e-5)
    assert among == pytest.approx(alone, abs=1e-5)


def test_texts_that_come_again_are_not_computed_again(
    made_model: LocalEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, asked = MiniLm(made_model.folder), []
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda texts: asked.append(list(texts)) or encode(texts))
    monkeypatch.setattr("vidgend.pipeline.relevance.child.MOST_REMEMBERED", 2)
    vectors = Vectors(model)
    first = vectors.of(["a dog", "the cat", "a dog"])
    again = vectors.of(["waves", "a dog"])
    assert np.array_equal(first[0], again[1]) and np.array_equal(first[0], first[2])
    vectors.of(["a dog", "the cat"])
    assert asked == [["a dog", "the cat"], ["waves"], ["the cat"]], "of three the one that came last is forgotten"


async def test_a_model_without_numbers_is_said_to_be_damaged(
    similarity: EmbeddingSimilarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: Any, **__: Any) -> dict[str, Any]:
        return {"cosines": [[0.5, math.nan]]}

    monkeypatch.setattr(similarity._service, "request", answer)
    with pytest.raises(StepError, match="damaged"):
        await similarity.compare(["a"], ["b", "c"])


def test_the_floor_is_the_middle_of_the_scale_and_more_is_more() -> None:
    assert fit_of(MIDDLE) == FLOOR
    values = [fit_of(cosine / 10) for cosine in range(-10, 11)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1


def test_the_model_is_found_in_the_models_folder_and_preferred_where_it_is(made_model: LocalEmbeddings) -> None:
    models_dir, nowhere = made_model.folder.parent, Path("/nonexistent")
    assert made_model.folder.name == FOLDER
    found = find_embeddings(models_dir=models_dir, hub_dir=nowhere)
    assert found is not None
    assert (found.folder, found.origin) == (made_model.folder, "the models folder")
    names = [one.name for one in build_similarities("auto", models_dir=models_dir, hub_dir=nowhere)]
    assert names == ["embeddings", "bm25"]
    assert probe("auto", models_dir=models_dir, hub_dir=nowhere).name == "embeddings"
    assert [one.name for one in build_similarities("bm25", models_dir=models_dir, hub_dir=nowhere)] == ["bm25"]
    assert probe("bm25", models_dir=models_dir, hub_dir=nowhere).get == ""


def test_without_a_model_words_are_compared_and_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgend.pipeline.relevance.model_files.packaged_files", lambda _: ())
    nowhere = Path("/nonexistent")
    assert [one.name for one in build_similarities("auto", models_dir=nowhere, hub_dir=nowhere)] == ["bm25"]
    assert "--no-deps" in probe("auto", models_dir=nowhere, hub_dir=nowhere).get


def test_pieces_are_those_of_the_published_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789", *"$.,!?'\"-^~`|東京"]
    words += [f"##{char}" for char in "abcdefghijklmnopqrstuvwxyz0123456789"] + ["dog", "##gy", "wave", "cafe", "uber"]
    (tmp_path / VOCABULARY).write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    theirs = tokenizers.BertWordPieceTokenizer(str(tmp_path / VOCABULARY), lowercase=True)
    theirs.enable_truncation(64)
    with (tmp_path / VOCABULARY).open(encoding="utf-8") as lines:
        vocabulary = vocabulary_of(lines)
    for text in [
        "A doggy on Waves", "Über das Café, naïve!", "東京の夜 neon", "$5.00^2 ~x`|y", "x" * 150, " \t\nzero\u200bwidth ", "",
        "don't stop-motion “quotes” – dash…", "emoji 🙂 dog", "İstanbul", "a\u0301b\ufffdc", "a\x00b\x07c", "long " * 100,
    ]:  # fmt: skip
        assert pieces_of(text, vocabulary, most=64) == theirs.encode(text).ids, text


def test_the_real_model_knows_what_belongs_together(real_model: LocalEmbeddings) -> None:
    """Source of the number: the example of semantic search in the documentation of sentence-transformers."""
    model = MiniLm(real_model.folder)
    vectors = model.encode(
        ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    )
    assert vectors[0] @ vectors[1] == pytest.approx(0.755, abs=0.002)
    assert abs(vectors[0] @ vectors[2]) < 0.2
