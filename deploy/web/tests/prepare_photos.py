"""Photographs for the tests of the page, detectors that find their words, and what Python finds and reads on them."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

from spin_tf.contract.errors import ImageError
from spin_tf.data.images import decode_image
from spin_tf.photo.litert_detector import LiteRTDetector, letterbox, place
from spin_tf.recognizer import Recognizer

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY))


def prepare(folder: pathlib.Path, shared: pathlib.Path) -> None:
    """Writes photos/: detectors, photographs, expected.json."""
    from spin_tf.export import detector_file
    from tests.photo import dark_detector
    from tests.photo.drawn import LINES, ONNX, SIZES, TILTED, drawn_photograph, maps, read

    dark_detector.write(folder / "dark.tflite", SIZES)
    (folder / "dark.onnx").unlink()
    recognizer, dark = Recognizer(num_threads=1), LiteRTDetector(folder / "dark.tflite")
    drawn_photograph().save(folder / "drawn.png")
    drawn = decode_image((folder / "drawn.png").read_bytes())
    key, rows, columns = place(drawn.shape[0], drawn.shape[1], dark.metadata["sizes"])
    size = dark.metadata["sizes"][key]
    given = letterbox(drawn, rows, columns, tuple(size))
    expected: dict[str, Any] = {
        "maps": maps(),
        "letterbox": {"rows": rows, "columns": columns, "size": size, "values": given.astype(int).ravel().tolist()},
        "lines": [[text for text, *_ in line] for line in LINES] + [[TILTED[0]]],
        "drawn": read(drawn, dark, recognizer),
        "real": {},
    }
    source = shared / "detectors" / ONNX
    if source.exists():
        # Two sizes are enough for a test, and half the file.
        sizes = {"landscape": (736, 1312), "portrait": (1312, 736)}
        (folder / "real.tflite").write_bytes(detector_file.convert(source, sizes))
        found = LiteRTDetector(folder / "real.tflite")
        for path in sorted((shared / "photos" / "images").glob("ic15t_*.jpg"))[:4]:
            content = path.read_bytes()
            try:
                pixels = decode_image(content)
            except ImageError:
                continue
            (folder / path.name).write_bytes(content)
            expected["real"][path.name] = read(pixels, found, recognizer)
    (folder / "expected.json").write_text(json.dumps(expected))
