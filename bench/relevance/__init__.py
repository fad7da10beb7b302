"""How often the clip that is chosen fits, over labelled scenes, by several ways to choose (`scenes.json`)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path
from statistics import median

from bench.options import Options
from bench.relevance.scenes import LabelledScene, labelled_scenes
from vidgend.pipeline.ffmpeg import Ffmpeg
from vidgend.pipeline.relevance.bm25 import Bm25Similarity
from vidgend.pipeline.relevance.port import Ranked, TextSimilarity
from vidgend.pipeline.relevance.ranking import rank
from vidgend.pipeline.relevance.select import build_similarities
from vidgend.pipeline.speech.hub import default_hub_dir

MODELS_VARIABLE = "VIDGEND_MODELS"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Over scenes in which something fits: how often the first one does (`top1`), and the mean of 1/place of the first
    that does (`mrr`). Of those in which the first one fits, `false_reject` is the share below the floor; of those
    in which it does not, `false_accept` is the share above it, and `nothing` that of the scenes in which nothing could.
    `ms` is the median time for a scene."""

    scenes: int
    top1: float
    mrr: float
    false_reject: float = 0.0
    false_accept: float = 0.0
    nothing: float = 0.0
    ms: float = 0.0


def at_random(scenes: Sequence[LabelledScene]) -> Figures:
    """The expected values of a blind choice: exact, since with k of n fitting the first of them stands at place r with
    the probability C(n - r, k - 1) / C(n, k)."""
    top1 = mrr = 0.0
    some = [scene for scene in scenes if scene.fits]
    for scene in some:
        count, fitting = len(scene.candidates), len(scene.fits)
        top1 += fitting / count
        mrr += sum(comb(count - place, fitting - 1) / comb(count, fitting) / place for place in range(1, count + 1))
    return Figures(scenes=len(some), top1=top1 / len(some), mrr=mrr / len(some))


def as_answered(scenes: Sequence[LabelledScene]) -> Figures:
    """The first hit, as a program takes it that does not look."""
    return figures(scenes, [[candidate.id for candidate in scene.candidates] for scene in scenes])


def figures(scenes: Sequence[LabelledScene], orders: Sequence[Sequence[str]]) -> Figures:
    """Of ids in order, for each scene."""
    places = [
        next(place for place, one in enumerate(order, 1) if one in scene.fits)
        for scene, order in zip(scenes, orders, strict=True)
        if scene.fits
    ]
    top1 = sum(place == 1 for place in places) / len(places)
    return Figures(scenes=len(places), top1=top1, mrr=sum(1 / place for place in places) / len(places))


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What a similarity made of a scene, by the whole ranking as a job uses it, and how long that took."""

    scene: LabelledScene
    order: tuple[Ranked, ...]
    ms: float


async def rankings(scenes: Sequence[LabelledScene], similarity: TextSimilarity) -> list[Ranking]:
    made = []
    for scene in scenes:
        began = time.perf_counter()
        order = await rank(similarity, scene.wish, [(scene.wish.queries[0], one) for one in scene.candidates])
        made.append(Ranking(scene=scene, order=order, ms=1000 * (time.perf_counter() - began)))
    return made


def measured(made: Sequence[Ranking]) -> Figures:
    found = figures([one.scene for one in made], [[ranked.candidate.id for ranked in one.order] for one in made])
    right = [one.order[0] for one in made if one.order[0].candidate.id in one.scene.fits]
    wrong = [one.order[0] for one in made if one.order[0].candidate.id not in one.scene.fits]
    return replace(
        found,
        ms=median(one.ms for one in made),
        false_reject=_share([not top.fits for top in right]),
        false_accept=_share([top.fits for top in wrong]),
        nothing=_share([one.order[0].fits for one in made if not one.scene.fits]),
    )


def _share(told: Sequence[bool]) -> float:
    return sum(told) / len(told) if told else 0.0


def shipped() -> tuple[TextSimilarity, ...]:
    """What a machine uses without settings. VIDGEND_MODELS names a models folder; else only the hub's cache and the
    packages are looked at."""
    models_dir = Path(os.environ.get(MODELS_VARIABLE, "/nonexistent"))
    return build_similarities("auto", models_dir=models_dir, hub_dir=default_hub_dir())


async def bench(_: Ffmpeg, options: Options) -> None:
    del options
    similarities = shipped()
    rankers: list[TextSimilarity] = [Bm25Similarity(synonyms=False), Bm25Similarity(), *similarities[:-1]]
    print(f"\nrelevance: the shipped default here is {similarities[0].name}")
    if similarities[0].name == "bm25":
        print("  (the embedding model is not installed: make install)")
    scenes = labelled_scenes()
    made = {ranker.name: await rankings(scenes, ranker) for ranker in rankers}
    for half in ("dev", "test"):
        for kind in ("all", "plain", "trap"):
            some = [one for one in scenes if one.half == half and kind in ("all", one.kind)]
            _head(f"{half}, {kind} scenes")
            _line("random", at_random(some))
            _line("first hit", as_answered(some))
            for name, all_of in made.items():
                _line(name, measured([one for one in all_of if one.scene in some]), floors=kind == "all", timed=True)
    now = labelled_scenes(fresh=True)
    if now != scenes:
        _head("all scenes, with the searches that the built-in planner makes now")
        for ranker in rankers:
            _line(ranker.name, measured(await rankings(now, ranker)), floors=True, timed=True)
    for ranker in rankers:
        await ranker.aclose()


def _head(title: str) -> None:
    print(f"\n{title}")
    print(
        f"  {'':14} {'top-1':>6} {'MRR':>6} {'false reject':>13} {'false accept':>13} {'of nothing':>11} {'ms a scene':>11}"
    )


def _line(name: str, found: Figures, *, floors: bool = False, timed: bool = False) -> None:
    told = f"  {name:14} {found.top1:6.2f} {found.mrr:6.2f}"
    told += f" {found.false_reject:13.2f} {found.false_accept:13.2f} {found.nothing:11.2f}" if floors else f" {'':39}"
    print(told + (f" {found.ms:11.1f}" if timed else ""))
