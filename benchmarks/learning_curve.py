#!/usr/bin/env python3
"""Draws a learning curve: validation accuracy, all and by set, against the words seen, from the log.csv of runs.

    benchmarks/learning_curve.py --output=FILE.svg MODEL_DIR[:WORDS]...

Runs that follow each other make one curve: WORDS is how many words had been seen before the run began (default: where
the run before it ended, so that a lap goes on from the lap before).
"""

from __future__ import annotations

import csv
import html
import os
import pathlib
import sys

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf import config as config_module

_OUTPUT = flags.DEFINE_string("output", None, "SVG file.", required=True)

# Words seen and accuracy in percent, by set.
Curves = dict[str, list[tuple[int, float]]]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 420, 56, 128, 24, 48
_COLOURS = ("#1b1b1b", "#c2452d", "#1f6f8b", "#5c8a3a", "#8a5fa8", "#b8892b")


def read_run(folder: str, seen: int, curves: Curves) -> int:
    """Adds a run's validations to the curves; returns the words seen at its last logged step.

    Raises:
        OSError: the folder has no log.csv or no config.yaml.
    """
    batch = config_module.load(os.path.join(folder, "config.yaml")).training.batch_size
    last = 0
    with open(os.path.join(folder, "log.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            last = max(last, int(row["step"]))
            name, _, kind = row["name"].rpartition("_")
            if kind == "accuracy":
                curves.setdefault(name, []).append((seen + int(row["step"]) * batch, 100 * float(row["value"])))
    return seen + last * batch


def draw(curves: Curves) -> str:
    """Returns the curves as an SVG picture.

    Raises:
        ValueError: there is no validation.
    """
    points = [point for curve in curves.values() for point in curve]
    if not points:
        raise ValueError("The runs were never validated. Received: no row NAME_accuracy in any log.csv")
    most = max(words for words, _ in points)
    low = 10 * int(min(value for _, value in points) / 10)

    def place(words: float, value: float) -> tuple[float, float]:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * words / most
        return x, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (100 - value) / (100 - low)

    parts = []
    for value in range(low, 101, 10 if 100 - low > 40 else 5):
        y = place(0, value)[1]
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value} %</text>')
    for i in range(5):
        words = most * i / 4
        x = place(words, low)[0]
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{words / 1e6:.2f}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">million words seen</text>')
    # "all" first, in black and bold; a label at each end, pushed apart where they meet.
    names = sorted(curves, key=lambda name: (name != "all", name))
    ends = sorted((place(*curves[name][-1])[1], name) for name in names)
    heights: dict[str, float] = {}
    for y, name in ends:
        heights[name] = max(y, max(heights.values(), default=-99.0) + 16)
    for name, colour in zip(names, _COLOURS * len(names), strict=False):
        path = "L".join("{:.1f} {:.1f}".format(*place(*point)) for point in curves[name])
        width = 2.5 if name == "all" else 1.4
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        label = f"{html.escape(name)} {curves[name][-1][1]:.1f}"
        parts.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{heights[name] + 4:.1f}" fill="{colour}">{label}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" fill="#444">\n<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def main(argv: list[str]) -> None:
    curves: Curves = {}
    seen = 0
    for argument in argv[1:]:
        folder, separator, words = argument.rpartition(":")
        if separator and words.isdigit():
            seen = int(words)
        else:
            folder = argument
        seen = read_run(folder, seen, curves)
    pathlib.Path(_OUTPUT.value).write_text(draw(curves), encoding="utf-8")


if __name__ == "__main__":
    app.run(main)
