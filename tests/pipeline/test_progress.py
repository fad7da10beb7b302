"""What a job says of itself while it runs, against a world in which every second is known beforehand."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from vidgend.models import Brief, Scene, Storyboard, Transition, VoiceOver
from vidgend.pipeline.executor.port import StepEvent, StepSpec
from vidgend.pipeline.forecast import Forecast
from vidgend.pipeline.past_rates import rates_of
from vidgend.pipeline.progress import Progress
from vidgend.pipeline.recording_to_storyboard import guessed_storyboard
from vidgend.pipeline.scene_to_segment import RenderSettings, encoding_args
from vidgend.pipeline.timeline import shot_of
from vidgend.pipeline.work import Work
from vidgend.store.past_steps import PastStep

SETTINGS = RenderSettings(preset="veryfast", crf=23, threads=2)
TEXT = "The sea rolls in and out, and nobody minds how long it takes."
TICK_S = 0.1
SLOTS: dict[Any, int] = {"cpu": 1, "ffmpeg": 1, "net": 4, "io": 8}
GUESSED = 1.0


def board(scenes: int, *, stretch: bool = False) -> Storyboard:
    rows = tuple(Scene(index=index, narration=TEXT, queries=("sea",)) for index in range(scenes))
    return Storyboard(title="", language="en", planner="", stretch=stretch, fps="30", scenes=rows)


@dataclass
class World:
    """A machine that does the steps of jobs. `slower` says how many times longer than guessed each kind takes; what
    `found` names (kind, scene) is there already."""

    slower: dict[str, float] = field(default_factory=dict)
    found: set[tuple[str, int | None]] = field(default_factory=set)
    now_s: float = 0.0
    forecast: Forecast = field(init=False)
    jobs: list[Job] = field(default_factory=list)
    lodges: bool = False
    """A model has the place of an encode."""

    def __post_init__(self) -> None:
        self.forecast = Forecast(SLOTS, clock=lambda: self.now_s)

    def job(self, brief: Brief, storyboard: Storyboard) -> Job:
        progress = Progress(self.forecast)
        progress.plan_video(brief, storyboard, encoding_args(brief, SETTINGS))
        for scene in storyboard.scenes:
            progress.found(scene.index, "generated")
        self.jobs.append(Job(progress, brief, began_s=self.now_s))
        return self.jobs[-1]

    def run(self, *, until_s: float = 1e9) -> None:
        """Until all is done, or a time has come."""
        while self.now_s < until_s and any(job.end_s is None for job in self.jobs):
            for job in self.jobs:
                job.ask(self)
            self._hand_out()
            self._pass()
            for job in self.jobs:
                job.look(self.now_s)

    def _hand_out(self) -> None:
        works = [work for job in self.jobs for work in job.asked]
        for work in sorted(works, key=lambda work: (work.label != "cpu", -work.priority, work.order)):
            running = [one.label for one in works if one.state == "running"]
            held = running.count(work.label)
            self.lodges &= any(one.label == "cpu" for one in works)
            if work.label == "ffmpeg":
                held += self.lodges
            elif work.label == "cpu" and not self.lodges and running.count("ffmpeg") == SLOTS["ffmpeg"]:
                continue
            if work.state == "waiting" and held < SLOTS[work.label]:
                self.lodges |= work.label == "cpu"
                self.forecast.told(work, 0.0)
                for job in self.jobs:
                    if work in job.asked:
                        job.asked[work] = self.takes_s(work)

    def _pass(self) -> None:
        """A tick. Two steps that want all cores at once take twice as long."""
        self.now_s += TICK_S
        heavy = sum(
            work.state == "running" and work.label in ("cpu", "ffmpeg") for job in self.jobs for work in job.asked
        )
        for job in self.jobs:
            for work in [work for work in job.asked if work.state == "running"]:
                job.asked[work] -= TICK_S / (max(1, heavy) if work.label in ("cpu", "ffmpeg") else 1)
                whole_s = self.takes_s(work)
                past_s = whole_s - job.asked[work]
                opening_s = work.cost.opening_s * whole_s / work.cost.total_s
                if work.cost.growing_s and past_s > opening_s:
                    self.forecast.told(work, min(1.0, (past_s - opening_s) / (whole_s - opening_s)))
                if job.asked[work] <= 0:
                    job.end(work, cached=False)

    def takes_s(self, work: Work) -> float:
        return work.cost.total_s * self.slower.get(work.kind, GUESSED)


@dataclass
class Job:
    progress: Progress
    brief: Brief
    began_s: float
    asked: dict[Work, float] = field(default_factory=dict)
    """What it waits for or runs, and how many seconds are left of it."""
    looks: list[tuple[float, float | None, float]] = field(default_factory=list)
    """(seconds since its start, seconds that it said are left, percent)"""
    end_s: float | None = None

    def ask(self, world: World) -> None:
        """For everything of which all needs are done."""
        for work in list(self.progress.works):
            if work.state != "planned" or work.later or any(need.state != "done" for need in work.needs):
                continue
            if work.kind in ("align", "lengths"):  # the voice gives the times of the words; the other is no step
                work.skip()
                continue
            asked = self.progress.asked(self._spec(work), work.scene)
            assert asked is work
            self.asked[work] = world.takes_s(work)
            if (work.kind, work.scene) in world.found:
                self.end(work, cached=True)

    def _spec(self, work: Work) -> StepSpec:
        encoding = encoding_args(self.brief, SETTINGS)
        clip = {"kind": "generated"}
        shot = asdict(shot_of(150, before=0, after=15))
        args: dict[str, Any] = {
            "speech": {"text": TEXT},
            "segment": {"clip": clip, "encoding": encoding, "shot": shot},
            "transition": {"left": {"clip": clip, "shot": shot}, "right": {"clip": clip}, "encoding": encoding},
        }.get(work.kind, {})  # fmt: skip
        return StepSpec(key="", kind=work.kind, args=args, label=work.label, priority=work.priority)

    def end(self, work: Work, *, cached: bool) -> None:
        self.asked.pop(work, None)
        event = StepEvent(ref="", key="", state="done", output={"samples": 4 * 48_000}, cached=cached)
        self.progress.ended(work, event)

    def look(self, now_s: float) -> None:
        if self.end_s is not None:
            return
        self.looks.append((now_s - self.began_s, self.progress.eta_s(), self.progress.percent))
        if all(work.state == "done" or work.later for work in self.progress.works):
            self.end_s = now_s
            self.progress.close()

    @property
    def errors(self) -> list[float]:
        """Of the foreseen end, as shares of the whole time, from a quarter of it on."""
        assert self.end_s is not None
        whole_s = self.end_s - self.began_s
        late = [(at_s, left_s) for at_s, left_s, _ in self.looks if at_s >= whole_s / 4]
        return [abs(at_s + (left_s if left_s is not None else 1e9) - whole_s) / whole_s for at_s, left_s in late]


BRIEF = Brief(prompt="The sea", width_px=1280, height_px=720)


@pytest.mark.parametrize(
    "slower",
    [
        {},
        {"speech": 3.0, "segment": 3.0, "transition": 3.0, "sound": 3.0, "check": 3.0},
        {"segment": 2.0, "transition": 1.5},
        {"speech": 0.4},
    ],
    ids=["as guessed", "a slow machine", "slow pictures", "a quick voice"],
)
@pytest.mark.parametrize("scenes", [3, 8])
def test_from_a_quarter_on_the_end_is_foreseen_within_a_fifth(slower: dict[str, float], scenes: int) -> None:
    world = World(slower=slower)
    job = world.job(BRIEF, board(scenes))
    world.run()
    assert max(job.errors) < 0.2


def test_jobs_that_run_side_by_side_know_of_each_other() -> None:
    world = World()
    first = world.job(BRIEF, board(3))
    second = world.job(BRIEF, board(8))
    world.run()
    assert max(first.errors) < 0.2 and max(second.errors) < 0.2
    alone = World()
    other = alone.job(BRIEF, board(3))
    alone.run()
    assert other.end_s is not None and first.end_s is not None and first.end_s > 1.5 * other.end_s


def test_the_time_left_is_known_anew_when_another_job_comes_and_when_it_goes() -> None:
    world = World()
    job = world.job(BRIEF, board(6))
    world.run(until_s=10)
    before_s = job.progress.eta_s()
    other = world.job(BRIEF, board(6))
    between_s = job.progress.eta_s()
    other.progress.close()
    after_s = job.progress.eta_s()
    assert before_s is not None and between_s is not None and between_s > 1.3 * before_s
    assert after_s == pytest.approx(before_s, rel=0.1)


def test_the_percentage_never_goes_down_and_is_the_share_of_the_time() -> None:
    world = World(slower={"segment": 2.5})  # so that all that was foreseen is too short
    job = world.job(BRIEF, board(5))
    world.run()
    percents = [percent for *_, percent in job.looks]
    assert percents == sorted(percents) and percents[-1] < 100
    whole_s = job.looks[-1][0]
    assert all(abs(percent - 100 * at_s / whole_s) < 20 for at_s, _, percent in job.looks if at_s > whole_s / 4)


def test_what_is_found_done_counts_as_no_work() -> None:
    there = {(kind, scene) for kind in ("speech", "narration", "segment", "transition") for scene in range(8)}
    world = World(found=there - {("segment", 4), ("transition", 3), ("transition", 4)})
    job = world.job(BRIEF, board(8))
    world.run(until_s=0.2)
    left_s = job.progress.eta_s()
    world.run()
    assert job.end_s is not None and left_s == pytest.approx(job.end_s, rel=0.2)


def test_a_cut_leaves_nothing_to_be_done_between_scenes() -> None:
    cut, dissolved = (
        Brief(prompt="", width_px=1280, height_px=720, transitions=Transition(kind=kind, duration_s=0.5))
        for kind in ("cut", "dissolve")
    )
    world = World()
    kinds = [[work.kind for work in world.job(brief, board(4)).progress.works] for brief in (cut, dissolved)]
    assert [one.count("transition") for one in kinds] == [0, 3]


def test_a_review_is_foreseen_and_the_rendering_after_it_is_part_of_the_whole() -> None:
    brief = Brief(prompt="The sea", width_px=1280, height_px=720, review=True)
    world = World()
    job = world.job(brief, board(6))
    world.run()
    assert max(job.errors) < 0.2
    assert job.looks[-1][2] < 40, "what comes after the review is most of the work"


def test_a_draft_tells_how_long_the_final_takes() -> None:
    world = World(slower={"segment": 2.0, "transition": 2.0, "speech": 2.0, "sound": 2.0})
    world.job(Brief(prompt="The sea", width_px=1280, height_px=720, quality="draft"), board(4))
    world.run()
    final = world.job(BRIEF, board(4))
    left_s = final.progress.eta_s()
    world.run()
    assert final.end_s is not None and left_s == pytest.approx(final.end_s - final.began_s, rel=0.2)


def test_a_machine_that_has_become_slower_for_all_is_seen_by_its_first_steps() -> None:
    world = World()
    world.job(BRIEF, board(4))
    world.run()
    world.slower = dict.fromkeys(("speech", "segment", "transition", "sound", "join", "check"), 4.0)
    job = world.job(BRIEF, board(8))
    first_s = job.progress.eta_s()
    world.run(until_s=world.now_s + 30)
    assert not any(one.state == "done" for one in job.progress.segments()), "only the voice was heard"
    left_s = job.progress.eta_s()
    assert first_s is not None and left_s is not None and left_s > 1.6 * first_s


def test_a_new_process_knows_the_pace_of_the_last_one_from_its_steps() -> None:
    pace = 3.0
    encoding = encoding_args(BRIEF, SETTINGS)
    frames = {"frames": 150, "picture": "generated", "samples": 4 * 48_000}
    world = World(slower=dict.fromkeys(("speech", "segment", "transition", "sound", "join", "check"), pace))
    job = world.job(BRIEF, board(3))
    job.progress.estimate(world.forecast.rates)
    seconds = {work.kind: pace * work.cost.total_s for work in job.progress.works}
    past = [
        PastStep(kind=kind, label="cpu", seconds=seconds[kind], output=frames, brief=BRIEF)
        for kind in ("speech", "segment") * 3
    ]
    forecast = Forecast(SLOTS, rates=rates_of(past, SETTINGS), clock=lambda: 0.0)
    knowing = Progress(forecast)
    knowing.plan_video(BRIEF, board(3), encoding)
    world.run()
    assert job.end_s is not None and knowing.eta_s() == pytest.approx(job.end_s, rel=0.35)


def test_every_scene_tells_how_far_it_is() -> None:
    world = World()
    job = world.job(BRIEF, board(3))
    while not 20 < job.progress.segments()[1].percent < 80:
        world.run(until_s=world.now_s + TICK_S)
    first, second, third = job.progress.segments()
    assert [(one.scene, one.state) for one in (first, second, third)] == [(1, "done"), (2, "rendering"), (3, "waiting")]
    assert (first.percent, third.percent) == (100, 0)


def test_a_step_that_is_tried_again_begins_at_nothing() -> None:
    forecast = Forecast(SLOTS)
    progress = Progress(forecast)
    progress.plan_video(BRIEF, board(2), encoding_args(BRIEF, SETTINGS))
    work = progress.asked(StepSpec(key="", kind="sound", args={}, label="ffmpeg"), None)
    for share in (0.0, 0.6, 0.0):
        progress.told(work, share)
    assert (work.state, work.share) == ("running", 0)


def test_what_a_job_has_given_up_does_not_report_to_it_any_more() -> None:
    world = World()
    progress = Progress(world.forecast)
    progress.plan_video(BRIEF, board(2), encoding_args(BRIEF, SETTINGS))
    work = progress.asked(StepSpec(key="", kind="sound", args={}, label="ffmpeg"), None)
    progress.told(work, 0.3)
    progress.ended(work, None)
    left_s = progress.eta_s()
    progress.told(work, 0.9)  # another job wants the same sound
    assert work.state == "planned" and progress.eta_s() == left_s


def test_a_prefetch_that_finds_less_than_it_may_is_done_when_that_is_there() -> None:
    world = World()
    progress = Progress(world.forecast)
    progress.plan_prefetch(2, 3)
    whole_s = progress.eta_s()
    progress.skip_fetches(0)
    progress.ended(progress.asked(StepSpec(key="", kind="fetch", args={}, label="net"), 1), None)
    assert whole_s is not None and whole_s > 0 and progress.eta_s() == pytest.approx(whole_s)
    progress.skip_fetches(1)
    assert progress.eta_s() == 0


def test_nothing_is_foreseen_before_there_is_a_plan() -> None:
    progress = Progress()
    assert (progress.eta_s(), progress.percent, progress.segments()) == (None, 0, ())


def test_a_voice_over_is_listened_to_before_anything_of_it_is_known() -> None:
    """Its length tells about how much there will be to do, so the time left is told from the start."""
    now_s = [0.0]
    forecast = Forecast(SLOTS, clock=lambda: now_s[0])
    given = VoiceOver(asset="a" * 64, title="talk", duration_s=60.0)
    brief = Brief(prompt="", narration_audio=given)
    progress = Progress(forecast)
    progress.plan_video(brief, guessed_storyboard(brief), encoding_args(brief, SETTINGS), recording_s=60.0)
    kinds = [work.kind for work in progress.works]
    assert (kinds.count("segment"), kinds.count("speech"), kinds.count("align")) == (10, 0, 0)
    first_s = progress.eta_s()
    assert first_s is not None and first_s > 20
    for kind, took_s in (("recording", 1.0), ("transcribe", 5.1)):
        args = {"length_s": 60.0}
        spec = StepSpec(key=kind, kind=kind, args=args, label="ffmpeg" if kind == "recording" else "cpu")
        work = progress.asked(spec, None)
        assert work in progress.works and [one.kind for one in progress.works].count(kind) == 1, "it was foreseen"
        progress.told(work, 0.0)
        now_s[0] += took_s
        progress.ended(work, StepEvent(ref="r", key=kind, state="done"))
    assert 0 < progress.percent < 60, "the pictures are still to come"
    shown = guessed_storyboard(brief)
    progress.plan_video(brief, shown, encoding_args(brief, SETTINGS))
    assert not {"recording", "transcribe", "speech"} & {work.kind for work in progress.works}
    left_s = progress.eta_s()
    assert left_s is not None and left_s == pytest.approx(first_s - 6.1, rel=0.4)


def test_a_closing_card_is_foreseen_and_made_after_all_scenes() -> None:
    world = World()
    plain, asked = (world.job(Brief(prompt="x", credits_card=card), board(3)) for card in (False, True))
    (card,) = [work for work in asked.progress.works if work.kind == "card"]
    assert not [work for work in plain.progress.works if work.kind == "card"]
    asked.progress.eta_s()
    assert card.cost.total_s > 1 and {work.kind for work in card.needs} == {"segment", "transition"}
    assert len(asked.progress.segments()) == 3, "it is no scene"
    encoding = encoding_args(asked.brief, SETTINGS)
    args = {"clip": {"kind": "generated"}, "encoding": encoding, "shot": asdict(shot_of(135, before=0, after=0))}
    spec = StepSpec(key="card", kind="card", args=args, label="ffmpeg")
    assert asked.progress.asked(spec, None) is card and card.cost.name.startswith("card ")
