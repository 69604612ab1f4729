"""A photograph in, its words out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Unpack

import numpy as np

from spin_tf.data.conversion.cropping import cut_out
from spin_tf.data.quadrilaterals import heights, widen
from spin_tf.decoding.options import OptionNames
from spin_tf.photo.box_file import BoxFile
from spin_tf.photo.detector import Detector, find_detector
from spin_tf.photo.looks import find
from spin_tf.photo.order import lines_of
from spin_tf.photo.orientation import direction, trial_words, turned_back
from spin_tf.photo.words import Photo, PhotoWord
from spin_tf.reading.inputs import ImageLike, load_image, several_images
from spin_tf.recognizer import ReadError, Recognizer, Word

Region = tuple[float, float, float, float]
# Below it most of what was read is nothing that a person would read: on the photographs used for tuning.
MIN_CONFIDENCE = 0.4
# What a crop gets around the detector's outline, as a share of its height.
_MARGIN = 0.1
# How well a photograph must be read turned, by the sum of confidences: where its words say so, and where they tell
# nothing; then by one sure word more as well.
_NO_WORSE, _BETTER, _MORE = 0.8, 1.6, 1.0

# Quadrilaterals, the detector's scores, and what was read there.
_Found = tuple[np.ndarray, np.ndarray, list[Word]]


class PhotoReader:
    """Reads photographs: finds their words, reads them, puts them in order. It keeps its models.

    Args:
        model: of the `Recognizer`, or a `Recognizer`, whose options then count.
        detector: see `spin_tf.photo.detector.find_detector`: a file, an object of your own, or None.
        num_threads: None is one for each core this process may use.
        min_confidence: words that are read with less are left out.
        min_height: words less high, in pixels of the photograph, are left out unread.
        turn: try whether the photograph lies on a side or upside down, where its words as they are make little sense.
        tile: side of the tiles in which it is looked at beside the whole, in its pixels; None chooses for pictures of
            more than 1.75 million pixels, 0 looks at the whole alone.
        turn_tall: see `Recognizer`.
        options: how words are decoded, see `Recognizer`.

    Attributes:
        recognizer: the `Recognizer`.
        detector: what finds words.

    Raises:
        FileNotFoundError: there is no such model, or no such detector.
        MissingExtraError: a model or the detector needs an extra that is not installed.
        ValueError: a file that is none, or an option that is not allowed.
        TypeError: options of decoding beside a `Recognizer`; a detector that cannot be called.

    Example:
        >>> reader = PhotoReader(detector="Multilingual_PP-OCRv3_det.onnx")
        >>> for word in reader.read("street.jpg"):
        ...     print(word.line, word.text, word.confidence, word.polygon)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Recognizer | None = None,
        detector: str | os.PathLike[str] | Detector | None = None,
        *,
        num_threads: int | None = None,
        min_confidence: float = MIN_CONFIDENCE,
        min_height: float = 0.0,
        turn: bool = True,
        tile: int | None = None,
        turn_tall: bool = True,
        **options: Unpack[OptionNames],
    ) -> None:
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence lies in 0..1. Received: min_confidence={min_confidence}")
        if not 0 <= min_height < float("inf"):
            raise ValueError(f"min_height is a number from 0. Received: min_height={min_height}")
        if tile is not None and tile != 0 and tile < 64:
            raise ValueError(f"tile is None, 0, or at least 64 pixels. Received: tile={tile}")
        if isinstance(model, Recognizer):
            if options:
                raise TypeError(f"Options of decoding belong to the Recognizer. Received: {', '.join(options)}")
            self.recognizer = model
        else:
            self.recognizer = Recognizer(model, num_threads, turn_tall, **options)
        self.detector = find_detector(detector, num_threads or self.recognizer.num_threads)
        self.min_confidence = min_confidence
        self.min_height = min_height
        self.turn = turn
        self.tile = tile

    def read(self, image: ImageLike, region: Region | None = None) -> Photo:
        """Reads one photograph.

        Args:
            image: a path, the bytes of an image file, a PIL image or a uint8 array, as `Recognizer.read` takes it.
            region: left, top, right, bottom in pixels of the upright picture; only there words are looked for.

        Returns:
            a `Photo`, which can be used as the list of its `PhotoWord`s in reading order. It may hold none.

        Raises:
            ImageError: (a ValueError) the picture cannot be decoded.
            OSError: the file cannot be opened.
            ValueError, TypeError: an array of another type or shape, something that is no picture, a region outside, a
                damaged detector, or no boxes for the photograph in a file of them.
        """
        pixels = load_image(image)
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        height, width = pixels.shape[:2]
        left, top, right, bottom = _checked(region, height, width)
        view = pixels[top:bottom, left:right]
        offset = np.array([left, top], np.float32)
        quarters = 0
        if isinstance(self.detector, BoxFile):
            corners = self.detector.boxes_of(image) - offset
            middles = corners.mean(axis=1)
            inside = ((middles >= 0) & (middles < (right - left, bottom - top))).all(axis=1)
            found = self._read_words(view, corners[inside], np.ones(int(inside.sum()), np.float32))
        else:
            found = self._find_and_read(view)
            if self.turn:
                quarters, found = self._turned(view, found)
        corners, scores, words = found
        kept = [i for i, word in enumerate(words) if word.text and word.confidence >= self.min_confidence]
        corners = corners[kept]
        # A crop that was read turned has its first corner elsewhere.
        for corner, i in zip(corners, kept, strict=True):
            corner[:] = np.roll(corner, {0: 0, 90: -1, -90: 1, 180: 2}[words[i].turned], axis=0)
        placed = turned_back(corners, quarters, *view.shape[:2])
        lines = lines_of(corners)
        numbered = [(number, member) for number, line in enumerate(lines) for member in line]
        polygons = (placed + offset).tolist()
        return Photo(
            tuple(
                PhotoWord(
                    words[kept[i]].text,
                    words[kept[i]].confidence,
                    tuple((x, y) for x, y in polygons[i]),  # type: ignore[arg-type]
                    number,
                    float(scores[kept[i]]),
                    words[kept[i]],
                )
                for number, i in numbered
            ),
            height,
            width,
            {0: 0, 1: 90, 2: 180, 3: -90}[quarters],
        )

    def read_many(self, images: Iterable[ImageLike], region: Region | None = None) -> Iterator[Photo | ReadError]:
        """Reads photographs one after another; what cannot be read is answered by a `ReadError` in its place.

        Raises:
            TypeError: at once, where `images` is one image.
        """
        return self._read_guarded(several_images(images), region)

    def _read_guarded(self, images: Iterator[ImageLike], region: Region | None) -> Iterator[Photo | ReadError]:
        for image in images:
            try:
                photo = self.read(image, region)
            # Whatever a stranger's picture does to a decoder, the others are read.
            except Exception as error:
                yield ReadError.from_error(error)
            else:
                yield photo

    def _find_and_read(self, view: np.ndarray) -> _Found:
        assert not isinstance(self.detector, BoxFile)
        return self._read_words(view, *find(self.detector, view, self.tile))

    def _read_words(self, view: np.ndarray, corners: np.ndarray, scores: np.ndarray) -> _Found:
        """Reads the words at these places; what cannot be cut out, or is too low, is left out."""
        low = np.minimum(heights(corners), np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1)) < self.min_height
        corners, scores = corners[~low], scores[~low]
        crops = [cut_out(view, one) for one in widen(corners, _MARGIN)]
        there = [i for i, crop in enumerate(crops) if crop is not None]
        words = self.recognizer.read([crop for crop in crops if crop is not None])
        return corners[there], scores[there], words

    def _turned(self, view: np.ndarray, found: _Found) -> tuple[int, _Found]:
        """Reads the picture turned where a few of its words say so and all of them agree."""
        quarters = self._direction(view, found)
        if quarters is None:
            # Detectors made for lines that run across miss words that run up or down: those of the picture on its side
            # tell, upright or upside down.
            lying = np.ascontiguousarray(np.rot90(view))
            again = self._find_and_read(lying)
            quarters = ((self._direction(lying, again) or 0) + 1) % 4
            if quarters == 1:
                return (1, again) if _sum(again) > _BETTER * _sum(found) + _MORE else (0, found)
            least = _BETTER * _sum(found) + _MORE
        else:
            # Words on a side may have been read before, each turned for itself, as well as now.
            least = _NO_WORSE * _sum(found)
        if not quarters:
            return 0, found
        again = self._find_and_read(np.ascontiguousarray(np.rot90(view, quarters)))
        return (quarters, again) if _sum(again) > least else (0, found)

    def _direction(self, view: np.ndarray, found: _Found) -> int | None:
        corners, _, words = found
        tried = [(cut_out(view, widen(corners[i : i + 1], _MARGIN)[0]), words[i]) for i in trial_words(corners)]
        crops = [crop for crop, _ in tried if crop is not None]
        return direction(self.recognizer, crops, [word for crop, word in tried if crop is not None])


def _sum(found: _Found) -> float:
    return sum(word.confidence for word in found[2] if len(word.text) > 1)


def read_photo(
    image: ImageLike,
    model: str | os.PathLike[str] | Recognizer | None = None,
    detector: str | os.PathLike[str] | Detector | None = None,
    *,
    region: Region | None = None,
    num_threads: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    min_height: float = 0.0,
    turn: bool = True,
    tile: int | None = None,
    turn_tall: bool = True,
    **options: Unpack[OptionNames],
) -> Photo:
    """Reads one photograph; a `PhotoReader` keeps its models for the next one.

    Args:
        image: see `PhotoReader.read`, as for `region`, what is returned and raised.
        model: see `PhotoReader`, as for all others.

    Example:
        >>> for word in spin_tf.read_photo("street.jpg"):
        ...     print(word.line, word.text, word.confidence, word.polygon)
    """
    reader = PhotoReader(
        model,
        detector,
        num_threads=num_threads,
        min_confidence=min_confidence,
        min_height=min_height,
        turn=turn,
        tile=tile,
        turn_tall=turn_tall,
        **options,
    )
    return reader.read(image, region)


def _checked(region: Region | None, height: int, width: int) -> tuple[int, int, int, int]:
    if region is None:
        return 0, 0, width, height
    try:
        left, top, right, bottom = (float(value) for value in region)
    except (TypeError, ValueError) as error:
        raise ValueError(f"A region is left, top, right, bottom. Received: region={region!r}") from error
    if not np.isfinite([left, top, right, bottom]).all():
        raise ValueError(f"A region is left, top, right, bottom. Received: region={region!r}")
    corners = max(int(left), 0), max(int(top), 0), min(int(np.ceil(right)), width), min(int(np.ceil(bottom)), height)
    if corners[0] >= corners[2] or corners[1] >= corners[3]:
        raise ValueError(
            f"A region of the picture of {width} x {height} is left, top, right, bottom. Received: region={region!r}"
        )
    return corners
