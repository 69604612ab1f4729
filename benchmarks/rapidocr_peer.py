"""Reads words with RapidOCR's bundled recogniser, for comparing; started by benchmarks/reading.py."""

from __future__ import annotations

import json
import logging
import sys
import time

import cv2
import numpy as np
from rapidocr import RapidOCR


def main(path: str, threads: int) -> None:
    """Waits for lines on stdin; for each reads all words of an .npz file and prints texts and seconds as JSON."""
    logging.disable(logging.CRITICAL)
    engine = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads})
    with np.load(path, allow_pickle=True) as data:
        files = [np.frombuffer(content, np.uint8) for content in data["encoded"]]
    for _ in sys.stdin:
        texts, seconds = [], []
        for content in files:
            start = time.perf_counter()
            image = cv2.imdecode(content, cv2.IMREAD_COLOR)
            result = engine(image, use_det=False, use_cls=False, use_rec=True)
            seconds.append(time.perf_counter() - start)
            texts.append("".join(result.txts or ()))
        print(json.dumps({"texts": texts, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
