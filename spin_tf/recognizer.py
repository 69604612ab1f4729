"""Word images in, words out."""

from __future__ import annotations

import collections
import functools
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar, Unpack, cast, overload

import numpy as np

from spin_tf._cores import num_cores
from spin_tf._resources import find_model
from spin_tf._types import JsonObject
from spin_tf.charset import Charset
from spin_tf.contract.greedy import decode
from spin_tf.contract.preprocessing import Preprocessing, prepare, read_by_size
from spin_tf.contract.turning import check_turn, surest, turned_views
from spin_tf.contract.views import vote
from spin_tf.contract.word import Character, ReadError, Word
from spin_tf.decoding.decoder import Decoder
from spin_tf.decoding.options import OptionNames, Options
from spin_tf.decoding.stepping import require_stepping
from spin_tf.reading.inputs import ImageLike, open_image, several_images
from spin_tf.reading.shown import InitSignature, recognizer_line
from spin_tf.reading.word_model import RectifyingModel, WordModel, bundled_model, load_word_model

__all__ = ["Character", "ReadError", "Recognizer", "Word", "WordModel", "bundled_model", "load_word_model"]

# Lists are invariant: a list of paths is no list of ImageLike, but it is one of some kind of image.
_Image = TypeVar("_Image", bound=ImageLike)
_Item = TypeVar("_Item")


class Recognizer:
    """Reads word images: crops that hold one word each.

    Args:
        model: a `.tflite` file (core install), or a `.keras` file, SavedModel folder or model_dir of
            `bin/train.py` (these need TensorFlow), or the name of weights that travel with the package. None is the
            bundled model. Charset and image size come from the model.
        num_threads: batches read at the same time, each by an interpreter of its own (LiteRT files); None is one for
            each core this process may use, by affinity and quota. A single image always takes one thread.
        turn_tall: False is another way to say `turn="none"`.
        turn: in which directions a crop is read; the reading of the highest confidence is the answer. `"tall"`: one
            that is at least 1.5 times as high as wide as it is and turned by a quarter either way. `"auto"`: every one
            upside down besides. `"none"`: as it is.
        options: how words are decoded: `beam_width`, `n_best`, `allowlist`, `pattern`, `lexicon`, `lexicon_weight`,
            `case`, `min_probability`, `effort`; see `spin_tf.decoding.options.Options` and docs/decoding.md.

    Attributes:
        charset: the `Charset` of the model.
        options: the `Options`.
        metadata: dict, what the model says about itself.

    Raises:
        FileNotFoundError: there is no such model.
        MissingExtraError: the model needs an extra that is not installed.
        ValueError: not a model of spin_tf, `num_threads` below 1, an option that is not allowed, or options that the
            model cannot do: files that only read greedily know `effort` and `min_probability`.

    It can be pickled, as the arguments it was made with: the model file must be there where it is unpickled. With a
    `.tflite` model it goes on reading in a forked process; with others, reading raises a RuntimeError there.

    Example:
        >>> word = Recognizer().read("word.png")
        >>> word.text, word.confidence, word.characters[0].x
        >>> Recognizer(pattern="[A-Z]{2}[0-9]{2,4}").read("plate.png").text
    """

    __signature__ = InitSignature()
    _arguments: tuple[Any, ...]
    _options: JsonObject

    def __new__(cls, model: str | os.PathLike[str] | None = None, *arguments: Any, **options: Any) -> Self:
        recognizer = super().__new__(cls)
        # What it is pickled as; another process may work in another folder.
        recognizer._arguments = (None if model is None else os.path.abspath(find_model(model)), *arguments)
        recognizer._options = options
        if isinstance(lexicon := options.get("lexicon"), (str, os.PathLike)):
            recognizer._options = {**options, "lexicon": os.path.abspath(lexicon)}
        return recognizer

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        num_threads: int | None = None,
        turn_tall: bool = True,
        turn: str = "tall",
        **options: Unpack[OptionNames],
    ) -> None:
        self.options = Options(**options)
        if num_threads is None:
            num_threads = num_cores()
        if num_threads < 1:
            raise ValueError(f"num_threads must be at least 1. Received: num_threads={num_threads}")
        self._process = os.getpid()
        self.num_threads = num_threads
        self.turn = check_turn(turn) if turn_tall else "none"
        self.model = load_word_model(model, num_threads)
        self.metadata = self.model.metadata
        self.charset = Charset.from_dict(self.metadata["charset"])
        self.preprocessing = Preprocessing.of(self.metadata)
        self._decoder = None if self.options.is_greedy else self._make_decoder(model)
        # TensorFlow spreads a batch over the cores by itself; LiteRT takes one image at a time.
        self._batch_size = getattr(self.model, "batch_size", 64)

    @overload
    def read(self, images: ImageLike) -> Word: ...

    @overload
    def read(self, images: list[_Image] | tuple[_Image, ...]) -> list[Word]: ...

    def read(self, images: ImageLike | list[_Image] | tuple[_Image, ...]) -> Word | list[Word]:
        """Reads one image, or a list of images.

        Args:
            images: a path, the bytes of an image file, a file opened for reading bytes (read from its start on where
                it can go there), a PIL image or a uint8 array (height, width), (height, width, 1), (height, width, 3)
                in the order red, green, blue, or (height, width, 4) with alpha; or a list or tuple of these.

        Returns:
            A `Word` for one image, a list of as many as there were images for a list.

        Raises:
            ImageError: (a ValueError) an image cannot be decoded.
            OSError: a file cannot be opened.
            ValueError, TypeError: an array of another type or shape; something that is no image.
        """
        self._check_process()
        if not isinstance(images, (list, tuple)):
            return self._read_batch([self._prepare(images)])[0]
        return cast(list[Word], list(self._results(images, keep_errors=False)))

    def read_many(
        self, images: Iterable[ImageLike], lexicons: Iterable[Iterable[str] | None] | None = None
    ) -> Iterator[Word | ReadError]:
        """Reads many images in a stream: decoding and inference overlap, memory does not grow with their number.

        Args:
            images: what `read` takes, as any iterable.
            lexicons: for each image words of its own in place of the lexicon of the options (None where it has none),
                as the benchmarks give them; needs a recognizer with a lexicon, `PER_IMAGE` for example.

        Yields:
            For each image, in order, a `Word`, or a `ReadError` where the image could not be read.

        Raises:
            TypeError: at once, where `images` is one image; an array of four axes is a stack of images.
        """
        return self._results(several_images(images), keep_errors=True, lexicons=lexicons)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of what the model gets of a crop that is not wide."""
        return self.preprocessing.image_size

    @property
    def can_rectify(self) -> bool:
        """Whether `rectify` works: for `.tflite` and `.keras` files and model_dirs; not for ONNX and SavedModels."""
        return isinstance(self.model, RectifyingModel) and self.model.can_rectify

    def rectify(self, image: ImageLike) -> np.ndarray:
        """Returns what the model's transformation makes of one image, the input of its backbone.

        Args:
            image: what `read` takes.

        Returns:
            uint8 array (height, width) of the model's image size, or of its wide one.

        Raises:
            ValueError: the model does not show its stages; see `can_rectify`. Also what `read` raises.
        """
        if not isinstance(self.model, RectifyingModel) or not self.model.can_rectify:
            raise ValueError(
                "Only .keras models and .tflite files with the signature rectify can show the rectified image. "
                f"Received: {type(self.model).__name__}"
            )
        prepared = prepare(open_image(image), self.preprocessing)
        rectified = np.asarray(self.model.rectify(prepared[None])["image"], np.float32)[0, :, :, 0]
        return np.clip(np.rint(rectified * 127.5 + 127.5), 0, 255).astype(np.uint8)

    def __repr__(self) -> str:
        name = type(self).__name__
        return recognizer_line(name, self._arguments[0], self.metadata, self.charset, self.image_size, self.options)

    def __reduce__(self) -> tuple[object, ...]:
        # Interpreters and locks stay behind: the other process makes its own, of the same file and with the same
        # options. None stays None, the model that ships there and the cores of that machine.
        return functools.partial(type(self), *self._arguments, **self._options), ()

    def _check_process(self) -> None:
        if os.getpid() != self._process and not getattr(self.model, "survives_fork", False):
            raise RuntimeError(
                "TensorFlow does not work in a forked process: make the Recognizer in the worker, start workers by "
                f"spawn, or read with a .tflite file. Received: {type(self.model).__name__} of process {self._process}"
            )

    def _make_decoder(self, name: object) -> Decoder:
        return Decoder(
            require_stepping(self.model, str(name or "the bundled model")),
            self.charset,
            int(self.metadata["max_length"]),
            self.options,
        )

    def _prepare(self, image: ImageLike) -> dict[int, list[np.ndarray]]:
        return turned_views(open_image(image), self.preprocessing, self.turn, self.options.num_views)

    def _results(
        self,
        images: Iterable[ImageLike],
        keep_errors: bool,
        lexicons: Iterable[Iterable[str] | None] | None = None,
    ) -> Iterator[Word | ReadError]:
        self._check_process()
        process = os.getpid()
        pairs = ((image, None) for image in images) if lexicons is None else zip(images, lexicons, strict=True)
        pending: collections.deque[Future[list[Word | ReadError]]] = collections.deque()
        with ThreadPoolExecutor(self.num_threads) as pool:
            try:
                for batch in _batches(pairs, self._batch_size):
                    pending.append(pool.submit(self._read_guarded, batch, keep_errors))
                    # Far enough ahead that no thread waits for whoever takes the results.
                    if len(pending) >= 4 * self.num_threads:
                        yield from _wait(pending.popleft(), process)
                while pending:
                    yield from _wait(pending.popleft(), process)
            finally:
                while pending:
                    pending.popleft().cancel()

    def _read_guarded(
        self, images: list[tuple[ImageLike, Iterable[str] | None]], keep_errors: bool
    ) -> list[Word | ReadError]:
        results: list[Word | ReadError | None] = []
        prepared, lexicons = [], []
        for image, lexicon in images:
            try:
                prepared.append(self._prepare(image))
                lexicons.append(lexicon)
                results.append(None)
            # Whatever a stranger's image does to a decoder, the others are read.
            except Exception as error:
                if not keep_errors:
                    raise
                results.append(ReadError.from_error(error))
        words = iter(self._read_batch(prepared, lexicons))
        return [next(words) if result is None else result for result in results]

    def _read_batch(
        self, images: list[dict[int, list[np.ndarray]]], lexicons: Sequence[Iterable[str] | None] = ()
    ) -> list[Word]:
        if not images:
            return []
        counts = [sum(map(len, turns.values())) for turns in images]
        own = [words for words, count in zip(lexicons, counts, strict=False) for _ in range(count)]

        def read(views: np.ndarray, places: list[int]) -> list[list[Word]]:
            if self._decoder is None:
                outputs = zip(*self.model.predict_words(views), strict=True)
                return [[decode(self.charset, *output)] for output in outputs]
            lexicons = [own[place] for place in places] if any(words is not None for words in own) else None
            return self._decoder.read(views, lexicons)

        readings = iter(read_by_size([view for turns in images for views in turns.values() for view in views], read))
        return [
            surest([self._one_word([next(readings) for _ in views], degrees) for degrees, views in turns.items()])
            for turns in images
        ]

    def _one_word(self, readings: list[list[Word]], degrees: int) -> Word:
        word = vote(readings, self.options.n_best, self.options.floor)
        return word.turned_by(degrees) if degrees else word


def _wait(future: Future[list[Word | ReadError]], process: int) -> list[Word | ReadError]:
    if os.getpid() != process:
        raise RuntimeError(
            "The threads of this stream stayed in the process that began it: call read_many in the new one. "
            f"Received: a stream of process {process}"
        )
    try:
        return future.result()
    finally:
        # What it raises knows this frame, and it knows what it raised: a circle that would keep the whole reader.
        del future


def _batches(images: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    source = iter(images)
    while batch := list(itertools.islice(source, size)):
        yield batch
