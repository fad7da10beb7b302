"""Which part of a clip a scene shows, in time and in the frame. Pure: what the scan told in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vidgend.models import Clip, ClipScan

SLOWEST = 1.6
"""A clip that is too short for its scene is slowed down to this factor at most, then it goes forward and backward."""
MARGIN_S = 0.1
"""A clip must be so much longer than its scene: what files say about their length is rounded."""
STILL_S = 0.2
"""A clip that is shorter is shown as the photo that it is."""

_GRID_S = 0.25
_MOST_STARTS = 400
_BLACK, _FLAT = 20, 5
_CUT_COST = 100.0
_UNSEEN_COST = 0.5


@dataclass(frozen=True, kw_only=True)
class Window:
    """The scene's time t shows the clip's time `start_s + t / slow`.

    With `bounce_s` the clip goes forward and backward in the `bounce_s` seconds from `start_s` on.
    """

    start_s: float = 0.0
    slow: float = 1.0
    bounce_s: float = 0.0


def window_from(in_point_s: float, duration_s: float, need_s: float) -> Window:
    """The part of a clip that begins where somebody says, slowed down or bounced if there is too little after it."""
    start_s = min(max(0.0, in_point_s), max(0.0, duration_s - STILL_S))
    rest = choose_window(duration_s - start_s, need_s) if duration_s - start_s < need_s + MARGIN_S else Window()
    return Window(start_s=start_s, slow=rest.slow, bounce_s=rest.bounce_s)


def choose_window(duration_s: float, need_s: float, scan: ClipScan | None = None) -> Window:
    """The best `need_s` of a clip of `duration_s`: no cut inside if any part has none, no black, little shake, and
    not its very first and last moments. A shot that is a little too short is slowed down before a cut is shown."""
    if duration_s >= need_s + MARGIN_S:
        start_s, cost = _best_start(duration_s, need_s, scan)
        if cost < _CUT_COST:
            return Window(start_s=start_s)
        for slow in (1.25, SLOWEST):
            slowed_start_s, slowed_cost = _best_start(duration_s, need_s / slow, scan)
            if slowed_cost < _CUT_COST:
                return Window(start_s=slowed_start_s, slow=slow)
        return Window(start_s=start_s)
    if duration_s * SLOWEST >= need_s + MARGIN_S:
        return Window(slow=(need_s + MARGIN_S) / duration_s)
    return Window(slow=SLOWEST, bounce_s=duration_s)


def shorten_bounce(window: Window, longest_s: float, scan: ClipScan | None = None) -> Window:
    """The same with the best `longest_s` of its part, if that is less."""
    if window.bounce_s <= longest_s:
        return window
    start_s, _ = _best_start(window.bounce_s, longest_s, scan)
    return Window(start_s=start_s, slow=window.slow, bounce_s=longest_s)


def _best_start(duration_s: float, need_s: float, scan: ClipScan | None) -> tuple[float, float]:
    slack_s = max(0.0, duration_s - need_s - MARGIN_S)
    if scan is None:
        return slack_s * 0.25, 0.0  # stock clips often start with a shake or a fade
    grid_s = max(_GRID_S, slack_s / _MOST_STARTS)
    starts = {round(number * grid_s, 3) for number in range(int(slack_s / grid_s) + 1)} | {round(slack_s, 3)}
    starts |= {round(cut_s + 0.05, 3) for cut_s in scan.cuts_s if cut_s + 0.05 <= slack_s}
    best = min(starts, key=lambda start_s: (_cost(start_s, duration_s, need_s, slack_s, scan), start_s))
    return best, _cost(best, duration_s, need_s, slack_s, scan)


def _cost(start_s: float, duration_s: float, need_s: float, slack_s: float, scan: ClipScan) -> float:
    end_s = start_s + need_s
    # A cut lies in the tenth of a second before the time that the scan gives it.
    cuts = sum(start_s < cut_s + 0.03 and end_s > cut_s - 0.13 for cut_s in scan.cuts_s)
    parts = []
    at_s = start_s
    while at_s < end_s:
        parts.append(_cost_of_part(int((at_s - scan.start_s) // scan.step_s), scan))
        at_s += scan.step_s
    edge_s = 0.5
    edges = max(0.0, edge_s - start_s) + max(0.0, edge_s - (duration_s - end_s))
    taste = abs(start_s - slack_s * 0.25) / (slack_s or 1.0) * 0.05
    return cuts * _CUT_COST + sum(parts) / len(parts) + edges + taste


def _cost_of_part(index: int, scan: ClipScan) -> float:
    if not 0 <= index < len(scan.brightness):
        return _UNSEEN_COST
    black = 20.0 if scan.brightness[index] < _BLACK else 0.0
    flat = 8.0 if scan.detail[index] < _FLAT else 0.0
    return black + flat + min(3.0, scan.shake[index])


def crop_position(profile: Sequence[int], share: float) -> float:
    """Where to put a window of `share` of the width (or height) so that it keeps most of what there is to see.

    0 is the left (top), 1 the right (bottom), 0.5 the middle, which is left only for a clear gain.
    """
    count, total = len(profile), sum(profile)
    if not 0 < share < 0.95 or count < 4 or total <= 0:
        return 0.5
    width = share * count

    def seen(position: float) -> float:
        left = position * (count - width)
        return (
            sum(
                value * max(0.0, min(number + 1, left + width) - max(number, left))
                for number, value in enumerate(profile)
            )
            / total
        )

    steps = [number / 40 for number in range(41)]
    best = max(steps, key=lambda position: seen(position) * (1 - 0.2 * abs(position - 0.5)))
    return best if seen(best) > 1.3 * seen(0.5) else 0.5


def crop_positions(clip: Clip, width_px: int, height_px: int) -> tuple[float, float]:
    """(across, down) for `crop_position` of a clip that is to cover a frame of that size."""
    if clip.scan is None or not clip.width_px or not clip.height_px:
        return 0.5, 0.5
    shape = clip.width_px / clip.height_px / (width_px / height_px)
    return crop_position(clip.scan.columns, 1 / shape), crop_position(clip.scan.rows, shape)
