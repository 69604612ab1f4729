"""How a flat word lies in the picture: curve, shear, perspective, rotation and crop in one warp."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

import numpy as np
from PIL import Image

from spin_tf.synthesis.layout import TextPlane
from spin_tf.synthesis.probabilities import Streams

MAX_WIDTH = 220
MAX_HEIGHT = 72
# What is left of a letter's height and width where ground is around it, in a crop of 32 pixels' height that is squeezed
# to 128 or 256 pixels' width: less cannot be read.
_LEAST_HEIGHT = 9 / 32
_STRIPS = 10
# Crops that are wider than so many times their height are read at twice the usual width.
WIDE = 5.0


class Pose(NamedTuple):
    """Curvature (1 / pixels; 0 is straight), wave (amplitude, period, phase) and a homography (3, 3)."""

    curvature: float
    wave: tuple[float, float, float]
    homography: np.ndarray

    def forward(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the text plane, seen from the centre of the word, to points of the picture."""
        u, v = points[:, 0], points[:, 1]
        if self.wave[0]:
            v = v + self.wave[0] * np.sin(u / self.wave[1] + self.wave[2])
        if self.curvature:
            radius = 1 / self.curvature - v
            u, v = radius * np.sin(u * self.curvature), 1 / self.curvature - radius * np.cos(u * self.curvature)
        x, y, w = self.homography @ np.stack([u, v, np.ones_like(u)])
        return np.stack([x / w, y / w], axis=1)

    def backward(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `forward`."""
        u, v, w = np.linalg.inv(self.homography) @ np.stack([points[:, 0], points[:, 1], np.ones(len(points))])
        u, v = u / w, v / w
        if self.curvature:
            side = math.copysign(1.0, self.curvature)
            down = 1 / self.curvature - v
            radius = side * np.hypot(u, down)
            u, v = np.arctan2(side * u, side * down) / self.curvature, 1 / self.curvature - radius
        if self.wave[0]:
            v = v - self.wave[0] * np.sin(u / self.wave[1] + self.wave[2])
        return np.stack([u, v], axis=1)


class Crop(NamedTuple):
    """Ink, uint8 (height, width), and the size of the crop in pixels of the text plane, which may be larger."""

    mask: np.ndarray
    true_width: float
    true_height: float


def choose_pose(width: float, height: float, streams: Streams) -> Pose:
    """Draws the pose of a word of the given size in the text plane."""
    half = max(width, height) / 2
    r = streams.active("curve")
    curvature = 0.0
    if r is not None and width > 1.6 * height:
        # Half of the angle that the arc spans; letters must not meet at the inner side of the arc.
        angle = (0.15 + 0.65 * r.random()) * (1 if r.random() < 0.7 else -1)
        # The arc of a long word must not be so high that its letters are small in the crop.
        angle = math.copysign(min(abs(angle), 3 * height / width), angle)
        curvature = angle / (width / 2)
        curvature = math.copysign(min(abs(curvature), 0.9 / height), curvature)
    r = streams.active("wave")
    wave = (0.0, 1.0, 0.0)
    if r is not None:
        wave = (height * (0.05 + 0.12 * r.random()), max(width / (3 + 5 * r.random()), height / 2), 6.28 * r.random())
    r = streams.active("condense")
    stretch = math.exp(r.gauss(-0.05, 0.22)) if r is not None else 1.0
    matrix = np.diag([stretch, 1.0, 1.0])
    half *= max(stretch, 0.5)
    r = streams.active("shear")
    if r is not None:
        matrix = np.array([[1, -math.tan(math.radians(_clip(r.gauss(2, 12), 35))), 0], [0, 1, 0], [0, 0, 1]]) @ matrix
    r = streams.active("rotation")
    angle = 0.0
    if r is not None:
        u = r.random()
        # A long word that is turned far fills a crop so high that nothing is left of its letters in the end.
        rise = 2.2 if width * stretch < 7 * height else 1.0
        most = math.degrees(math.asin(min(rise * height / (width * stretch), 0.7)))
        angle = _clip(r.gauss(0, 2 if u < 0.35 else 9 if u < 0.85 else 18), most)
    r = streams.active("vertical")
    if r is not None and width < 2.5 * height:
        angle = math.copysign(60 + 30 * r.random(), r.random() - 0.5)
    r = streams.active("perspective")
    if r is not None:
        p = _clip(r.gauss(0, 0.13), 0.38) / half
        q = _clip(r.gauss(0, 0.10), 0.35) / half
        # What is turned away is also foreshortened.
        matrix = np.array([[1 - 0.8 * abs(p * half), 0, 0], [0, 1, 0], [p, q, 1]]) @ matrix
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return Pose(curvature, wave, np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ matrix)


def choose_crop(corners: np.ndarray, streams: Streams, widest: float = 15.0) -> tuple[float, float, float, float]:
    """The crop (left, top, right, bottom) around the outline (n, 2) of a word; may cut into it or leave margins.

    With even ground beside the word it is at most `widest` times as wide as the word is high.
    """
    left, top = corners.min(0)
    right, bottom = corners.max(0)
    height, width = bottom - top, right - left
    usual = streams.always("crop")
    unit = min(height, width)
    margins = [unit * (0.02 + 0.16 * usual.random() ** 1.3) for _ in range(4)]
    r = streams.active("loose_crop")
    if r is not None:
        margins = [m + unit * 0.3 * r.random() ** 2 for m in margins]
    r = streams.active("tight_crop")
    if r is not None:
        margins = [m - unit * 0.12 * r.random() if r.random() < 0.5 else m for m in margins]
    r = streams.active("wide_ground")
    if r is not None:
        ground = _ground(width, height, r)
        room = max(widest * height - width, 0.0)
        narrow = min(1.0, room / max(ground[0] + ground[2], 1e-6))
        share = (narrow, 1.0, narrow, 1.0)
        margins = [m + more * part for m, more, part in zip(margins, ground, share, strict=True)]
    return left - margins[0], top - margins[1], right + margins[2], bottom + margins[3]


def _ground(width: float, height: float, r: Random) -> tuple[float, float, float, float]:
    """Even ground beside a word or all around it: (left, top, right, bottom)."""
    u = r.random()
    if u < 0.4:
        # On one side: to twice the word's width, and of short words to four times their height.
        more = max(width * (0.2 + 1.8 * r.random() ** 2), min(4.0 * height * r.random(), 2.0 * width))
        return (more, 0.0, 0.0, 0.0) if r.random() < 0.35 else (0.0, 0.0, more, 0.0)
    if u < 0.65:
        return height * 4 * r.random() ** 1.5, 0.0, height * 4 * r.random() ** 1.5, 0.0
    most = height * (1 / _LEAST_HEIGHT - 1) / 2
    above, below = (most * r.random() for _ in range(2))
    beside = height * 2 * r.random()
    return beside * (0.3 + r.random()), above, beside * (0.3 + r.random()), below


def warp_plane(plane: TextPlane, streams: Streams, max_width: int = MAX_WIDTH) -> Crop:
    """Warps the text plane into a crop of the picture.

    Args:
        plane: the word, flat.
        streams: random numbers of the word.
        max_width: the widest mask of a crop more than `WIDE` times as wide as high; of others it is 220 pixels.

    Returns:
        The ink in the crop, and how large the crop is in pixels of the text plane.
    """
    left, top, right, bottom = plane.box
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    pose = choose_pose(right - left, bottom - top, streams)
    x = np.linspace(left, right, 9) - centre[0]
    outline = np.concatenate([np.stack([x, np.full(9, edge - centre[1])], axis=1) for edge in (top, bottom)])
    crop = choose_crop(pose.forward(outline), streams, 30.0 if max_width > MAX_WIDTH else 15.0)
    true_width, true_height = crop[2] - crop[0], crop[3] - crop[1]
    width = max(min(round(true_width), max_width if true_width > WIDE * true_height else MAX_WIDTH), 6)
    height = max(min(round(true_height), MAX_HEIGHT), 6)
    image = Image.fromarray(plane.mask)
    scale_x, scale_y = true_width / width, true_height / height
    to_picture = np.array([[scale_x, 0, crop[0]], [0, scale_y, crop[1]], [0, 0, 1]])
    if not pose.curvature and not pose.wave[0]:
        inverse = (
            np.array([[1, 0, centre[0]], [0, 1, centre[1]], [0, 0, 1]]) @ np.linalg.inv(pose.homography) @ to_picture
        )
        inverse /= inverse[2, 2]
        data = inverse.ravel()[:8].tolist()
        warped = image.transform((width, height), Image.Transform.PERSPECTIVE, data, Image.Resampling.BILINEAR)
    else:
        columns = np.unique(np.linspace(0, width, _STRIPS + 1).round().astype(int))
        rows = np.unique(np.linspace(0, height, 3).round().astype(int))
        grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        grid = grid * [scale_x, scale_y] + [crop[0], crop[1]]
        source = (pose.backward(grid) + centre).reshape(len(rows), len(columns), 2).tolist()
        mesh = []
        for j in range(len(rows) - 1):
            for i in range(len(columns) - 1):
                area = (int(columns[i]), int(rows[j]), int(columns[i + 1]), int(rows[j + 1]))
                quad = (*source[j][i], *source[j + 1][i], *source[j + 1][i + 1], *source[j][i + 1])
                mesh.append((area, quad))
        warped = image.transform((width, height), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    return Crop(np.asarray(warped), float(true_width), float(true_height))


def _clip(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
