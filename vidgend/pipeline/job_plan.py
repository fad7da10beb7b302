"""What a job will have to do, as far as that is known: its steps before anybody has asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vidgend.models import Brief, Storyboard
from vidgend.pipeline import step_cost
from vidgend.pipeline.card_length import card_frames
from vidgend.pipeline.executor.port import Label
from vidgend.pipeline.rates import Rates
from vidgend.pipeline.speech.sentences import roughly_cut
from vidgend.pipeline.step_cost import CHARS_PER_S, Cost
from vidgend.pipeline.styles import find_style
from vidgend.pipeline.timeline import SceneNeed, needed_frames, stretched_frames, wished_frames
from vidgend.pipeline.work import Work
from vidgend.timebase import SAMPLE_RATE_HZ

_NOTHING = Cost(name="nothing")


class PrefetchPlan:
    """Clips to fetch, one after the other for each query. There may turn out to be fewer."""

    def __init__(self, queries: int, per_query: int) -> None:
        self.works: list[Work] = []
        for query in range(queries):
            before: tuple[Work, ...] = ()
            for _ in range(per_query):
                before = (Work(kind="fetch", scene=query, label="net", cost=step_cost.fetch_cost(), needs=before),)
                self.works.extend(before)

    def estimate(self, rates: Rates) -> None:
        """All is known."""


class VideoPlan:
    """Every step of a video that costs time. `encoding` is what the segments' steps are given.

    `output` is its number among several of one job. All but the first show the clips of the first; they may use the
    speech of number `speech_of`, or have to be translated first. `recording_s` is the length of a voice-over that has
    yet to be listened to: then the storyboard is a guess.
    """

    def __init__(
        self,
        brief: Brief,
        storyboard: Storyboard,
        encoding: Mapping[str, Any],
        *,
        output: int = 0,
        speech_of: int | None = None,
        translates: bool = False,
        recording_s: float | None = None,
    ) -> None:
        self.output = output
        self._recording_s = recording_s
        self.speech_of = output if speech_of is None else speech_of
        self._encoding = encoding
        self._fps = brief.frame_rate
        self._scenes = storyboard.scenes
        self._stretch_s = brief.duration_s if storyboard.stretch and not storyboard.edited else None
        style = find_style(brief.style)
        self._pace = style.pace
        self._overlap = wished_frames(brief.transitions or style.transition, self._fps)
        self._card_frames = card_frames(brief, len(self._scenes))
        self._samples: dict[int, int] = {}
        self._aligns: bool | None = None
        self._aligning: dict[int, Work] = {}
        self._pictures: dict[int, str] = {}
        self._letters = [0.0 if one.recorded else step_cost.letters(one.narration.strip()) for one in self._scenes]
        self._sentences = [
            [step_cost.letters(sentence) for sentence in roughly_cut(scene.narration)] for scene in self._scenes
        ]
        self._letters_of: dict[Work, float] = {}
        """Of each sentence that is to be spoken."""
        for scene in self._scenes:
            if scene.recorded and scene.speech is not None:
                self._samples[scene.index] = scene.speech.samples
        self.works: list[Work] = []
        self._lay_out(review=brief.review, translates=translates)

    def _lay_out(self, *, review: bool, translates: bool) -> None:
        count = len(self._scenes)
        said: list[tuple[Work, ...]] = []
        before = (self._add("translate", None, "llm", later=review),) if translates else ()
        heard: tuple[Work, ...] = ()
        if self._recording_s is not None:
            recording = self._add("recording", None, "ffmpeg", priority=1)
            heard = (self._add("transcribe", None, "cpu", priority=1, needs=(recording,)),)
        for index in range(count):
            chain = heard
            if self._letters[index] and self.speech_of == self.output:
                late = review and self.output > 0
                spoken = [
                    self._add("speech", index, "cpu", priority=-index, needs=before, later=late)
                    for _ in self._sentences[index]
                ]
                self._letters_of.update(zip(spoken, self._sentences[index], strict=True))
                narration = self._add("narration", index, "io", priority=-index, needs=tuple(spoken), later=late)
                self._aligning[index] = self._add("align", index, "io", priority=1, needs=(narration,), later=late)
                chain = (self._aligning[index],)
            said.append(chain)
        # No step: the moment when all lengths are known.
        lengths = (self._add("lengths", None, "io", needs=tuple(work for chain in said for work in chain)),)
        if self._stretch_s is not None:
            said = [lengths] * count
        ready = [(*self._picture(index), *said[index]) for index in range(count)]
        pieces = []
        for index in range(count):
            pieces.append(self._add("segment", index, "ffmpeg", priority=-index, needs=ready[index], later=review))
        for index in range(count - 1 if self._overlap else 0):
            needs = (*ready[index], *ready[index + 1])
            pieces.append(
                self._add("transition", index, "ffmpeg", priority=-index - 1, needs=needs, later=review)
            )  # fmt: skip
        if self._card_frames:
            # Its step is asked for once all scenes are there.
            pieces.append(self._add("card", None, "ffmpeg", priority=-count, needs=tuple(pieces), later=review))
        pieces.append(self._add("sound", None, "ffmpeg", priority=-(count // 2), needs=lengths, later=review))
        join = self._add("join", None, "io", needs=tuple(pieces), later=review)
        self._add("check", None, "ffmpeg", needs=(join,), later=review)

    def _picture(self, index: int) -> tuple[Work, ...]:
        """What a scene has to wait for until its clip is there."""
        return () if self.output else (self._add("fetch", index, "net"),)

    @property
    def scenes(self) -> int:
        return len(self._scenes)

    def _add(
        self, kind: str, scene: int | None, label: Label, *, priority: int = 0, needs: tuple[Work, ...] = (),
        later: bool = False,
    ) -> Work:  # fmt: skip
        work = Work(
            kind=kind, scene=scene, output=self.output, label=label, priority=priority, cost=_NOTHING, needs=needs,
            later=later,
        )  # fmt: skip
        self.works.append(work)
        return work

    def said(self, scene: int, samples: int) -> None:
        """A scene's speech is there, so many samples of it."""
        self._samples[scene] = samples

    def found(self, scene: int, picture: str) -> None:
        """A scene's picture is there: video, photo, generated."""
        self._pictures[scene] = picture
        for work in self.works:
            if work.kind == "fetch" and work.scene == scene:
                work.skip()

    def asked(self, work: Work) -> None:
        """A step was asked for: now it is known whether words are timed by a recogniser, and how many sentences there
        are."""
        if work.kind == "narration":
            for spoken in work.needs:
                spoken.skip()
        elif work.kind == "align":
            self._aligns = True
        elif work.kind == "segment" and self._aligns is None and work.scene in self._aligning:
            self._aligns = self._aligning[work.scene].state != "planned"

    def estimate(self, rates: Rates) -> None:
        """Say what is planned as well as it is known by now."""
        frames = self._frames()
        video_s = float((sum(frames) + self._card_frames) / self._fps)
        aligns = rates.knows("align") if self._aligns is None else self._aligns
        usual = rates.picture() or "video"
        if self._pictures:
            usual = next(reversed(self._pictures.values()))
        for work in self.works:
            if work.state != "planned":
                continue
            index = work.scene or 0
            if work.kind == "speech":
                work.cost = step_cost.speech_cost(self._letters_of[work] / CHARS_PER_S)
            elif work.kind == "narration":
                work.cost = step_cost.narration_cost()
            elif work.kind == "align":
                work.cost = step_cost.align_cost(self._letters[index] / CHARS_PER_S) if aligns else _NOTHING
                work.label = "cpu" if aligns else "io"
            elif work.kind == "translate":
                work.cost = step_cost.translate_cost(sum(self._letters))
            elif work.kind == "recording":
                work.cost = step_cost.recording_cost(self._recording_s or 0.0)
            elif work.kind == "transcribe":
                work.cost = step_cost.transcribe_cost(self._recording_s or 0.0)
            elif work.kind == "fetch":
                work.cost = step_cost.fetch_cost()
            elif work.kind == "segment":
                picture = self._pictures.get(index, usual)
                work.cost = step_cost.segment_cost(picture, self._encoding, self._body_frames(index, frames[index]))
            elif work.kind == "transition":
                pictures = {self._pictures.get(scene, usual) for scene in (index, index + 1)}
                work.cost = step_cost.transition_cost(step_cost.slowest(pictures), self._encoding, self._overlap)
            elif work.kind == "card":
                work.cost = step_cost.card_cost(self._encoding, self._card_frames)
            elif work.kind == "sound":
                work.cost = step_cost.sound_cost(video_s)
            elif work.kind == "join":
                work.cost = step_cost.join_cost(video_s)
            elif work.kind == "check":
                work.cost = step_cost.check_cost(video_s)

    def _frames(self) -> tuple[int, ...]:
        """Of each scene, by what has been said and by how long the rest will be at that pace."""
        heard = [(self._letters[at], samples) for at, samples in self._samples.items() if self._letters[at]]
        letters = sum(pair[0] for pair in heard)
        per_letter = sum(pair[1] for pair in heard) / letters if letters else SAMPLE_RATE_HZ / CHARS_PER_S
        needs = tuple(
            SceneNeed(
                speech_samples=self._samples.get(index, round(self._letters[index] * per_letter)),
                min_duration_s=scene.min_duration_s,
                pace=self._pace,
                recorded=scene.recorded,
            )
            for index, scene in enumerate(self._scenes)
        )
        if self._stretch_s is not None:
            return stretched_frames(needs, self._fps, self._stretch_s)
        count = len(needs)
        frames = (needed_frames(index, count, need, self._fps) for index, need in enumerate(needs))
        return tuple(max(own, scene.kept_frames or 0) for own, scene in zip(frames, self._scenes, strict=True))

    def _body_frames(self, index: int, frames: int) -> int:
        before = self._overlap if index else 0
        after = self._overlap if index + 1 < len(self._scenes) else 0
        return max(1, frames - (before - before // 2) - after // 2)
