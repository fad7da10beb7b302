"""Palms, pines and grass as polygons, in full-size pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def stroke(path: Points, widths: Points) -> Points:
    """A ribbon along `path` (float64[n, 2]) that is `widths` (float64[n]) thick: one polygon."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) * (widths[:, None] / 2)
    return np.concatenate([path + normal, (path - normal)[::-1]])


def palm(rng: np.random.Generator, foot: tuple[float, float], height: float, lean: float, sway: float) -> list[Points]:
    """A coconut palm. `lean` bends the trunk sideways (fraction of height), `sway` -1..1 is the wind's moment.

    Every call with an equally seeded `rng` draws the same tree, only swayed.
    """
    t = np.linspace(0, 1, 24)
    bend = lean * height * (0.35 * t + 0.65 * t**2.2) + sway * 0.012 * height * t**2
    trunk = np.stack([foot[0] + bend, foot[1] - height * t * (1 - 0.08 * abs(lean) * t)], axis=1)
    width = height * (0.038 - 0.020 * t + 0.02 * np.exp(-t * 14))
    width *= 1 + 0.05 * np.sin(t * 90)
    parts = [stroke(trunk, width)]
    crown = trunk[-1]
    fronds = 17
    for n in range(fronds):
        spread = 2 * (n + rng.uniform(-0.4, 0.4)) / (fronds - 1) - 1
        # More fronds to the sides than straight up, where they would hide one another.
        angle = np.pi * (0.5 - 0.72 * np.sign(spread) * abs(spread) ** 0.72)
        length = height * rng.uniform(0.34, 0.48) * (1.0 - 0.18 * abs(np.sin(angle)))
        droop = rng.uniform(0.5, 1.2) * (0.30 + 0.5 * abs(np.cos(angle)))
        move = sway * rng.uniform(0.6, 1.4)
        parts.extend(_frond(rng, crown, angle + move * 0.03, length, droop + 0.05 * move * np.cos(angle), move))
    for n in range(5):
        around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        middle = crown + height * np.array([(n - 2) * 0.012, 0.018 + 0.006 * (n % 2)])
        parts.append(middle + height * 0.016 * np.stack([np.cos(around), np.sin(around)], axis=1))
    return parts


def _frond(
    rng: np.random.Generator, crown: Points, angle: float, length: float, droop: float, move: float
) -> list[Points]:
    t = np.linspace(0, 1, 20)
    reach = length * t
    x = np.cos(angle) * reach * (1 - 0.12 * t)
    y = -np.sin(angle) * reach * 0.85 + droop * length * 0.78 * t**2.1
    spine = crown + np.stack([x, y], axis=1)
    parts = [stroke(spine, length * 0.018 * (1.05 - t))]
    leaves = 40
    at = np.linspace(0.10, 1.0, leaves)
    root = np.stack([np.interp(at, t, spine[:, 0]), np.interp(at, t, spine[:, 1])], axis=1)
    ahead = np.stack([np.interp(at, t, np.gradient(spine[:, 0])), np.interp(at, t, np.gradient(spine[:, 1]))], axis=1)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    size = length * (0.20 * np.sin(np.pi * np.clip(at * 0.80 + 0.18, 0, 1)) ** 0.8 + 0.05)
    for side in (-1.0, 1.0):
        normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * side
        jitter = rng.uniform(0.8, 1.15, (leaves, 1))
        # Gravity pulls leaflets down whichever side they grow on.
        way = ahead * 0.62 + normal * 0.62 + np.array([0.06 * move, 0.55])
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        tip = root + way * size[:, None] * jitter
        middle = root + (tip - root) * 0.45 + ahead * (size * 0.05)[:, None]
        thick = np.stack([-way[:, 1], way[:, 0]], axis=1) * (length * 0.0048)
        parts.append(np.stack([root - thick * 0.7, middle - thick, tip, middle + thick, root + thick * 0.7], axis=1))
    return parts


def pine(rng: np.random.Generator, foot: tuple[float, float], height: float) -> list[Points]:
    """A spruce: ragged tiers of drooping boughs, narrow at the top."""
    x, y = foot
    tiers = 13
    level = np.linspace(0.08, 0.97, tiers)
    reach = height * 0.23 * (1 - level) ** 0.85 * rng.uniform(0.78, 1.15, tiers) + height * 0.008
    drop = height * 0.055 + reach * 0.22
    parts = [stroke(np.array([[x, y], [x, y - height]]), np.array([height * 0.030, height * 0.004]))]
    for n in range(tiers):
        base = y - height * level[n]
        left, right = reach[n] * rng.uniform(0.8, 1.1), reach[n] * rng.uniform(0.8, 1.1)
        parts.append(
            np.array(
                [
                    [x, base - height * 0.10],
                    [x + right * 0.45, base + drop[n] * 0.25],
                    [x + right, base + drop[n] * rng.uniform(0.7, 1.0)],
                    [x + right * 0.55, base + drop[n] * 0.62],
                    [x + right * 0.30, base + drop[n] * 0.95],
                    [x, base + drop[n] * 0.55],
                    [x - left * 0.28, base + drop[n] * 0.95],
                    [x - left * 0.60, base + drop[n] * 0.60],
                    [x - left, base + drop[n] * rng.uniform(0.7, 1.0)],
                    [x - left * 0.45, base + drop[n] * 0.25],
                ]
            )
        )
    return parts


def blades(rng: np.random.Generator, x: Points, foot_y: float, height: Points, sway: float) -> Points:
    """Grass: float64[n, 6, 2], one blade for each `x`, `height` pixels tall, bent by its own lean and `sway` -1..1."""
    n = len(x)
    lean = rng.normal(0.05, 0.22, n) + sway * rng.uniform(0.05, 0.14, n)
    width = height * rng.uniform(0.014, 0.026, n) + 0.6
    y0 = np.full(n, foot_y)
    x1, y1 = x + lean * height * 0.22, y0 - height * 0.5
    x2, y2 = x + lean * height, y0 - height * (1 - 0.3 * lean**2)
    return np.stack(
        [
            np.stack([x - width, y0], 1),
            np.stack([x1 - width * 0.8, y1], 1),
            np.stack([x2, y2], 1),
            np.stack([x2 + 0.3, y2], 1),
            np.stack([x1 + width * 0.8, y1], 1),
            np.stack([x + width, y0], 1),
        ],
        axis=1,
    )
