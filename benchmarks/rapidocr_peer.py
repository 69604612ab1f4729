"""Reads words with RapidOCR's bundled recogniser, for comparing; started by benchmarks/peer.py."""

from __future__ import annotations

import json
import logging
import sys
import time

import cv2
import numpy as np
from rapidocr import RapidOCR


def main(path: str, threads: int) -> None:
    """Waits for lines on stdin; for each reads all words of an .npz file and prints its readings as JSON."""
    logging.disable(logging.CRITICAL)
    engine = RapidOCR(params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads})
    with np.load(path, allow_pickle=True) as data:
        files = [np.frombuffer(content, np.uint8) for content in data["encoded"]]
        directions = data["directions"]
    for _ in sys.stdin:
        texts, confidences, seconds = [], [], []
        processor = time.process_time()
        for content, may_be_turned in zip(files, directions, strict=True):
            start = time.perf_counter()
            image = cv2.imdecode(content, cv2.IMREAD_COLOR)
            if may_be_turned and image.shape[0] >= 1.5 * image.shape[1]:
                # As in RapidOCR's own crops, before it asks for the direction.
                image = np.ascontiguousarray(np.rot90(image))
            result = engine(image, use_det=False, use_cls=bool(may_be_turned), use_rec=True)
            seconds.append(time.perf_counter() - start)
            texts.append("".join(result.txts or ()))
            confidences.append(float(min(result.scores or (0.0,))))
        processor = time.process_time() - processor
        answer = {"texts": texts, "confidences": confidences, "seconds": seconds, "processor_seconds": processor}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
