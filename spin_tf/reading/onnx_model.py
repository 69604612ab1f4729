"""An ONNX file behind the `Recognizer`, run by ONNX Runtime."""

from __future__ import annotations

import base64
import os
import threading
from typing import Any, cast

import numpy as np

from spin_tf._extras import require
from spin_tf._input_files import check_regular
from spin_tf._types import JsonObject
from spin_tf.contract.metadata import METADATA_FILE, check_tensors, parse_metadata
from spin_tf.decoding.stepping import Encoded, Stepped

STEP_KEY = "spin_tf.step"


class ONNXModel:
    """A model exported by `bin/export_onnx.py`. Its methods are safe to call from several threads at once.

    A session uses the thread that calls it: the `Recognizer` reads as many batches at a time as it has threads.

    Args:
        path: an `.onnx` file written by spin_tf.

    Attributes:
        metadata: dict, the `spin_tf.json` inside the file.
        batch_size: images a call that keep the threads evenly busy.
        can_step: whether the file holds the step of the decoder.

    Raises:
        OSError: there is no such file, or it is no regular file.
        MissingExtraError: onnxruntime is not installed.
        ValueError: the file is not a model of spin_tf, or a damaged one.
    """

    batch_size = 16

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        check_regular(path)
        self._words = _make_session(self.path, self.path)
        properties = self._words.get_modelmeta().custom_metadata_map
        if METADATA_FILE not in properties:
            raise ValueError(
                f"The model carries no {METADATA_FILE}, so its charset is unknown; export it with bin/export_onnx.py. "
                f"Received: model={self.path!r}"
            )
        self.metadata: JsonObject = parse_metadata(properties[METADATA_FILE].encode(), self.path)
        outputs = _describe(self._words.get_outputs())
        words = {key: value for key, value in outputs.items() if key in ("probabilities", "positions")}
        inputs = _describe(self._words.get_inputs())
        if self.metadata.get("wide_image_size") and "image" in inputs:
            # Of either width.
            inputs["image"]["shape"][2] = self.metadata["image_size"][1]
        check_tensors(inputs, words, self.metadata, self.path)
        self._step_content = properties.get(STEP_KEY)
        self._step_session: Any = None
        self._lock = threading.Lock()
        self.can_step = bool(self._step_content) and {"states", "projected", "centres"} <= set(outputs)

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads (n, height, width, 1) float32 images in [-1, 1], n at least 1; returns probabilities and positions."""
        probabilities, positions = self._words.run(["probabilities", "positions"], {"image": images})
        return probabilities, positions

    def encode(self, images: np.ndarray) -> Encoded:
        """See `SteppingModel.encode`; the one graph of the file reads greedily beside it."""
        self._require_step()
        keys = [*Encoded.__annotations__]
        return cast(Encoded, dict(zip(keys, self._words.run(keys, {"image": images}), strict=True)))

    def step(
        self,
        states: np.ndarray,
        projected: np.ndarray,
        previous: np.ndarray,
        output: np.ndarray,
        cell: np.ndarray,
    ) -> Stepped:
        """See `SteppingModel.step`."""
        self._require_step()
        with self._lock:
            if self._step_session is None:
                self._step_session = _make_session(base64.b64decode(self._step_content or ""), self.path)
        keys = [*Stepped.__annotations__]
        inputs = {"states": states, "projected": projected, "previous": previous}
        inputs |= {"last_output": output, "last_cell": cell}
        return cast(Stepped, dict(zip(keys, self._step_session.run(keys, inputs), strict=True)))

    def _require_step(self) -> None:
        if not self.can_step:
            raise ValueError(
                "The model does not hold the step of its decoder; export it anew with bin/export_onnx.py. "
                f"Received: model={self.path!r}"
            )


def _make_session(model: str | bytes, name: str) -> Any:
    runtime = require("onnxruntime", f"Reading with {os.path.basename(name)}", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Warnings are for those who made the file.
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's errors have no class in common but Exception.
    except Exception as error:
        message = " ".join(str(error).split())
        raise ValueError(f"ONNX Runtime cannot load the model: {message}. Received: model={name!r}") from error


def _describe(tensors: Any) -> dict[str, JsonObject]:
    """Shapes as `check_tensors` wants them: a batch of any size counts as 1."""
    return {
        tensor.name: {
            "dtype": np.float32 if tensor.type == "tensor(float)" else np.dtype(object),
            "shape": [
                side if isinstance(side, int) else 1 if axis == 0 else -1 for axis, side in enumerate(tensor.shape)
            ],
        }
        for tensor in tensors
    }
