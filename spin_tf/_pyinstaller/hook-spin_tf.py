"""The names of the package load on first use, so that no import tells of them; the model is a file beside the code."""

import spin_tf
from spin_tf.reading.word_model import bundled_model

hiddenimports = sorted(set(spin_tf._PUBLIC.values()))
datas = [(str(bundled_model()), "spin_tf/exported")]
