"""A converted detector beside ONNX Runtime on the same pictures, and its rectangles beside RapidOCR's, in one run.

python benchmarks/detector.py --detector=FILE.onnx --tflite=FILE.tflite PHOTOGRAPH_OR_FOLDER...

Processor milliseconds of one thread a photograph (medians), and how many places are the same. RapidOCR's own steps
need `pip install "rapidocr>=3.10,<4"` and are left out without it.
"""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnxruntime
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf.cli._images import find_images
from spin_tf.data.images import decode_image, read_image_file
from spin_tf.photo.litert_detector import LiteRTDetector, letterbox, place
from spin_tf.photo.text_map import UNCLIP, find_quadrilaterals

_DETECTOR = flags.DEFINE_string("detector", None, "The .onnx file.", required=True)
_TFLITE = flags.DEFINE_multi_string("tflite", None, "Files that bin/convert_detector.py has made of it.", required=True)


class Tally:
    """Processor times by what took them, and counts by what was counted."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.counts: dict[str, np.ndarray] = {}

    def timed(self, name: str, function: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = function()
        self.times.setdefault(name, []).append(1000 * (time.process_time() - start))
        return result

    def count(self, name: str, *numbers: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + np.array(numbers)


def overlaps(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs, (n, m), by OpenCV."""
    import cv2

    table = np.zeros((len(some), len(others)))
    for i, one in enumerate(some.astype(np.float32)):
        for j, other in enumerate(others.astype(np.float32)):
            common = cv2.intersectConvexConvex(one, other)[0]
            table[i, j] = common / max(cv2.contourArea(one) + cv2.contourArea(other) - common, 1e-9)
    return table


def found(table: np.ndarray, least: float) -> int:
    return int((table.max(axis=1, initial=0) >= least).sum())


def pictures(arguments: list[str]) -> Iterator[np.ndarray]:
    for path, problem, _ in find_images(arguments):
        try:
            image = decode_image(read_image_file(path))
        except (ValueError, OSError) as error:
            print(f"{path}: {problem or error}", file=sys.stderr)
            continue
        yield image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def main(argv: list[str]) -> None:
    try:
        from rapidocr.ch_ppocr_det.utils import DBPostProcess, DetPreProcess

        post, resize = DBPostProcess(0.3, 0.5, 1000, UNCLIP, "fast", True), DetPreProcess(736, "min")
    except ModuleNotFoundError:
        post = resize = None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_DETECTOR.value, options)
    name = session.get_inputs()[0].name
    detectors = {pathlib.Path(path).name: LiteRTDetector(path, num_threads=1) for path in _TFLITE.value}
    sizes = next(iter(detectors.values())).metadata["sizes"]
    tally, number = Tally(), 0
    # Those of one input after another: an interpreter is made anew for another one.
    for picture in sorted(pictures(argv[1:]), key=lambda one: place(one.shape[0], one.shape[1], sizes)[0]):
        number += 1
        height, width = picture.shape[:2]
        key, rows, columns = place(height, width, sizes)
        image = tally.timed("resize", lambda: letterbox(picture, rows, columns, tuple(sizes[key])))  # noqa: B023
        values = ((image / 255 - 0.5) / 0.5)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        run = lambda given: session.run(None, {name: given})[0]  # noqa: E731
        expected = tally.timed("ONNX Runtime", lambda: run(values))[0, 0, :rows, :columns]  # noqa: B023
        expected = np.ascontiguousarray(expected)
        corners, _ = tally.timed("rectangles", lambda: find_quadrilaterals(expected))  # noqa: B023
        for file, detector in detectors.items():
            probabilities = tally.timed(file, lambda: detector.map(key, image))[:rows, :columns]  # noqa: B023
            others, _ = find_quadrilaterals(probabilities)
            apart = np.abs(corners[:, None] - others[None]).max(axis=(2, 3))
            same = int((apart.min(axis=1, initial=np.inf) <= 1.5).sum())
            tally.count(
                f"{file}: its places, ONNX Runtime's, of these the same within 1.5", len(others), len(corners), same
            )
        if post is not None:
            boxes, _ = tally.timed("RapidOCR's rectangles", lambda: post(expected[None, None], (rows, columns)))  # noqa: B023
            table = overlaps(corners - 0.5, boxes) if len(boxes) else np.zeros((len(corners), 0))
            counts = len(corners), len(boxes), found(table.T, 0.5), found(table.T, 0.9)
            tally.count("same map: ours, RapidOCR's, of these overlapped by half, by nine tenths", *counts)
            boxes, _ = post(run(resize(picture[..., ::-1])), (height, width))
            places = corners * [width / columns, height / rows]
            table = overlaps(places, boxes) if len(boxes) else np.zeros((len(places), 0))
            counts = len(places), len(boxes), found(table.T, 0.5)
            tally.count("own input: ours, RapidOCR's, of these overlapped by half", *counts)
    print(f"{number} photographs, processor milliseconds of one thread, median:")
    for what, times in tally.times.items():
        print(f"  {what}: {np.median(times):.1f}")
    for what, numbers in tally.counts.items():
        print(f"{what}: {', '.join(map(str, numbers.tolist()))}")


if __name__ == "__main__":
    app.run(main)
