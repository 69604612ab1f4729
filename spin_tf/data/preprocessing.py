"""The one way from an image file to the input of a model, for training, LiteRT, serving and evaluation: what stands in
`spin_tf.contract` and `spin_tf.data.images`, under the names that they had here."""

from spin_tf.contract.constants import MAX_PIXELS
from spin_tf.contract.errors import ImageError
from spin_tf.contract.pixels import to_grey
from spin_tf.contract.preprocessing import axis_weights, prepare, preprocess
from spin_tf.contract.tensorflow_pixels import decode_tensor
from spin_tf.contract.tensorflow_twin import prepare_tensor, preprocess_tensor
from spin_tf.data.files import MAX_BYTES
from spin_tf.data.images import ImageInfo, decode_image, inspect_image

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "ImageError",
    "ImageInfo",
    "axis_weights",
    "decode_image",
    "decode_tensor",
    "inspect_image",
    "prepare",
    "prepare_tensor",
    "preprocess",
    "preprocess_tensor",
    "to_grey",
]
