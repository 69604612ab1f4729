"""Street View Text: train.xml and test.xml, the same tagged rectangles on photographs as ICDAR 2003."""

from __future__ import annotations

from spin_tf.data.conversion.sources.icdar2003 import entries

__all__ = ["entries"]
