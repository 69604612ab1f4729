"""Word images in, words out, with the model on a server."""

from __future__ import annotations

import collections
import os
import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast, overload

import numpy as np

from spin_tf.contract.errors import ImageError
from spin_tf.contract.word import ReadError, Word
from spin_tf.reading.inputs import ImageLike, several_images
from spin_tf.reading.remote.answers import RequestTooLarge, ServerError, Unavailable, to_result
from spin_tf.reading.remote.outgoing import Outgoing, as_png, outgoing
from spin_tf.reading.remote.transport import connect

_Image = TypeVar("_Image", bound=ImageLike)
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_LOST = "The server cannot be used: "


class RemoteRecognizer:
    """Reads word images through a server, with the results of a `Recognizer` of the same model.

    Every image is decoded here as `Recognizer` does: what it refuses is refused in the same words without asking the
    server, and formats that a graph decodes otherwise or not at all travel as PNG. A request that failed is sent again
    where that may help (the connection refused or broken, the server starting, stopping or holding back); not after a
    time-out, which a second request would make longer, nor after a refusal that says what is wrong.

    Args:
        server: `http://HOST:8501/v1/models/NAME` (core install) or `grpc://HOST:8500/NAME` (extra `serving`); see
            `spin_tf.reading.remote.transport.connect`.
        timeout: seconds for one request.
        retry_seconds: how long a request is sent again after it first failed.
        num_requests: requests in flight at the same time.
        batch_size: images a request, at most.
        max_request_bytes: bytes of image files a request, at most; a larger file travels alone.
        headers: sent with each request (gRPC: as metadata), such as `{"Authorization": "Bearer ..."}`.
        certificate: PEM file of a client certificate and its key, for servers that ask for one.

    Raises:
        OSError: the certificate cannot be opened.
        ValueError: another address, a number out of range, headers or a certificate that cannot be sent.
        MissingExtraError: gRPC without the extra.

    Example:
        >>> recognizer = RemoteRecognizer("http://localhost:8501/v1/models/spin")
        >>> recognizer.read("word.png").text
    """

    def __init__(
        self,
        server: str,
        timeout: float = 60.0,
        retry_seconds: float = 60.0,
        num_requests: int = 4,
        batch_size: int = 32,
        max_request_bytes: int = 2**20,
        headers: Mapping[str, str] | None = None,
        certificate: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, number, least in (
            ("num_requests", num_requests, 1),
            ("batch_size", batch_size, 1),
            ("max_request_bytes", max_request_bytes, 1),
            ("retry_seconds", retry_seconds, 0),
        ):
            if number < least:
                raise ValueError(f"{name} must be at least {least}. Received: {name}={number}")
        if timeout <= 0:
            raise ValueError(f"timeout must be above 0. Received: timeout={timeout}")
        self.server, self.timeout, self.retry_seconds = server, timeout, retry_seconds
        self.num_requests, self.batch_size, self.max_request_bytes = num_requests, batch_size, max_request_bytes
        self.headers, self.certificate = dict(headers or {}), None if certificate is None else os.fspath(certificate)
        self._transport = connect(server, timeout, self.headers, self.certificate)

    @overload
    def read(self, images: ImageLike) -> Word: ...

    @overload
    def read(self, images: list[_Image] | tuple[_Image, ...]) -> list[Word]: ...

    def read(self, images: ImageLike | list[_Image] | tuple[_Image, ...]) -> Word | list[Word]:
        """Reads one image, or a list of images; see `Recognizer.read`.

        Raises:
            ServerError: the server does not answer, or not with readings.
            ImageError, OSError, ValueError, TypeError: as `Recognizer.read` does.
        """
        several = isinstance(images, (list, tuple))
        sources = cast(Sequence[ImageLike], images if several else [images])
        words = cast(list[Word], list(self._results(sources, keep_errors=False)))
        return words if several else words[0]

    def read_many(self, images: Iterable[ImageLike]) -> Iterator[Word | ReadError]:
        """Reads many images in a stream with several requests in flight; memory does not grow with their number.

        Yields:
            For each image, in order, a `Word`, or a `ReadError` where the image could not be read.

        Raises:
            ServerError: the server does not answer, or not with readings; all results before that have been yielded.
            TypeError: at once, where `images` is one image.
        """
        return self._counted(self._results(several_images(images), keep_errors=True))

    @property
    def can_rectify(self) -> bool:
        return False

    def close(self) -> None:
        """Closes the connections; the next `read` opens new ones where the server speaks REST."""
        self._transport.close()

    def __reduce__(self) -> tuple[object, ...]:
        return RemoteRecognizer, (
            self.server,
            self.timeout,
            self.retry_seconds,
            self.num_requests,
            self.batch_size,
            self.max_request_bytes,
            self.headers,
            self.certificate,
        )

    def _counted(self, results: Iterator[Word | ReadError]) -> Iterator[Word | ReadError]:
        """Says with the error of a server that is lost how many images were answered before."""
        count = 0
        try:
            for result in results:
                yield result
                count += 1
        except ServerError as error:
            before = f"{count} image{'s were' if count != 1 else ' was'} answered before"
            raise ServerError(str(error).replace(_LOST, f"{_LOST}{before}; ", 1)) from error

    def _results(self, images: Iterable[ImageLike], keep_errors: bool) -> Iterator[Word | ReadError]:
        pending: collections.deque[Future[list[Word | ReadError]]] = collections.deque()
        stop = threading.Event()
        with ThreadPoolExecutor(self.num_requests) as pool:
            try:
                for batch in _batches(images, self.batch_size, self.max_request_bytes):
                    pending.append(pool.submit(self._read_batch, batch, keep_errors, stop))
                    if len(pending) >= 2 * self.num_requests:
                        yield from pending.popleft().result()
                while pending:
                    yield from pending.popleft().result()
            finally:
                # Nobody waits any more for what is being tried again.
                stop.set()
                while pending:
                    pending.popleft().cancel()

    def _read_batch(self, images: list[ImageLike], keep_errors: bool, stop: threading.Event) -> list[Word | ReadError]:
        """Reads images in requests of at most `max_request_bytes`; only one request's files are held at a time."""
        results: list[Word | ReadError | None] = [None] * len(images)
        waiting: dict[int, Outgoing] = {}
        size = 0
        for i, image in enumerate(images):
            try:
                item = outgoing(image)
            # Whatever a stranger's image does to a decoder, the others are read.
            except Exception as error:
                if not keep_errors:
                    raise
                results[i] = ReadError.from_error(error)
                continue
            if waiting and size + len(item.data) > self.max_request_bytes:
                self._fill(results, waiting, keep_errors, stop)
                waiting, size = {}, 0
            waiting[i] = item
            size += len(item.data)
        self._fill(results, waiting, keep_errors, stop)
        return cast(list[Word | ReadError], results)

    def _fill(
        self,
        results: list[Word | ReadError | None],
        waiting: dict[int, Outgoing],
        keep_errors: bool,
        stop: threading.Event,
    ) -> None:
        """Asks for `waiting`. A file that was decoded here but not there is asked for once more, as PNG."""
        answers = self._ask([item.data for item in waiting.values()], stop)
        again = {}
        for (i, item), answer in zip(waiting.items(), answers, strict=True):
            if isinstance(answer, ReadError) and item.original:
                again[i] = Outgoing(as_png(item.data), False)
            elif isinstance(answer, ReadError) and not keep_errors:
                raise ImageError(f"The server cannot read the image: {answer.reason}", "broken_image")
            else:
                results[i] = answer
        if again:
            self._fill(results, again, keep_errors, stop)

    def _ask(self, images: list[bytes], stop: threading.Event) -> list[Word | ReadError]:
        if not images:
            return []
        try:
            return self._try_until(images, stop)
        except RequestTooLarge as error:
            if len(images) == 1:
                return [ReadError(f"The server does not take an image of {len(images[0])} bytes: {error}")]
        middle = len(images) // 2
        return self._ask(images[:middle], stop) + self._ask(images[middle:], stop)

    def _try_until(self, images: list[bytes], stop: threading.Event) -> list[Word | ReadError]:
        """Sends one request until it is answered, refused for good, or `retry_seconds` have passed."""
        start = None
        tries, delay = 1, _FIRST_DELAY
        while True:
            if stop.is_set():
                raise ServerError("Nobody waits for this answer any more.")
            try:
                rows = self._transport.predict(images)
                if len(rows) != len(images):
                    raise ServerError(f"{len(rows)} predictions for {len(images)} images")
                return [to_result(row) for row in rows]
            except RequestTooLarge:
                raise
            except Unavailable as error:
                now = time.monotonic()
                start = now if start is None else start
                # Many clients of one server must not come back all at once.
                wait = error.retry_after if error.retry_after is not None else delay * random.uniform(0.75, 1.25)
                if now + wait > start + self.retry_seconds:
                    raise ServerError(self._say(error, tries)) from error
            except ServerError as error:
                raise ServerError(self._say(error, tries)) from error
            stop.wait(wait)
            tries, delay = tries + 1, min(2 * delay, _LONGEST_DELAY)

    def _say(self, error: ServerError, tries: int) -> str:
        after = f" (after {tries} tries)" if tries > 1 else ""
        return f"{_LOST}{str(error).rstrip('.')}{after}. Received: server={self.server}"


def _batches(images: Iterable[ImageLike], size: int, max_bytes: int) -> Iterator[list[ImageLike]]:
    """Up to `size` images that hold up to `max_bytes` in memory; paths hold nothing."""
    batch: list[ImageLike] = []
    held = 0
    for image in images:
        if isinstance(image, np.ndarray):
            held += image.nbytes
        elif not isinstance(image, (str, os.PathLike)):
            held += len(image) if isinstance(image, (bytes, bytearray, memoryview)) else _pixels(image)
        batch.append(image)
        if len(batch) == size or held > max_bytes:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _pixels(image: object) -> int:
    # Things that are no image go through as well: they are named when it is their turn.
    width, height = getattr(image, "size", (0, 0)) if isinstance(getattr(image, "size", None), tuple) else (0, 0)
    return int(width * height * 4)
