"""Image files to the input of a model inside a graph: what `Recognizer` does with bytes, for a whole batch.

A graph has no try and catch. A `tf.data` pipeline inside it drops the elements that fail, and each element carries its
number, so that one broken file never costs its neighbours their answer. The pipeline is built of raw operators: only
those can be told to run an element's function on the thread that asks for it, which makes an element three times
cheaper (30 instead of 80 microseconds). That executor knows no branches, so each kind of file has its own pipeline.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from spin_tf.contract.constants import LIGHT_INK
from spin_tf.contract.turning import TALL
from spin_tf.data.images import MAX_PIXELS
from spin_tf.export.image_formats import Kind, classify, reason_code

# OpenCV's grey, exact in float32: multiples of 2 ** -15, sums below 2 ** 23 of those.
_RED, _GREEN, _BLUE = 9798 / 32768, 19235 / 32768, 3735 / 32768
# Images of more pixels are not turned grey as a whole: float32 would take twelve times the bytes of a grey file.
_MANY_PIXELS = 1_000_000
_KINDS = (Kind.JPEG, Kind.PNG, Kind.PNG_WITH_ALPHA, Kind.BMP)


class Views(NamedTuple):
    """What the model is to read of a batch of files.

    Args:
        upright: float32 (k, height, width, 1) in [-1, 1], of the k files that can be read.
        files: int32 (k,), which file each is of.
        turned: float32 (t, 2, height, width, 1): the tall ones among them, turned by 90 and by -90 degrees.
        turned_rows: int32 (t,), which row of `upright` they are of.
        reasons: int32 (n,), a place in `REASONS`, 0 for the k files.
    """

    upright: Any
    files: Any
    turned: Any
    turned_rows: Any
    reasons: Any


def views_of(encoded: Any, image_size: tuple[int, int]) -> Views:
    """Decodes and preprocesses a batch of image files with the numbers of `spin_tf.data.preprocessing.preprocess`.

    Args:
        encoded: string (n,), n may be 0.
        image_size: (height, width) of the model's input.
    """
    height, width = image_size
    kinds, reasons = classify(encoded)
    # What is not decoded below is broken.
    broken = reason_code("broken_image")
    reasons = tf.where(kinds == int(Kind.NONE), reasons, broken)

    def upright(pixels: Any) -> tuple[Any, ...]:
        """The view of an image that is not large; whether it is tall, or large."""
        rows, columns = _extent(pixels)
        large = tf.cast(rows, tf.int64) * tf.cast(columns, tf.int64) > _MANY_PIXELS
        # Without branches: of a large image one pixel is made grey in vain.
        grey = _grey(pixels[: tf.where(large, 1, rows), : tf.where(large, 1, columns)])
        view = tf.raw_ops.ResizeBilinear(images=grey[None], size=image_size, half_pixel_centers=True)[0]
        tall = tf.cast(rows, tf.float32) >= TALL * tf.cast(columns, tf.float32)
        return view, tall, large

    def all_turns(pixels: Any) -> tuple[Any, ...]:
        ground = _ground(pixels) if pixels.shape[2] == 4 else None
        across = tf.transpose(pixels, (1, 0, 2))
        turns = (pixels, tf.reverse(across, [0]), tf.reverse(across, [1]))
        return (tf.stack([_resize_taps(pixels, image_size, ground) for pixels in turns]),)

    files, codes, (view, tall, large) = _decode(encoded, kinds, upright)
    reasons = tf.tensor_scatter_nd_update(reasons, files[:, None], tf.where((codes == 0) & large, broken, codes))
    again = tf.boolean_mask(files, (codes == 0) & (tall | large))
    row_of = _inverse(files, tf.size(encoded))

    def look_again() -> tuple[Any, Any]:
        found, _, (views,) = _decode(tf.gather(encoded, again), tf.gather(kinds, again), all_turns)
        return tf.gather(again, found), views

    def nothing() -> tuple[Any, Any]:
        return tf.zeros((0,), tf.int32), tf.zeros((0, 3, height, width, 1))

    seen, views = tf.cond(tf.size(again) > 0, look_again, nothing)
    reasons = tf.tensor_scatter_nd_update(reasons, seen[:, None], tf.zeros_like(seen))
    view = tf.tensor_scatter_nd_update(view, tf.gather(row_of, seen)[:, None], views[:, 0])
    good = tf.gather(reasons, files) == 0
    is_tall = tf.gather(tall, tf.gather(row_of, seen))
    files, view = tf.boolean_mask(files, good), tf.boolean_mask(view, good)
    turned_rows = tf.gather(_inverse(files, tf.size(encoded)), tf.boolean_mask(seen, is_tall))
    turned = tf.boolean_mask(views[:, 1:], is_tall)
    return Views(_scale(view), files, _scale(turned), turned_rows, reasons)


def _scale(grey: Any) -> Any:
    return (grey - 127.5) / 127.5


def _inverse(files: Any, number: Any) -> Any:
    """Which place of `files` each of `number` files has: int32 (number,), -1 for none."""
    places = tf.fill([number], -1)
    return tf.tensor_scatter_nd_update(places, files[:, None], tf.range(tf.size(files)))


def _extent(pixels: Any) -> tuple[Any, Any]:
    shape = tf.shape(pixels)
    return shape[0], shape[1]


def _grey(pixels: Any, ground: Any = None) -> Any:
    """Grey values 0..255, float32 (height, width, 1), of uint8 pixels with three channels, or four laid on a ground."""
    red, green, blue, *alpha = tf.split(tf.cast(pixels, tf.float32), pixels.shape[2], axis=-1)
    if alpha:
        ground = _ground(pixels) if ground is None else ground
        beside = ground * (255.0 - alpha[0]) + 127.0
        red, green, blue = (tf.floor((channel * alpha[0] + beside) / 255.0) for channel in (red, green, blue))
    return tf.floor(red * _RED + green * _GREEN + (blue * _BLUE + 0.5))


def _ground(pixels: Any) -> Any:
    """What pixels with four channels lie on, as `Picture` has it: white, or black if all that is visible is light."""
    is_light = tf.reduce_min(_grey(pixels, ground=255.0)) >= LIGHT_INK
    return tf.where(is_light & (tf.reduce_max(pixels[..., 3]) > 127), 0.0, 255.0)


def _resize_taps(pixels: Any, image_size: tuple[int, int], ground: Any) -> Any:
    """Grey and resized, float32 (height, width, 1), as `preprocess` does it: only pixels that count are touched."""

    def taps(size: Any, target: int) -> tuple[Any, Any]:
        centres = np.arange(0.5, target, dtype=np.float32) * (tf.cast(size, tf.float32) / target) - 0.5
        floor = tf.floor(centres)
        lower = tf.cast(tf.maximum(floor, 0), tf.int32)
        upper = tf.minimum(tf.cast(tf.math.ceil(centres), tf.int32), size - 1)
        return tf.concat([lower, upper], axis=0), centres - floor

    height, width = image_size
    rows, columns = _extent(pixels)
    row_taps, row_weights = taps(rows, height)
    column_taps, column_weights = taps(columns, width)
    grey = _grey(tf.gather(tf.gather(pixels, row_taps), column_taps, axis=1), ground)
    left, right = grey[:, :width], grey[:, width:]
    lines = left + (right - left) * column_weights[:, None]
    top, bottom = lines[:height], lines[height:]
    return top + (bottom - top) * row_weights[:, None, None]


def _blank_png() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, "PNG")
    return stream.getvalue()


def _pixels(encoded: Any, kind: Kind) -> tuple[Any, Any]:
    """Pixels uint8 (height, width, 3 or 4) of one file and the reason, int32, against reading it; fails if broken."""
    fine = tf.constant(0)
    if kind == Kind.PNG:
        return tf.io.decode_png(encoded, channels=3), fine
    if kind == Kind.PNG_WITH_ALPHA:
        return tf.io.decode_png(encoded, channels=4), fine
    if kind == Kind.BMP:
        return tf.io.decode_bmp(encoded, channels=3), fine
    shape = tf.cast(tf.image.extract_jpeg_shape(encoded), tf.int64)
    reason = tf.where(shape[0] * shape[1] > MAX_PIXELS, reason_code("too_many_pixels"), 0)
    reason = tf.where(shape[2] > 3, reason_code("colours_not_served"), reason)
    # Decoded in place of what is refused; this operator reads PNG too.
    encoded = tf.where(reason == 0, encoded, _blank_png())
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"), reason


def _decode(encoded: Any, kinds: Any, function: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Applies a function of pixels to each file; files that fail are left out.

    Returns:
        files int32 (k,) by kind and then in order, reasons int32 (k,), and the function's results (k, ...).
    """
    ops = tf.raw_ops
    joined: Any = None
    types: list[Any] = []
    shapes: list[Any] = []
    for kind in _KINDS:

        def element(number: Any, file: Any, kind: Kind = kind) -> tuple[Any, ...]:
            pixels, reason = _pixels(file, kind)
            return number, reason, *function(pixels)

        signature = [tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.string)]
        concrete = tf.function(element, input_signature=signature, autograph=False).get_concrete_function()
        types = [output.dtype for output in concrete.outputs]
        shapes = [output.shape for output in concrete.outputs]
        members = tf.cast(tf.where(kinds == int(kind))[:, 0], tf.int32)
        dataset = ops.TensorSliceDataset(components=[members, tf.gather(encoded, members)], output_shapes=[(), ()])
        dataset = ops.MapDataset(
            input_dataset=dataset,
            other_arguments=concrete.captured_inputs,
            f=concrete,
            output_types=types,
            output_shapes=shapes,
            use_inter_op_parallelism=False,
        )
        joined = (
            dataset
            if joined is None
            else ops.ConcatenateDataset(
                input_dataset=joined, another_dataset=dataset, output_types=types, output_shapes=shapes
            )
        )
    dataset = ops.IgnoreErrorsDataset(input_dataset=joined, output_types=types, output_shapes=shapes)
    # One element that never fails: a batch of nothing would be no batch.
    first = ops.TensorDataset(
        components=[tf.zeros(shape, dtype) for shape, dtype in zip(shapes, types, strict=True)], output_shapes=shapes
    )
    dataset = ops.ConcatenateDataset(
        input_dataset=first, another_dataset=dataset, output_types=types, output_shapes=shapes
    )
    batch_shapes = [tf.TensorShape([None]).concatenate(shape) for shape in shapes]
    dataset = ops.BatchDatasetV2(
        input_dataset=dataset,
        batch_size=tf.size(encoded, tf.int64) + 1,
        drop_remainder=False,
        output_types=types,
        output_shapes=batch_shapes,
    )
    results = ops.DatasetToSingleElement(dataset=dataset, output_types=types, output_shapes=batch_shapes)
    files, reasons, *rest = (result[1:] for result in results)
    return files, reasons, tuple(rest)
