"""The names of the package load on first use, so that no import tells of them; the model is a file beside the code."""

import spin_tf
from spin_tf.reading.word_model import bundled_model

hiddenimports = sorted({getattr(spin_tf, name).__module__ for name in spin_tf.__all__ if not name.startswith("_")})
datas = [(str(bundled_model()), "spin_tf/exported")]
