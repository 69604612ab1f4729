"""Finding words with RapidOCR's engine: the extra `photo`."""

from __future__ import annotations

import logging
import os
import pathlib
import warnings
from typing import Any

import numpy as np
from PIL import Image

from spin_tf._cores import num_cores
from spin_tf._extras import require
from spin_tf._files import write_atomically
from spin_tf._types import JsonObject
from spin_tf.photo.line_cuts import cut_at_gaps
from spin_tf.reading.pool import Pool

_FEATURE = "finding the words of a photograph"
# The model finds most where the shorter side has this length (RapidOCR's default too), but a banner need not become a
# picture of 5,741 x 736.
_SHORT_SIDE = 736
_MAX_ENLARGED_PIXELS = 1_100_000
_MAX_PIXELS = 1_850_000
_MAX_SCALE = 4.0
_STEP = 32
# Of PP-OCR's detectors: how far the outlines are widened. Boxes of words fit best with 1.5; those of lines are wide
# already, an intersection over union of 0.5 is missed with RapidOCR's 1.6.
_UNCLIP_WORDS, _UNCLIP_LINES = 1.5, 0.9
_BLANK = np.full((64, 64, 3), 255, np.uint8)
_WORD_MODEL = ("onnxruntime", "PP-OCRv4", "det", "multi_PP-OCRv3_det_mobile")


def _input_size(height: int, width: int) -> tuple[int, int]:
    """What the model gets of a picture: multiples of 32, small pictures enlarged."""
    scale = max(1.0, _SHORT_SIDE / min(height, width))
    scale = min(scale, _MAX_SCALE, max(1.0, (_MAX_ENLARGED_PIXELS / (height * width)) ** 0.5))
    rows, columns = (max(round(side * scale / _STEP), 1) * _STEP for side in (height, width))
    # A line of pixels would become a band of 32, and its length with it more than there is memory.
    most = _MAX_PIXELS // _STEP**2
    return min(rows, max(most * _STEP // columns, 1) * _STEP), min(columns, max(most * _STEP // rows, 1) * _STEP)


class RapidOCRDetector:
    """A detector of PP-OCR in ONNX, run by RapidOCR; follows `spin_tf.photo.detector.Detector`.

    It may be called from several threads; they take turns.

    Args:
        path: the `.onnx` file, its input of any size that divides by 32; None is the model inside the rapidocr package.
        num_threads: of ONNX Runtime; None is one for each core this process may use.
        unclip: how far the outlines are widened.

    Raises:
        MissingExtraError: rapidocr or onnxruntime is not installed.
        ValueError: no such model, or a damaged one.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, num_threads: int | None = None, unclip: float = _UNCLIP_WORDS
    ) -> None:
        self._onnxruntime = require("onnxruntime", _FEATURE, "photo")
        self._rapidocr = require("rapidocr", _FEATURE, "photo")
        self._name = "the bundled line model" if path is None else os.fspath(path)
        self._path = path
        self._num_threads = num_threads or num_cores()
        self._parameters: JsonObject = {
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.use_rec": False,
            # Sizes are our affair: RapidOCR shrinks what is larger than 2,000 pixels without a word.
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": 1 << 30,
            "Det.unclip_ratio": unclip,
            "EngineConfig.onnxruntime.intra_op_num_threads": self._num_threads,
        }
        if path is not None:
            self._parameters["Det.model_path"] = os.fspath(path)
        self._engines = Pool(self._start, 1)
        self(_BLANK)

    def _start(self) -> Any:
        try:
            engine = self._rapidocr.RapidOCR(params=self._parameters)
            # What is wrong with the file shows when it runs.
            engine(_BLANK, use_det=True, use_cls=False, use_rec=False)
            if self._path is not None and hasattr(holder := engine.text_det.session, "session"):
                holder.session = self._session()
            return engine
        except Exception as error:
            raise self._error("start", error) from error

    def _session(self) -> Any:
        """ONNX Runtime without spinning: waiting threads take two thirds more processor time else, and no less time."""
        options = self._onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._num_threads
        # Memory goes back after each picture: they are of all sizes.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return self._onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Detector`."""
        height, width = picture.shape[:2]
        rows, columns = _input_size(height, width)
        image = Image.fromarray(picture)
        if (columns, rows) != image.size:
            image = image.resize((columns, rows), Image.Resampling.BILINEAR)
        # RapidOCR's order is blue, green, red.
        blue_first = np.ascontiguousarray(np.asarray(image)[..., ::-1])
        try:
            with self._engines.take() as engine:
                found = engine(blue_first, use_det=True, use_cls=False, use_rec=False)
            boxes, scores = found.boxes, found.scores
        except Exception as error:
            raise self._error("run", error) from error
        if boxes is None or scores is None or not len(boxes):
            return np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32)
        scale = np.array([width / columns, height / rows], np.float32)
        return np.asarray(boxes, np.float32) * scale, np.asarray(scores, np.float32)

    def _error(self, what: str, error: Exception) -> ValueError:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # ONNX Runtime's reason is the last line of a whole traceback.
        return ValueError(f"RapidOCR cannot {what} the detector: {lines[-1][:400]}. Received: detector={self._name!r}")


class LineDetector:
    """Words out of a detector of lines: every line is cut where its gaps are widest.

    Args:
        detector: what finds lines.
    """

    def __init__(self, detector: RapidOCRDetector) -> None:
        self.detector = detector

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Detector`."""
        lines, scores = self.detector(picture)
        words = [cut_at_gaps(picture, line) for line in lines]
        if not words:
            return lines, scores
        return np.concatenate(words), np.repeat(scores, [len(word) for word in words])


def bundled_line_detector(num_threads: int | None = None) -> LineDetector:
    """The model inside the rapidocr package, which outlines lines."""
    return LineDetector(RapidOCRDetector(None, num_threads, _UNCLIP_LINES))


def word_detector(num_threads: int | None = None, fall_back: bool = True) -> RapidOCRDetector | LineDetector:
    """RapidOCR's multilingual model, which outlines words and is fetched once.

    Args:
        num_threads: see `RapidOCRDetector`.
        fall_back: where it cannot be had, warn and take the bundled line model.

    Raises:
        MissingExtraError: rapidocr or onnxruntime is not installed.
        OSError: it cannot be had, and there is nothing to fall back on.
    """
    try:
        path = fetch_word_model()
    except OSError as error:
        if not fall_back:
            raise
        warnings.warn(
            f"Words are found by RapidOCR's bundled line model, which misses more: {error}", RuntimeWarning, 3
        )
        return bundled_line_detector(num_threads)
    return RapidOCRDetector(path, num_threads)


def fetch_word_model() -> str:
    """The path of RapidOCR's multilingual word model, fetched from where RapidOCR keeps its models if need be.

    Raises:
        MissingExtraError: rapidocr is not installed.
        OSError: it cannot be fetched, or is not what RapidOCR's list of models says.
    """
    rapidocr = require("rapidocr", _FEATURE, "photo")
    omegaconf = require("omegaconf", _FEATURE, "photo")
    download = require("rapidocr.utils.download_file", _FEATURE, "photo")
    package = pathlib.Path(str(rapidocr.__file__)).parent
    model = omegaconf.OmegaConf.load(package / "default_models.yaml")
    for key in _WORD_MODEL:
        model = model[key]
    name, checksum = os.path.basename(model.model_dir), model.SHA256
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "spin_tf")
    folders = [package / "models", cache]
    for folder in folders:
        if (folder / name).is_file() and download.DownloadFile.check_file_sha256(folder / name, checksum):
            return str(folder / name)
    folder = folders[0] if os.access(folders[0], os.W_OK) else cache

    def write(temporary: str) -> None:
        quiet = logging.Logger("spin_tf.photo", logging.CRITICAL + 1)
        download.DownloadFile.run(download.DownloadFileInput(model.model_dir, temporary, quiet, checksum, False))
        if not download.DownloadFile.check_file_sha256(temporary, checksum):
            raise OSError("what was fetched has another checksum")

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(str(folder / name), write)
    # Whatever goes wrong on the way there is the same to the user.
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise OSError(
            f"its word model cannot be fetched; --detector=FILE or SPIN_TF_DETECTOR names a file that is here. "
            f"Received: {model.model_dir}: {reason}"
        ) from error
    return str(folder / name)
