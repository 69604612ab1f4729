"""Pure `keras.ops` layers: they run on TensorFlow and on JAX."""

from spin_tf import _quiet_keras  # noqa: F401
from spin_tf.layers.attention_decoder import AttentionDecoder
from spin_tf.layers.batch_norm import BatchNorm
from spin_tf.layers.bidirectional_lstm import BidirectionalLSTM
from spin_tf.layers.conv_norm import ConvNorm
from spin_tf.layers.grid_sample import GridSample
from spin_tf.layers.inner_offset import InnerOffset
from spin_tf.layers.residual_block import ResidualBlock
from spin_tf.layers.separable_block import SeparableBlock
from spin_tf.layers.structure_preserving_transform import StructurePreservingTransform
from spin_tf.layers.thin_plate_spline import ThinPlateSpline

__all__ = [
    "AttentionDecoder",
    "BatchNorm",
    "BidirectionalLSTM",
    "ConvNorm",
    "GridSample",
    "InnerOffset",
    "ResidualBlock",
    "SeparableBlock",
    "StructurePreservingTransform",
    "ThinPlateSpline",
]
