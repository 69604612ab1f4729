"""Synthetic word images, from numpy and Pillow alone."""

from spin_tf.synthesis.config import SynthesisConfig
from spin_tf.synthesis.shares import LabelShares
from spin_tf.synthesis.synthesizer import WordSynthesizer

__all__ = ["LabelShares", "SynthesisConfig", "WordSynthesizer"]
