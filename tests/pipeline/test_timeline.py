from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidgend.pipeline.timeline import SceneNeed, lead_s, needed_frames, speech_start_sample, stretched_frames
from vidgend.timebase import SAMPLE_RATE_HZ, frames_to_s, parse_fps, s_to_frames

FPS = st.sampled_from([parse_fps(text) for text in ("24", "25", "30", "60", "24000/1001", "30000/1001")])
NEEDS = st.lists(
    st.builds(
        SceneNeed,
        speech_samples=st.integers(0, 20 * SAMPLE_RATE_HZ),
        min_duration_s=st.floats(0, 12),
    ),
    min_size=1,
    max_size=12,
).map(tuple)


@given(NEEDS, FPS)
def test_every_scene_has_room_for_its_speech(needs: tuple[SceneNeed, ...], fps: Fraction) -> None:
    for index, need in enumerate(needs):
        length_s = frames_to_s(needed_frames(index, len(needs), need, fps), fps)
        assert length_s >= need.min_duration_s
        if need.speech_samples:
            assert length_s > lead_s(index) + Fraction(need.speech_samples, SAMPLE_RATE_HZ)


@given(NEEDS, FPS, st.floats(1, 200))
def test_a_stretched_video_lasts_what_was_wished_unless_its_words_need_more(
    needs: tuple[SceneNeed, ...], fps: Fraction, duration_s: float
) -> None:
    least = [needed_frames(index, len(needs), need, fps) for index, need in enumerate(needs)]
    frames = stretched_frames(needs, fps, duration_s)
    assert all(got >= few for got, few in zip(frames, least, strict=True))
    assert sum(frames) == max(sum(least), s_to_frames(duration_s, fps))


def test_free_time_fills_the_short_scenes_first() -> None:
    needs = (SceneNeed(speech_samples=8 * SAMPLE_RATE_HZ), SceneNeed(speech_samples=0), SceneNeed(speech_samples=0))
    frames = stretched_frames(needs, Fraction(30), 24.0)
    assert sum(frames) == 720
    assert frames[0] == needed_frames(0, 3, needs[0], Fraction(30))
    assert abs(frames[1] - frames[2]) <= 1


def test_speech_starts_at_the_sample_of_its_frame() -> None:
    assert speech_start_sample(0, 0, Fraction(30)) == round(0.7 * SAMPLE_RATE_HZ)
    assert speech_start_sample(30, 1, Fraction(30)) == SAMPLE_RATE_HZ + round(0.3 * SAMPLE_RATE_HZ)
    # 1001 frames at 24000/1001 last 1001*1001/24000 s = 2004002 samples exactly.
    assert speech_start_sample(1001, 1, Fraction(24000, 1001)) == 2004002 + round(0.3 * SAMPLE_RATE_HZ)
