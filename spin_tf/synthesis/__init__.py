"""Synthetic word images, from numpy and Pillow alone."""

from spin_tf.synthesis.probabilities import LabelShares, SynthesisConfig
from spin_tf.synthesis.synthesizer import WordSynthesizer

__all__ = ["LabelShares", "SynthesisConfig", "WordSynthesizer"]
